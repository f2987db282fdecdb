package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/services"
)

// fragments are the pieces of profiles that docs/bindings.md shows, in its order.
func fragments(t testing.TB) (list []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/bindings.md")
	if err != nil {
		t.Fatal(err)
	}
	rest := string(page)
	for {
		_, after, ok := strings.Cut(rest, "```yaml\n")
		if !ok {
			break
		}
		text, more, closed := strings.Cut(after, "```")
		if !closed {
			t.Fatal("docs/bindings.md has a fragment without an end")
		}
		list, rest = append(list, text), more
	}
	if len(list) < 9 {
		t.Fatalf("docs/bindings.md has %d fragments", len(list))
	}
	return list
}

// fragment is the one that has a text in it.
func fragment(t testing.TB, with string) string {
	t.Helper()
	for _, f := range fragments(t) {
		if strings.Contains(f, with) {
			return f
		}
	}
	t.Fatalf("docs/bindings.md has no fragment with %q", with)
	return ""
}

// profileOf writes a profile of fragments into a directory: what they have under
// one key is put together. It has one signal and one lamp that goes nowhere.
func profileOf(t testing.TB, dir string, parts ...string) string {
	t.Helper()
	keys := []string{"actuators", "actions", "events", "clock"}
	under := map[string]string{
		"actuators": "  Private.Lamp: {type: boolean, min_interval: 0s, max_lease: 1h, states: [moving], manual_holdoff: 1m}\n",
		"actions":   "  mark: {params: {}, states: [moving], min_interval: 0s}\n",
	}
	states := "states: {parked: {signal: Vehicle.Speed, above: 250, unit: km/h}, idling: {signal: Vehicle.Speed, above: 260, unit: km/h}}\n"
	for _, p := range parts {
		key := ""
		for line := range strings.Lines(p) {
			if name, value, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "#") {
				key, line = name, strings.TrimLeft(value, " \n")
				if line != "" {
					line = " " + line
				}
			}
			under[key] += line
		}
	}
	text := "schema: 1\nid: small\nversion: 1\nbuses:\n  pt: {dbc: [car.dbc], interface: can0}\nsignals:\n  Vehicle.Speed: {from: pt.M.S, unit: km/h, stale_after: never}\n" + states
	for _, key := range keys {
		if strings.HasPrefix(under[key], " {") {
			text += key + ":" + under[key]
		} else if under[key] != "" {
			text += key + ":\n" + under[key]
		}
	}
	path := filepath.Join(dir, "vehicle.yaml")
	for name, content := range map[string]string{path: text, filepath.Join(dir, "car.dbc"): driverDBC} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestReadyMadeBindings loads every fragment of docs/bindings.md, and all that go
// together.
func TestReadyMadeBindings(t *testing.T) {
	var all []string
	for i, f := range fragments(t) {
		v, err := scenes.LoadVehicle(profileOf(t, t.TempDir(), f))
		if err != nil {
			t.Errorf("fragment %d: %v\n%s", i, err, f)
			continue
		}
		if len(v.Events)+len(v.Actuators)+len(v.Actions)+len(v.TrustedBy) < 3 {
			t.Errorf("fragment %d adds nothing:\n%s", i, f)
		}
		if !strings.Contains(f, "place:") || strings.Contains(f, "geoclue") {
			all = append(all, f)
		}
	}
	v, err := scenes.LoadVehicle(profileOf(t, t.TempDir(), all...))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Events) != 6 || len(v.Actuators) != 2 || len(v.Actions) != 4 || v.TrustedBy == "" {
		t.Errorf("%d events, %d actuators, %d actions, clock %q", len(v.Events), len(v.Actuators), len(v.Actions), v.TrustedBy)
	}
}

// markCard marks a trigger.
func markCard(id, trigger string) string {
	return fmt.Sprintf("schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: %s}\nwhen:\n  - %s\nthen:\n  - {do: mark}\n", id, id, trigger)
}

// heardBench is a live bench whose loop takes tasks.
func heardBench(t *testing.T, parts []string, cards map[string]string) *liveBench {
	t.Helper()
	dir := t.TempDir()
	c := &Config{Unsigned: true, Vehicle: profileOf(t, dir, parts...), State: t.TempDir()}
	for id, trigger := range cards {
		path := filepath.Join(dir, id+".yaml")
		if err := os.WriteFile(path, []byte(markCard(id, trigger)), 0o644); err != nil {
			t.Fatal(err)
		}
		c.Cards = append(c.Cards, path)
	}
	b := newLiveBenchOf(t, c)
	b.session, b.tasks, b.ended, b.wall, b.places.dir = 1, make(chan task), make(chan struct{}), &wallClock{}, c.State
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		for t := range b.tasks {
			_ = b.run(t) // the caller gets it too
		}
	}()
	t.Cleanup(func() {
		close(b.tasks)
		<-taken
	})
	if err := b.do(func() error { return b.places.use(b.prog.Vehicle.Events, 0) }); err != nil {
		t.Fatal(err)
	}
	return b
}

// fired counts how often a card has fired.
func (b *liveBench) fired(id string) int {
	n := 0
	_ = b.do(func() error {
		n = strings.Count(b.decisions.String(), fmt.Sprintf(`"card":"%s","what":"fired"`, id))
		return nil
	})
	return n
}

// TestWhatServicesTellIsJournaled: occurrences and the wall clock from services
// decide, and the journal's replay decides the same.
func TestWhatServicesTellIsJournaled(t *testing.T) {
	b := heardBench(t, []string{fragment(t, "org.bluez"), fragment(t, "Connectivity"), fragment(t, "trusted_by")},
		map[string]string{"near": "{phone: near}", "online": "{event: online}"})
	h := heard{b.agent}
	for _, c := range []struct {
		text   string
		now    bool
		near   int
		online int
	}{
		{"phone near", false, 0, 0}, {"phone near", true, 0, 0}, {"phone far", true, 0, 0}, {"phone near", true, 1, 0},
		{"event online", true, 1, 1}, {"event online", true, 1, 2},
	} {
		if err := h.Occurred(c.text, c.now); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if near, online := b.fired("near"), b.fired("online"); near != c.near || online != c.online {
			t.Errorf("after %s, now %v: fired %d and %d, want %d and %d", c.text, c.now, near, online, c.near, c.online)
		}
	}
	if err := h.Occurred("event welcome", true); !errors.Is(err, uibridge.ErrUnknownEvent) {
		t.Errorf("an occurrence of no profile: %v", err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []*time.Location{berlin, berlin, time.UTC, nil} {
		if err := h.Clocked(zone); err != nil {
			t.Error(err)
		}
	}
	if err := b.do(b.lookAtClock); err != nil {
		t.Error(err)
	}
	log := b.decisions.String()
	for what, want := range map[string]int{`"what":"clock","why":"trusted"`: 1, `"what":"clock","why":"zone"`: 1, `"what":"clock","why":"lost"`: 1, `"what":"clock"`: 3} {
		if n := strings.Count(log, what); n != want {
			t.Errorf("%d times %s, want %d:\n%s", n, what, want, log)
		}
	}
	b.replays(t)
}

// Where the driver lives, in numbers that are easy to find again.
const (
	homeLat, homeLon = 52.515625, 13.377197265625
	workLat, workLon = 48.857421875, 2.35205078125
)

// move puts the car somewhere.
func move(t *testing.T, h heard, lat, lon, accuracy float64) {
	t.Helper()
	fix, err := services.NewFix(lat, lon, accuracy)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Located(fix); err != nil {
		t.Error(err)
	}
}

// TestPlacesOfTheDriver: a place that is set is found, driving there enters it, and
// another user has others, also after a restart. No coordinate leaves the file.
func TestPlacesOfTheDriver(t *testing.T) {
	b := heardBench(t, []string{fragment(t, "geoclue: true")}, map[string]string{"home": "{place: {enter: home}}", "gone": "{place: {leave: home}}", "work": "{place: {enter: work}}"})
	h := heard{b.agent}
	want := func(when string, home, gone, work int) {
		t.Helper()
		if h, g, w := b.fired("home"), b.fired("gone"), b.fired("work"); h != home || g != gone || w != work {
			t.Errorf("%s: entered home %d times, left it %d, entered work %d; want %d, %d, %d", when, h, g, w, home, gone, work)
		}
	}
	set := func(name string, lat, lon, radius float64, fault error) {
		t.Helper()
		if err := b.SetPlace(uibridge.Place{Name: name, Lat: lat, Lon: lon, Radius: radius}); !errors.Is(err, fault) {
			t.Errorf("SetPlace %s: %v, want %v", name, err, fault)
		}
	}
	move(t, h, homeLat, homeLon, 8)
	set("home", homeLat, homeLon, 150, nil)
	want("home is said to be here", 0, 0, 0)
	set("work", workLat, workLon, 200, nil)
	set("club", workLat, workLon, 200, uibridge.ErrUnknownEvent)
	move(t, h, homeLat+0.001, homeLon, 60) // 111 m away: it may be either
	want("near the line", 0, 0, 0)
	move(t, h, homeLat+0.01, homeLon, 8)
	want("left home", 0, 1, 0)
	move(t, h, workLat, workLon, 8)
	want("came to work", 0, 1, 1)
	if err := b.SetUser(5); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Places(); err != nil || len(list) != 0 {
		t.Errorf("another user has %v, %v", list, err)
	}
	move(t, h, homeLat, homeLon, 8)
	want("another user at the first one's home", 0, 1, 1)
	if err := b.SetUser(0); err != nil {
		t.Fatal(err)
	}
	want("found at home", 0, 1, 1)
	if err := h.Located(nil); err != nil {
		t.Error(err)
	}
	move(t, h, homeLat+0.01, homeLon, 8)
	want("found elsewhere after a while without a position", 0, 1, 1)
	move(t, h, homeLat, homeLon, 8)
	want("came home", 1, 1, 1)
	if list, err := b.Places(); err != nil || len(list) != 2 || list[0] != (uibridge.Place{Name: "home", Lat: homeLat, Lon: homeLon, Radius: 150}) {
		t.Errorf("the places are %v, %v", list, err)
	}
	again := places{dir: b.places.dir}
	if err := again.use(b.prog.Vehicle.Events, 0); err != nil || len(again.list) != 2 {
		t.Errorf("after a restart: %v, %v", again.list, err)
	}
	if err := b.ForgetPlace("home"); err != nil {
		t.Error(err)
	}
	move(t, h, homeLat+0.01, homeLon, 8)
	want("left what is no place any more", 1, 1, 1)
	b.replays(t)
	noCoordinates(t, b)
}

// noCoordinates holds that neither the decision log nor the journal has where the
// driver lives, as text or as a float, and that the files are the agent's alone.
func noCoordinates(t *testing.T, b *liveBench) {
	t.Helper()
	for name, text := range map[string][]byte{"the decision log": b.decisions.Bytes(), "the journal": b.journal.Bytes()} {
		for _, x := range []float64{homeLat, homeLon, workLat, workLon} {
			bits := binary.BigEndian.AppendUint64(nil, math.Float64bits(x))
			if bytes.Contains(text, fmt.Append(nil, x)) || bytes.Contains(text, bits) {
				t.Errorf("%s has a coordinate", name)
			}
		}
	}
	files, err := os.ReadDir(b.places.dir)
	if err != nil || len(files) != 1 {
		t.Errorf("the directory has %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

// TestPlacesAreBounded: more than the profile's names, too many users, a damaged
// file and a missing directory are told.
func TestPlacesAreBounded(t *testing.T) {
	p := places{names: []string{"home", "work"}, was: map[string]bool{}}
	home := uibridge.Place{Name: "home", Lat: homeLat, Lon: homeLon, Radius: 100}
	if err := p.set(home); err == nil || !strings.Contains(err.Error(), "`state`") {
		t.Errorf("without a directory: %v", err)
	}
	p.dir = t.TempDir()
	for user := range maxPlaceFiles {
		if err := p.load(uint64(user)); err != nil {
			t.Fatal(err)
		}
		if err := p.set(home); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.load(maxPlaceFiles); err != nil {
		t.Fatal(err)
	}
	if err := p.set(home); !errors.Is(err, uibridge.ErrLimit) {
		t.Errorf("one user more: %v", err)
	}
	if err := os.WriteFile(p.file(3), []byte("- {name: home, lat: 5251.5, lon: 13.37, radius: 100}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.load(3); err == nil || strings.Contains(err.Error(), "5251.5") || len(p.list) != 0 {
		t.Errorf("a damaged file: %v, %v", p.list, err)
	}
	p.names = nil
	if err := p.set(home); !errors.Is(err, uibridge.ErrUnknownEvent) {
		t.Errorf("where places come from elsewhere: %v", err)
	}
	for i := range maxPlaces {
		p.names = append(p.names, fmt.Sprint("p", i))
	}
	p.names = append(p.names, "last")
	if err := p.load(2); err != nil {
		t.Fatal(err)
	}
	for i, name := range p.names {
		err := p.set(uibridge.Place{Name: name, Radius: 100})
		if full := i >= maxPlaces-1; errors.Is(err, uibridge.ErrLimit) != full {
			t.Errorf("place %d: %v", i, err)
		}
	}
}
