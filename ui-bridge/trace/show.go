package trace

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vignette/scenes"
)

// ShowOptions choose what Show prints.
type ShowOptions struct {
	Hex   bool          // the exact bytes of each episode too
	Study *scenes.Study // whose names its ids have; nil: ids are shown as they are
}

var (
	todNames  = []string{"part of the day not told", "night", "morning", "afternoon", "evening"}
	autoNames = []string{"not told", "level 0", "level 1", "level 2+"}
)

// Show prints every segment in a directory and below it for people: the same
// facts as the bytes, no more. It returns the number of episodes printed. Damaged
// segments are printed as far as they can be read and named in the error; other
// files are an error too, and so is a directory that does not exist.
func Show(w io.Writer, dir string, o ShowOptions) (n int, err error) {
	out := &printer{w: w, o: o}
	var bad []error
	err = Segments(dir, func(path string) error {
		if err := out.segment(path); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", path, err))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	out.printf("%d episodes in %d segments\n", out.episodes, out.segments)
	return out.episodes, errors.Join(Few(bad), out.err)
}

// Put puts a segment's episodes into words, by the names of a study, if it is
// known, and with their bytes.
func Put(w io.Writer, segment []byte, study *scenes.Study) error {
	out := &printer{w: w, o: ShowOptions{Study: study, Hex: true}}
	err := read(bytes.NewReader(segment), func(rec *segmentRecord) error {
		out.episode(rec)
		return out.err
	})
	return err
}

// Listed is an episode in a directory.
type Listed struct {
	ID     string `json:"id"`   // hexadecimal
	Week   string `json:"week"` // such as 2026-W10
	Task   string `json:"task"` // its name where the study is known, else its number
	Events int    `json:"events"`
	File   string `json:"file"`
}

// List lists the episodes in a directory and below it. What can be read is
// listed; files that cannot are named in the error.
func List(dir string, study *scenes.Study) ([]Listed, error) {
	list := []Listed{}
	var bad []error
	err := Segments(dir, func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		err = read(f, func(rec *segmentRecord) error {
			ep := rec.ep
			list = append(list, Listed{hex.EncodeToString(ep.EID[:]), weekName(ep.Week), taskName(study, ep.Task), len(ep.Ev), path})
			return nil
		})
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", path, err))
		}
		return nil
	})
	return list, errors.Join(Few(bad), err)
}

// mostTold is how many files that are no segments are named.
const mostTold = 8

// Few joins what is wrong with files; of a directory that has nothing to do with
// traces it names the first ones and counts the rest.
func Few(bad []error) error {
	if more := len(bad) - mostTold; more > 0 {
		bad = append(bad[:mostTold:mostTold], fmt.Errorf("and %d more files; is this a directory of traces?", more))
	}
	return errors.Join(bad...)
}

// Segments calls yield with the path of each file in a directory of traces and
// below it, but for what the recorder keeps there for itself, and for the texts
// beside exported segments. A directory that does not exist is an error.
func Segments(dir string, yield func(path string) error) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such directory; it is made by the first consent, so there are no traces or the path is wrong", dir)
	}
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := strings.CutSuffix(filepath.Base(path), newSuffix)
		switch {
		case err != nil:
			return err
		case d.IsDir(), strings.HasPrefix(name, consentFile), name == seenFile, name == givenFile, name == closedFile, isSegmentName(strings.TrimSuffix(name, ".txt") + segmentSuffix):
			return nil
		}
		return yield(path)
	})
}

// printer writes episodes and keeps the first write error.
type printer struct {
	w        io.Writer
	o        ShowOptions
	episodes int
	segments int
	err      error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) segment(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	named := false
	err = read(f, func(rec *segmentRecord) error {
		if !named {
			p.printf("segment %s (%s)\n", filepath.Base(path), rec.header)
			named = true
		}
		p.episode(rec)
		return p.err
	})
	if !errors.Is(err, ErrNotSegment) {
		p.segments++
	}
	return err
}

func (p *printer) episode(rec *segmentRecord) {
	ep := rec.ep
	p.episodes++
	p.printf("  episode %s\n", hex.EncodeToString(ep.EID[:]))
	if rec.driver != nil {
		p.printf("    personal data of test driver %s\n", hex.EncodeToString(rec.driver[:]))
	}
	p.printf("    schema %d, policy %d, cohort %d, week %s, %s, task %s, variant %d, assistance %s\n", ep.V, ep.Policy,
		ep.Cohort, weekName(ep.Week), pick(todNames, ep.TOD), taskName(p.o.Study, ep.Task), ep.Variant, pick(autoNames, ep.Auto))
	for i := range ep.Ev {
		ev := &ep.Ev[i]
		p.printf("    %d. %s %s -> %s, gap %s, speed %s\n", i+1, placeName(p.o.Study, ev), gestureName(p.o.Study, ep.Task, ev.Gesture),
			pick(scenes.Outcomes, ev.Out), pick(scenes.Gaps, ev.DT), pick(scenes.Speeds, ev.Speed))
	}
	metrics := metricsText(&ep.M)
	switch {
	case len(ep.Ev) == 0:
	case ep.Ev[0].Gesture >= scenes.Chosen:
		metrics = "none: what the driver said"
	case ep.Ev[0].Gesture == scenes.Fired:
		metrics = "none: of a scene card"
	}
	p.printf("    metrics: %s\n", metrics)
	if p.o.Hex {
		p.printf("    bytes (%d): %s\n", len(rec.raw), hex.EncodeToString(rec.raw))
	}
}

// taskName names a task where the study is known.
func taskName(s *scenes.Study, id uint16) string {
	if s != nil {
		for _, k := range s.Tasks {
			if k.ID == int(id) {
				return k.Name
			}
		}
	}
	return fmt.Sprint(id)
}

// placeName names a screen and element where the study is known.
func placeName(s *scenes.Study, ev *Event) string {
	if s == nil {
		return fmt.Sprintf("%d/%d", ev.Screen, ev.Elem)
	}
	screen, elem := s.Names(int(ev.Screen), int(ev.Elem))
	return screen + "/" + elem
}

// gestureName names a gesture: of a choice, the choice where the study is known.
func gestureName(s *scenes.Study, task uint16, gesture uint8) string {
	if s != nil {
		for _, k := range s.Tasks {
			for _, c := range k.Choices {
				if k.ID == int(task) && scenes.Chosen+c.ID-1 == int(gesture) {
					return "chose " + c.Name
				}
			}
		}
	}
	return pick(scenes.Gestures, gesture)
}

// metricsText names each computed figure.
func metricsText(m *Metrics) string {
	if *m == (Metrics{}) {
		return "none: the attempt was cut to a known pair"
	}
	var parts []string
	for i := range m {
		parts = append(parts, MetricTable[i].Name+" "+bucketName(m, i))
	}
	return strings.Join(parts, ", ")
}

func bucketName(m *Metrics, metric int) string {
	b, ok := m.Bucket(metric)
	switch {
	case ok:
		return b.Name
	case m[metric] == 0:
		return "not computed"
	}
	return fmt.Sprintf("code %d?", m[metric])
}

func weekName(w uint16) string {
	if w == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d-W%02d", 2000+int(w)/100, w%100)
}

// pick names a code; one that is not in the list shows as its number.
func pick(names []string, code uint8) string {
	if int(code) < len(names) && names[code] != "" {
		return names[code]
	}
	return fmt.Sprintf("code %d?", code)
}
