package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"vignette/scenes/drive"
)

// faultPrefix is what the tests are named with that break something and leave the
// agent's logs below faults/NAME.
const faultPrefix = "TestFault"

// judgeFaults replays the journal of every fault on this machine.
func (g *guest) judgeFaults(ctx context.Context, v *verdict, r *results) {
	for _, t := range g.tests {
		for _, name := range t.tests {
			if strings.HasPrefix(name, faultPrefix) {
				figure, err := g.demoCar().replays(ctx, r, "faults/"+name+"/")
				v.check(g.name, name+": the journal replayed on the desk gives the decision log, byte for byte", figure, err)
			}
		}
	}
}

// replays compares each decision log in a directory with the replay of the journal
// beside it. A process that was killed has left both as far as they were written
// out; that the logs are those of one is told by the file "killed".
func (s *scenario) replays(ctx context.Context, r *results, dir string) (figure string, err error) {
	_, killed := r.files[dir+"killed"]
	total, files := 0, 0
	for _, suffix := range []string{"", ".1", ".2", ".3", ".4"} {
		car, journal := r.files[dir+decisionsFile+suffix], r.files[dir+journalFile+suffix]
		if journal == nil { // fewer are kept
			continue
		}
		desk, err := s.replay(ctx, "msgpack", r.path(dir+journalFile+suffix))
		if err != nil {
			return "", err
		}
		both := min(len(car), len(desk))
		if cut := killed && suffix != ""; cut && !bytes.Equal(car[:both], desk[:both]) || !cut && !bytes.Equal(car, desk) {
			return "", fmt.Errorf("%s%s%s: %d bytes from the car, %d from the desk", dir, decisionsFile, suffix, len(car), len(desk))
		}
		n, err := records(car[:both])
		if err != nil {
			return "", err
		}
		total, files = total+n, files+1
	}
	figure = fmt.Sprintf("%d records in %d files", total, files)
	if total == 0 {
		return figure, errors.New("nothing was decided")
	}
	return figure, nil
}

// records counts the records of a decision log that may be cut.
func records(log []byte) (int, error) {
	var lines bytes.Buffer
	if err := drive.ToJSONLines(&lines, bytes.NewReader(log)); err != nil && !strings.Contains(err.Error(), "is cut after") {
		return 0, err
	}
	return max(bytes.Count(lines.Bytes(), []byte("\n"))-1, 0), nil
}
