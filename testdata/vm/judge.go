package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/socketcan"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// judge reads what the guest brought back and judges it.
func (g *guest) judge(ctx context.Context, v *verdict) {
	g.say("judge")
	r, err := readResults(g.path("results.img"), g.path("out"))
	v.check(g.name, "the results are whole", "", err)
	if err != nil {
		return
	}
	for _, t := range g.tests {
		r.judgeTests(v, g.name, t)
	}
	if g.systemd {
		g.judgeFaults(ctx, v, r)
	}
	for _, s := range g.scenarios {
		j := &judge{s, r, "scenarios/" + s.name}
		check := func(what string, do func(context.Context) (figure string, err error)) {
			figure, err := do(ctx)
			v.check(g.name, s.name+": "+what, figure, err)
		}
		check("all programs ended well", j.ends)
		check("each socket has its buffer and lost nothing", j.sockets)
		check("every frame played for the cards was received, in order", j.frames)
		check("the cards fired as on the desk", j.firings)
		check(journalReplays, j.journal)
		if s.hmi {
			check("the HMI got every call decided, in order", j.calls)
		}
	}
	for _, j := range r.runs(g.root) {
		figure, err := j.journal(ctx)
		v.check(g.name, j.name+": "+journalReplays, figure, err)
	}
}

const journalReplays = "the journal replayed on the desk gives the decision log, byte for byte"

// runs are those of the agent that vm tests made, each with its profile and its
// cards; root is of go.mod.
func (r *results) runs(root string) (list []*judge) {
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		dir, ok := strings.CutSuffix(name, "/agent.yaml")
		if !ok || !strings.HasPrefix(dir, "runs/") {
			continue
		}
		below, err := filepath.Rel(root, r.path(dir))
		if err != nil {
			below = r.path(dir) // the replay says what is wrong with it
		}
		list = append(list, &judge{&scenario{name: path.Base(dir), root: root, vehicle: path.Join(below, "vehicle.yaml"), cards: path.Join(below, "deck"), log: r.path(dir + "/log")}, r, dir})
	}
	return list
}

// judge looks at one run's results.
type judge struct {
	*scenario
	r   *results
	dir string // of the run's files among the results
}

// file is the name of one of the run's results.
func (j *judge) file(name string) string { return j.dir + "/" + name }

func (j *judge) ends(context.Context) (string, error) {
	programs := []string{"canplayer", "agent"}
	if j.hmi {
		programs = append(programs, "hmi")
	}
	for _, program := range programs {
		if status := j.r.text(j.file(program + ".status")); status != "0" {
			return "", fmt.Errorf("%s ended with status %q", program, status)
		}
	}
	ended := agentEnded.FindStringSubmatch(j.r.text(j.file("agent.out")))
	if ended == nil {
		return "", errors.New("the agent did not say what the run came to")
	}
	return ended[1], nil
}

// agentEnded is the agent's last word, with its counters.
var agentEnded = regexp.MustCompile(`msg=ended (.*)`)

// busLine is what the agent says of a bus: when its link comes up, and at its end.
var busLine = regexp.MustCompile(`msg=bus name=(\S+) link=up (buffer|frames_lost)=(\d+)`)

// sockets holds that the shipped sysctl file let every bus's socket have the
// buffer that the agent asks for, which getsockopt tells doubled, see
// socket(7), and that no socket's queue overflowed.
func (j *judge) sockets(context.Context) (figure string, err error) {
	said := map[string]int{}
	for _, m := range busLine.FindAllStringSubmatch(j.r.text(j.file("agent.out")), -1) {
		n, err := strconv.Atoi(m[3])
		if err != nil {
			return "", err
		}
		said[m[1]+" "+m[2]] += n
	}
	for i := range j.prog.Vehicle.Buses {
		name := j.prog.Vehicle.Buses[i].Name
		buffer, lost := said[name+" buffer"], said[name+" frames_lost"]
		figure += fmt.Sprintf("%s %d bytes, %d lost; ", name, buffer, lost)
		if _, ended := said[name+" frames_lost"]; !ended || lost > 0 || buffer != 2*socketcan.DefaultReceiveBuffer {
			err = errors.Join(err, fmt.Errorf("bus %s: want %d bytes and a count of 0 at the end", name, 2*socketcan.DefaultReceiveBuffer))
		}
	}
	return strings.TrimSuffix(figure, "; "), err
}

// sent is what a frame is apart from its time.
type sent struct {
	id    uint32
	flags can.Flags
	data  string
}

// identifier is a message of a bus of the profile.
type identifier struct {
	bus      int
	id       uint32
	extended bool
}

// frames compares, bus by bus, the frames of the agent's journal with those
// that were played and have an identifier that the journal or a card has.
func (j *judge) frames(context.Context) (string, error) {
	received, err := j.openJournal()
	if err != nil {
		return "", err
	}
	got, ids, err := j.split(received, nil)
	if err != nil {
		return "", err
	}
	j.addUsed(ids)
	played, err := canlog.Open(j.log)
	if err != nil {
		return "", err
	}
	defer played.Close()
	named, err := drive.ParseBusMap(j.prog.Vehicle, j.busMap)
	if err != nil {
		return "", err
	}
	want, _, err := j.split(drive.NewLogStream(j.prog.Vehicle, named, []drive.Log{{Reader: played, Name: j.log}}), ids)
	if err != nil {
		return "", err
	}
	total, all := 0, 0
	for bus := range want {
		total, all = total+len(got[bus]), all+len(want[bus])
	}
	figure := fmt.Sprintf("%d of %d with %d ids, %d lost", total, all, len(ids), all-total)
	for bus := range want {
		if !slices.Equal(got[bus], want[bus]) {
			return figure, fmt.Errorf("bus %s: %s", j.prog.Vehicle.Buses[bus].Name, firstUnlike(got[bus], want[bus]))
		}
	}
	if total == 0 {
		return figure, errors.New("no frame arrived")
	}
	return figure, nil
}

func firstUnlike(got, want []sent) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("frame %d is %03X#%X, %03X#%X was played", i+1, got[i].id, got[i].data, want[i].id, want[i].data)
		}
	}
	return fmt.Sprintf("%d frames, %d were played", len(got), len(want))
}

// split reads a stream's frames by bus, those of ids only unless that is nil,
// and collects their identifiers.
func (j *judge) split(s drive.Stream, ids map[identifier]bool) (byBus [][]sent, have map[identifier]bool, err error) {
	byBus, have = make([][]sent, len(j.prog.Vehicle.Buses)), map[identifier]bool{}
	var e drive.Entry
	for err = s.Next(&e); err == nil; err = s.Next(&e) {
		f := &e.Frame
		id := identifier{int(f.Bus), f.ID, f.Flags&can.Extended != 0}
		if !e.IsFrame || ids != nil && !ids[id] {
			continue
		}
		have[id] = true
		byBus[f.Bus] = append(byBus[f.Bus], sent{f.ID, f.Flags, string(f.Payload())})
	}
	if err != io.EOF {
		return nil, nil, err
	}
	return byBus, have, nil
}

// addUsed adds the identifiers that the cards use.
func (j *judge) addUsed(ids map[identifier]bool) {
	for i := range j.prog.Sources {
		s := &j.prog.Sources[i]
		ids[identifier{s.Bus, s.Message.ID, s.Message.Extended}] = true
		if s.Alive != nil {
			ids[identifier{s.Alive.Bus, s.Alive.Message.ID, s.Alive.Message.Extended}] = true
		}
	}
}

func (j *judge) openJournal() (*drive.JournalReader, error) {
	name := j.file(journalFile)
	r, err := drive.NewJournalReader(name, bytes.NewReader(j.r.files[name]), j.prog)
	if err == nil {
		err = r.Fits(j.prog)
	}
	return r, err
}

// firings compares what fired, and why, with a replay of what was played.
func (j *judge) firings(ctx context.Context) (string, error) {
	lines, err := j.vignette(ctx, "decisions", j.r.path(j.file(decisionsFile)))
	if err != nil {
		return "", err
	}
	desk, err := j.replay(ctx, "jsonl", j.log)
	if err != nil {
		return "", err
	}
	got, err := firings(lines)
	if err != nil {
		return "", err
	}
	want, err := firings(desk)
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d firings", len(got))
	if !slices.Equal(got, want) {
		return figure, fmt.Errorf("car %v\ndesk %v", got, want)
	}
	if len(want) == 0 {
		return figure, errors.New("none: the recording shows nothing")
	}
	return figure, nil
}

func (j *judge) journal(ctx context.Context) (string, error) {
	car := j.r.files[j.file(decisionsFile)]
	desk, err := j.replay(ctx, "msgpack", j.r.path(j.file(journalFile)))
	if err != nil {
		return "", err
	}
	if !bytes.Equal(car, desk) {
		return "", fmt.Errorf("%d bytes from the car, %d from the desk; compare vignette decisions %s with a replay of %s",
			len(car), len(desk), j.r.path(j.file(decisionsFile)), j.r.path(j.file(journalFile)))
	}
	return fmt.Sprintf("%d bytes", len(car)), nil
}

// calls compares the calls that a replay of the journal decides with those
// that the HMI says it received: method and first argument, in order.
func (j *judge) calls(context.Context) (string, error) {
	var summary struct {
		Calls []struct {
			Method string
			Args   []any
		}
	}
	if err := json.Unmarshal(j.r.files[j.file("hmi.json")], &summary); err != nil {
		return "", fmt.Errorf("the HMI's summary: %w", err)
	}
	var got []string
	for _, c := range summary.Calls {
		got = append(got, c.Method)
		if c.Method == "SetActuator" && len(c.Args) > 0 {
			got[len(got)-1] += fmt.Sprintf(" %v", c.Args[0])
		}
	}
	want, err := j.decided()
	if err != nil {
		return "", err
	}
	figure := fmt.Sprintf("%d calls", len(got))
	if len(want) == 0 {
		return figure, errors.New("none was decided: the recording shows nothing")
	}
	if !slices.Equal(got, want) {
		return figure, fmt.Errorf("it got %q, decided were %q", got, want)
	}
	return figure, nil
}

// decided lists the calls of the journal that go to a service.
func (j *judge) decided() (list []string, err error) {
	journal, err := j.openJournal()
	if err != nil {
		return nil, err
	}
	err = drive.Run(journal, drive.NewPump(j.prog, journal.Header.Session, journal.Judged, drive.Output{
		Calls: func(calls []engine.Call) {
			for i := range calls {
				list = append(list, j.method(&calls[i])...)
			}
		}}))
	return list, err
}

// method is the call's method, and the actuator if it has one; none if the
// profile binds it to no service.
func (j *judge) method(c *engine.Call) []string {
	if c.Kind == engine.CallDo {
		if b := j.prog.Vehicle.Actions[c.Action].Call; b != nil {
			return []string{b.Member}
		}
	} else if a := &j.prog.Vehicle.Actuators[c.Actuator]; a.Call != nil {
		return []string{a.Call.Member + " " + a.Path}
	}
	return nil
}
