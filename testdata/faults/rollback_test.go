package faults

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"vignette/scenes/drive"
)

// TestRollback is a system with two slots that is rolled back to an older agent and
// forward again. The newer one has written every kind of file that the agent keeps,
// each in a schema that the older does not know: it says so, reads none of them half
// and loses none; what drivers say meanwhile is kept beside, and the newer agent
// finds both. Here the newer one is the same program, whose files are raised behind
// its back.
func TestRollback(t *testing.T) {
	r := newRollback(t)
	r.say("EnableCard", "d1", false)
	r.say("SetPlace", "home", 48.0, 11.0, 100.0)
	r.say("SetHabits", true)
	r.say("Install", fanCard("own", "A", 9, driverFan, 20, time.Second))
	r.say("EnableCard", "own", true)
	r.parks()
	r.trace("GiveConsent", "demo")
	r.stop()
	lowered := r.raise()

	told := r.begin()
	r.isOlder(told, lowered)
	r.say("EnableCard", "d2", false)
	r.stop()
	r.lower(lowered)

	r.begin()
	r.isNewer()
	r.stop()
}

// rollback is a rig with everything configured that the agent keeps.
type rollback struct {
	*rig
	hmi *dbus.Conn
}

func newRollback(t *testing.T) *rollback {
	r := &rollback{rig: newRig(t, 41, busyCards(), "jsonl")}
	r.write("vehicle.yaml", strings.Replace(profile, "actuators:\n", "events:\n  place: {names: [home], geoclue: true}\nactuators:\n", 1))
	study, err := os.ReadFile("../drive/studies/demo.yaml")
	r.must(err)
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	r.write("study.yaml", strings.NewReplacer("from: 2026-01-01", "from: "+day(-7), "until: 2026-03-31", "until: "+day(60), "expires: 2026-12-31", "expires: "+day(90)).Replace(string(study)))
	r.write("agent.yaml", fmt.Sprintf(configuration, r.address, "jsonl")+"traces: traces\nstudies: {cards: [study.yaml], build: \"1.0\", market: demo, display: wide}\n")
	r.begin()
	return r
}

// begin starts the agent and a HMI that says who drives, and returns what is wrong.
func (r *rollback) begin() (problems []string) {
	r.t.Helper()
	if _, ok := r.start().hear("msg=running"); !ok {
		r.t.Fatalf("the agent does not run:\n%s", r.agent.told())
	}
	conn, err := dbus.Connect(r.address)
	r.must(err)
	r.t.Cleanup(func() { conn.Close() })
	r.hmi = conn
	r.say("SetUser", uint64(1))
	r.must(r.property("Problems", &problems))
	return problems
}

func (r *rollback) call(method string, args ...any) *dbus.Call {
	return r.hmi.Object("org.vignette.Agent1", "/org/vignette/Agent1").Call(method, 0, args...)
}

// say calls the agent's own interface, which must take it.
func (r *rollback) say(method string, args ...any) *dbus.Call {
	r.t.Helper()
	c := r.call("org.vignette.Agent1."+method, args...)
	r.must(c.Err)
	return c
}

// trace calls that of traces.
func (r *rollback) trace(method string, args ...any) *dbus.Call {
	r.t.Helper()
	c := r.call("org.vignette.Trace1."+method, args...)
	r.must(c.Err)
	return c
}

// parks waits until the agent knows that the car is parked, which a yes needs.
func (r *rollback) parks() {
	r.t.Helper()
	r.await("parked", 10*time.Second, func() bool { return r.counters()["samples"] > 0 })
}

// has is what the agent has of the driver, in words.
func (r *rollback) has() (words []string) {
	r.t.Helper()
	var objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	r.must(r.call("org.freedesktop.DBus.ObjectManager.GetManagedObjects").Store(&objects))
	for _, id := range []string{"d1", "d2", "d3", "own"} {
		if card, ok := objects[dbus.ObjectPath("/org/vignette/Agent1/card/"+id)]["org.vignette.Card1"]; ok {
			words = append(words, fmt.Sprint(id, " ", card["Enabled"].Value()))
		}
	}
	var places [][]any
	r.must(r.say("Places").Store(&places))
	var decisions []map[string]dbus.Variant
	r.must(r.trace("ConsentHistory").Store(&decisions))
	var habits bool
	r.must(r.property("Habits", &habits))
	return append(words, fmt.Sprint(len(places), " places"), fmt.Sprint(len(decisions), " decisions"), fmt.Sprint("habits ", habits))
}

// raise has the files be of a newer version, and returns what they were.
func (r *rollback) raise() (lowered map[string][]byte) {
	r.t.Helper()
	lowered = map[string][]byte{}
	for name, change := range map[string]func([]byte) []byte{
		"state/state.0": raiseState,
		"state/state.1": raiseState,
		"state/habits.1": func(b []byte) []byte {
			return bytes.Replace(b, []byte("vignette-habits 1\n"), []byte("vignette-habits 2\n"), 1)
		},
		"state/places.1":       func(b []byte) []byte { return append([]byte("schema: 2\nplaces:\n"), b...) },
		"state/cards/own.yaml": func(b []byte) []byte { return bytes.Replace(b, []byte("schema: 1"), []byte("schema: 2"), 1) },
		"traces/consents": func(b []byte) []byte {
			return bytes.Replace(b, []byte("vignette-consents 2\n"), []byte("vignette-consents 3\n"), 1)
		},
	} {
		path := filepath.Join(r.dir, name)
		was, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(name, "state/state.") {
			continue // the one that is not written yet
		}
		r.must(err)
		is := change(bytes.Clone(was))
		if bytes.Equal(is, was) {
			r.t.Fatalf("%s is not raised", name)
		}
		lowered[name] = was
		r.must(os.WriteFile(path, is, 0o600))
	}
	segment := filepath.Join(r.dir, "traces/spool/demo/1-00000000000000aa-1.seg")
	r.must(os.MkdirAll(filepath.Dir(segment), 0o700))
	r.must(os.WriteFile(segment, fmt.Appendf(nil, "%-511s\n", "vignette-traces 4"), 0o600))
	return lowered
}

// raiseState gives each record of a state file the next schema.
func raiseState(b []byte) []byte {
	for rest := b; len(rest) >= 18; {
		n := 8 + int(binary.LittleEndian.Uint32(rest))
		rest[17] = drive.SavedSchema + 1 // behind the head of the list: length, sum and number are 16 bytes
		binary.LittleEndian.PutUint32(rest[4:], crc32.Checksum(rest[8:n], castagnoli))
		rest = rest[n:]
	}
	return b
}

// isOlder holds that the older agent tells of each file, does without it, and does
// not touch it.
func (r *rollback) isOlder(problems []string, lowered map[string][]byte) {
	r.t.Helper()
	for name := range lowered {
		path := filepath.Join(r.dir, name)
		if strings.HasPrefix(name, "state/state.") {
			path += ".from-the-future"
		}
		if !slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, path+":") }) {
			r.t.Errorf("no problem tells of %s: %q", path, problems)
		}
		if !strings.Contains(r.agent.told(), path) {
			r.t.Errorf("the log does not tell of %s:\n%s", path, r.agent.told())
		}
	}
	want := "d1 true, d2 true, d3 true, 0 places, 0 decisions, habits false"
	if got := strings.Join(r.has(), ", "); got != want {
		r.t.Errorf("rolled back it has %s; want %s", got, want)
	}
	r.parks()
	for method, args := range map[string][]any{"Agent1.SetPlace": {"home", 1.0, 2.0, 100.0}, "Agent1.ForgetPlace": {"home"}, "Agent1.SetHabits": {true},
		"Agent1.Install": {fanCard("own", "A", 9, driverFan, 30, time.Second)}, "Trace1.GiveConsent": {"demo"}, "Trace1.WithdrawConsent": {"demo"}} {
		if c := r.call("org.vignette."+method, args...); c.Err == nil {
			r.t.Errorf("%s is taken over what a newer version has written: %v", method, c.Body)
		}
	}
	for name, was := range lowered {
		if strings.HasPrefix(name, "state/state.") {
			name += ".from-the-future"
		}
		if is, err := os.ReadFile(filepath.Join(r.dir, name)); err != nil || bytes.Equal(is, was) || len(is) < len(was) {
			r.t.Errorf("%s: %v, or it was touched", name, err)
		}
	}
}

// lower has the newer agent be able to read its files again, which have not been
// touched meanwhile.
func (r *rollback) lower(lowered map[string][]byte) {
	r.t.Helper()
	for name, was := range lowered {
		if strings.HasPrefix(name, "state/state.") {
			name += ".from-the-future"
		}
		path := filepath.Join(r.dir, name)
		if _, err := os.Stat(path); err != nil {
			r.t.Errorf("lost: %v", err)
		}
		r.must(os.WriteFile(path, was, 0o600))
	}
	segment := filepath.Join(r.dir, "traces/spool/demo/1-00000000000000aa-1.seg")
	r.must(os.Remove(segment)) // it must still be there
}

// isNewer holds that the newer agent has what was said before and since.
func (r *rollback) isNewer() {
	r.t.Helper()
	want := "d1 false, d2 false, d3 true, own true, 1 places, 1 decisions, habits true"
	if got := strings.Join(r.has(), ", "); got != want {
		r.t.Errorf("rolled forward it has %s; want %s\n%s", got, want, r.agent.told())
	}
	var problems []string
	if r.must(r.property("Problems", &problems)); len(problems) > 0 {
		r.t.Errorf("problems %q", problems)
	}
	if left, err := filepath.Glob(filepath.Join(r.dir, "state", "*.from-the-future")); err != nil || len(left) > 0 {
		r.t.Errorf("left: %q, %v", left, err)
	}
}
