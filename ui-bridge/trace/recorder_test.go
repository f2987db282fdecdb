package trace

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

const (
	demo   = "demo" // id of the study
	driver = 7
)

var noon = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC) // ISO week 10

// at is a moment of the drive: seconds after noon, at a speed.
func at(seconds float64, kmh float64) Context {
	now := noon.Add(time.Duration(seconds * 1e9))
	return Context{SpeedKmh: kmh, SpeedKnown: true, Now: now, Wall: now, Parked: kmh == 0}
}

// weeks is a moment that many weeks after noon.
func weeks(n int) Context {
	c := at(0, 0)
	c.Now, c.Wall = c.Now.AddDate(0, 0, 7*n), c.Wall.AddDate(0, 0, 7*n)
	return c
}

func tap(screen, element string) Interaction { return Interaction{screen, element, "tap", "ok"} }

// study is the demo's, with changes to its text.
func study(t testing.TB, changes ...string) *scenes.Study {
	t.Helper()
	text, err := os.ReadFile("../../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenes.ParseStudy("demo.yaml", []byte(strings.NewReplacer(changes...).Replace(string(text))))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func options(t testing.TB) Options { return Options{Studies: []*scenes.Study{study(t)}} }

func open(t testing.TB, dir string, o Options) *Recorder {
	t.Helper()
	r, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func consented(t testing.TB, dir string, o Options) *Recorder {
	t.Helper()
	r := open(t, dir, o)
	r.SetUser(driver)
	if err := r.GiveConsent(demo, at(-60, 0)); err != nil {
		t.Fatal(err)
	}
	return r
}

func record(t testing.TB, r *Recorder, c Context, batch ...Interaction) {
	t.Helper()
	if n, err := r.Record(batch, c); err != nil || n != len(batch) {
		t.Fatalf("accepted %d of %d: %v", n, len(batch), err)
	}
}

// air is a whole attempt at the task air, as the dictionary has it.
func air(t testing.TB, r *Recorder, from float64) {
	t.Helper()
	record(t, r, at(from, 0), tap("home", "climate_tile"), Interaction{"climate", "fan", "turn", "ok"})
	record(t, r, at(from+3, 0), Interaction{"climate", "temperature", "swipe", "ok"})
	record(t, r, at(from+4.5, 0), Interaction{"climate", "back", "tap", "back"})
}

// files lists what is below dir, with its content.
func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	m := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		m[strings.TrimPrefix(path, dir+"/")], err = os.ReadFile(path)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return m
}

// episodes reads every segment of dir.
func episodes(t testing.TB, dir string) []Episode {
	t.Helper()
	var eps []Episode
	for name, b := range files(t, dir) {
		if !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		list, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		eps = append(eps, list...)
	}
	return eps
}

func TestNoConsentNoByte(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "traces")
	r := open(t, dir, options(t))
	r.SetUser(driver)
	for i := range 100 {
		n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(float64(i), 50))
		if n != 0 || err != nil {
			t.Fatalf("accepted %d, %v", n, err)
		}
	}
	if err := errors.Join(r.Tick(weeks(2)), r.WithdrawConsent(demo, at(0, 0)), r.Close()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 0 {
		t.Errorf("the disk has %v (%v), want nothing, not even a directory", entries, err)
	}
	if c := r.Counters(); c.Refused != 100 || c.Accepted != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestOnlyTheConsentingDriver holds that consent is a driver's own: a guest, an
// unknown driver and another one are not recorded, and a change of driver
// forgets the open attempt.
func TestOnlyTheConsentingDriver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	half := []Interaction{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}}
	record(t, r, at(0, 0), half...)
	for _, user := range []uint64{0, 8} {
		r.SetUser(user)
		if n, err := r.Record(half, at(1, 0)); n != 0 || err != nil || r.Recording() {
			t.Errorf("user %d: accepted %d, %v, recording %v", user, n, err, r.Recording())
		}
	}
	r.SetUser(driver)
	if !r.Recording() {
		t.Error("the driver who consented is not recorded after a change and back")
	}
	if err := r.Tick(at(60, 0)); err != nil {
		t.Fatal(err)
	}
	if c := r.Counters(); c.Dropped != 1 || c.Attempts != 0 || len(episodes(t, dir)) != 0 {
		t.Errorf("the open attempt outlived the change of driver: %+v", c)
	}
	r.SetUser(0)
	if err := r.GiveConsent(demo, at(0, 0)); !errors.Is(err, ErrNoDriver) {
		t.Errorf("a guest consents: %v", err)
	}
	if err := r.WithdrawConsent(demo, at(0, 0)); !errors.Is(err, ErrNoDriver) {
		t.Errorf("a guest withdraws: %v", err)
	}
}

// TestWhatOneDriverDidIsNotAnothers: a touch, a yes and a choice that came before
// another driver did, and are looked at after, do not count.
func TestWhatOneDriverDidIsNotAnothers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	r.SetUser(8)
	c := at(0, 0)
	if c.Turn = r.Turn(); c.Turn == 0 {
		t.Fatal("a turn without a number")
	}
	r.SetUser(driver)
	if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, c); n != 0 || err != nil || r.Counters().Refused != 1 {
		t.Errorf("a touch of the driver before: accepted %d, %v, %+v", n, err, r.Counters())
	}
	if err := r.GiveFeedback(demo, "anything", "good", c); !errors.Is(err, ErrOtherDriver) {
		t.Errorf("a choice of the driver before: %v", err)
	}
	r.SetUser(9)
	if err := r.GiveConsent(demo, c); !errors.Is(err, ErrOtherDriver) || len(r.ConsentHistory()) != 0 {
		t.Errorf("a yes of the driver before: %v, %d decisions", err, len(r.ConsentHistory()))
	}
	r.SetUser(8)
	if err := r.GiveConsent(demo, c); !errors.Is(err, ErrOtherDriver) {
		t.Errorf("a yes from before this driver was away: %v", err)
	}
	c.Turn = r.Turn()
	if err := r.GiveConsent(demo, c); err != nil {
		t.Error(err)
	}
	record(t, r, c, tap("home", "climate_tile"))
}

// TestConsentIsAskedAsTheContractSays holds when consent can be given.
func TestConsentIsAskedAsTheContractSays(t *testing.T) {
	other := study(t, "id: demo", "id: other")
	clockless := at(0, 0)
	clockless.Wall = time.Time{}
	for _, c := range []struct {
		name  string
		o     Options
		study string
		at    Context
		want  error
		text  string
	}{
		{"parked", options(t), demo, at(0, 0), nil, ""},
		{"moving", options(t), demo, at(0, 9), ErrNotParked, "not parked"},
		{"unknown study", options(t), "nosuch", at(0, 0), ErrUnknownStudy, `"nosuch"`},
		{"no clock", options(t), demo, clockless, ErrNotNow, "nobody vouches"},
		{"early", options(t), demo, weeks(-12), ErrNotNow, "not begun"},
		{"over", options(t), demo, weeks(5), ErrNotNow, "is over"},
		{"ten years on", options(t), demo, weeks(520), ErrNotNow, "is over"},
		{"revoked", Options{Studies: []*scenes.Study{study(t)}, Revoked: scenes.Revocations{Studies: map[string]int{demo: 1}}}, demo, at(0, 0), ErrNotNow, "called it back"},
		{"stopped", Options{Studies: []*scenes.Study{study(t)}, Stopped: errors.New("bad signature")}, demo, at(0, 0), ErrNotNow, "bad signature"},
		{"stopped without cards", Options{Stopped: errors.New("bad signature")}, demo, at(0, 0), ErrNotNow, "bad signature"},
		{"one of two", Options{Studies: []*scenes.Study{study(t), other}}, "other", at(0, 0), nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			r := open(t, filepath.Join(parent, "traces"), c.o)
			r.SetUser(driver)
			err := r.GiveConsent(c.study, c.at)
			if !errors.Is(err, c.want) || c.want != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v, want %v with %q", err, c.want, c.text)
			}
			if r.Recording() != (c.want == nil) {
				t.Errorf("recording %v", r.Recording())
			}
			if entries, _ := os.ReadDir(parent); c.want != nil && len(entries) != 0 {
				t.Errorf("a refused consent left %v", entries)
			}
		})
	}
	t.Run("one question at a time", func(t *testing.T) {
		r := consented(t, filepath.Join(t.TempDir(), "traces"), Options{Studies: []*scenes.Study{study(t), other}})
		if err := r.GiveConsent("other", at(0, 0)); !errors.Is(err, ErrNotNow) || !strings.Contains(err.Error(), "one question at a time") {
			t.Errorf("a second study: %v", err)
		}
	})
}

func TestConsentHoldsOverRestartsAndEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	long := Options{Studies: []*scenes.Study{study(t, "until: 2026-03-31", "until: 2026-12-31")}}
	r := consented(t, dir, long)
	if err := errors.Join(r.GiveConsent(demo, at(0, 0)), r.Close()); err != nil {
		t.Fatal(err)
	}
	r = open(t, dir, long)
	if err := r.Tick(at(0, 0)); err != nil || r.Recording() {
		t.Errorf("recorded before anybody said who drives, %v", err)
	}
	r.SetUser(driver)
	if !r.Recording() || r.Study() != demo {
		t.Error("the consent is forgotten")
	}
	for _, c := range []struct {
		at    Context
		state string
	}{{weeks(11), "on"}, {weeks(12), "expired"}, {weeks(-520), "early"}, {weeks(520), "over"}, {Context{Now: noon}, "no_clock"}, {weeks(1), "on"}} {
		if err := r.Tick(c.at); err != nil || r.Recording() != (c.state == "on") || r.Studies()[0].State != c.state {
			t.Errorf("%v: state %s, recording %v, %v; want %s", c.at.Wall, r.Studies()[0].State, r.Recording(), err, c.state)
		}
	}
	if err := r.WithdrawConsent(demo, at(0, 50)); err != nil {
		t.Fatal(err)
	}
	if h := r.ConsentHistory(); len(h) != 2 || !h[0].Given || h[1].Given || !h[0].Until.Equal(noon.Add(-time.Minute).AddDate(0, 0, 84)) {
		t.Errorf("history %+v", h)
	}
	again := open(t, dir, long)
	again.SetUser(driver)
	if err := again.Tick(at(0, 0)); err != nil || again.Recording() || again.Studies()[0].State != "off" {
		t.Errorf("the withdrawal is forgotten, %v", err)
	}
	again.SetUser(8)
	if h := again.ConsentHistory(); h != nil {
		t.Errorf("another driver sees %+v", h)
	}
}

// TestAnotherCardAsksAgain holds that a yes is to one text of a card, that no
// older version counts, and that what was recorded under the old text goes.
func TestAnotherCardAsksAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	two := study(t, "version: 1", "version: 2")
	r := consented(t, dir, Options{Studies: []*scenes.Study{two}})
	air(t, r, 0)
	if len(episodes(t, dir)) != 1 {
		t.Fatal("nothing was kept")
	}
	state := func(s *scenes.Study) string {
		r := open(t, dir, Options{Studies: []*scenes.Study{s}})
		r.SetUser(driver)
		if err := r.Tick(at(0, 0)); err != nil {
			t.Fatal(err)
		}
		if r.Recording() != (r.Studies()[0].State == "on") {
			t.Error("state and indicator differ")
		}
		return r.Studies()[0].State
	}
	if got := state(two); got != "on" || len(episodes(t, dir)) != 1 {
		t.Errorf("the same card: %s, %d episodes", got, len(episodes(t, dir)))
	}
	if got := state(study(t, "version: 1", "version: 2", "k: 50", "k: 49")); got != "changed" || len(episodes(t, dir)) != 0 {
		t.Errorf("another text: %s, %d episodes", got, len(episodes(t, dir)))
	}
	if got := state(study(t)); got != "older" {
		t.Errorf("an older version: %s", got)
	}
	if got := state(study(t, "version: 1", "version: 3")); got != "changed" {
		t.Errorf("a newer version: %s", got)
	}
}

// TestABadSignatureStopsTheRecorder holds that nothing is recorded and nothing
// leaves, though consent was given; and that it can still be taken back.
func TestABadSignatureStopsTheRecorder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	air(t, consented(t, dir, options(t)), 0)
	r := open(t, dir, Options{Stopped: errors.New("demo.yaml.minisig: changed")})
	r.SetUser(driver)
	if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(0, 0)); n != 0 || err != nil || r.Recording() {
		t.Errorf("accepted %d, %v", n, err)
	}
	if err := r.Tick(weeks(2)); err != nil || len(episodes(t, filepath.Join(dir, "outbox"))) != 0 {
		t.Errorf("something left, %v", err)
	}
	if err := r.Problem(); err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("problem %v", err)
	}
	if len(episodes(t, dir)) != 1 {
		t.Error("what waits was removed")
	}
	if err := r.WithdrawConsent(demo, weeks(2)); err != nil || len(episodes(t, dir)) != 0 {
		t.Errorf("withdrawn: %v, %d episodes left", err, len(episodes(t, dir)))
	}
}

// TestACalledBackStudyIsWiped holds that what waits of a study that was called
// back is removed, and that nothing of it is recorded any more.
func TestACalledBackStudyIsWiped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	air(t, consented(t, dir, options(t)), 0)
	o := options(t)
	o.Revoked = scenes.Revocations{Studies: map[string]int{demo: 1}}
	r := open(t, dir, o)
	r.SetUser(driver)
	if err := r.Tick(at(10, 0)); err != nil || r.Recording() || len(episodes(t, dir)) != 0 || r.Studies()[0].State != "revoked" {
		t.Errorf("recording %v, %d episodes, state %s, %v", r.Recording(), len(episodes(t, dir)), r.Studies()[0].State, err)
	}
}

// TestEpisodeCost holds what an episode of eight touches takes before padding: 12
// bytes a touch, with ids below 128.
func TestEpisodeCost(t *testing.T) {
	for _, n := range []int{0, 1, MaxEvents} {
		ep := eightTouches(n)
		b, err := appendRecord(nil, &ep)
		if err != nil || len(b) != 48+6*n || n == MaxEvents && len(b) > 12*n {
			t.Errorf("%d touches: %d bytes, %v; want 48, and 6 a touch", n, len(b), err)
		}
	}
}

// eightTouches is an episode of as many touches as there may be, or of fewer.
func eightTouches(n int) Episode {
	ep := Episode{V: SchemaVersion, Policy: 1, Week: 2610, TOD: TODMorning, Task: 1, Variant: 9}
	for range n {
		ep.Ev = append(ep.Ev, Event{Screen: 3, Elem: 11, Gesture: 2, DT: 1, Speed: 1, Out: 2})
	}
	return ep
}

func TestWithdrawalWipesAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	air(t, r, 0)
	r.SetUser(8)
	if err := r.GiveConsent(demo, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // the other driver's turn in the same week and another task
		record(t, r, at(20+float64(i), 0), tap("home", "navigation_tile"), Interaction{"navigation", "zoom", "swipe", "ok"}, Interaction{"navigation", "back", "tap", "back"})
	}
	if len(episodes(t, dir)) != 2 {
		t.Fatalf("%d episodes, want one of each driver", len(episodes(t, dir)))
	}
	r.SetUser(driver)
	record(t, r, at(100, 0), tap("home", "climate_tile"))
	if err := r.WithdrawConsent(demo, at(100, 50)); err != nil {
		t.Fatal(err)
	}
	left := episodes(t, dir)
	if len(left) != 1 || left[0].Task != 4 {
		t.Errorf("left after withdrawal: %+v", left)
	}
	if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(130, 0)); n != 0 || err != nil {
		t.Errorf("accepted %d after withdrawal, %v", n, err)
	}
	if err := errors.Join(r.Tick(at(200, 0)), r.Close()); err != nil || len(episodes(t, dir)) != 1 {
		t.Errorf("something was written after withdrawal: %v", err)
	}
}

func TestInterruptedWithdrawalIsFinishedAtOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	air(t, r, 0)
	before := files(t, dir)
	if err := r.WithdrawConsent(demo, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	for name, b := range before { // power lost after the decision and before the wipe
		if strings.HasSuffix(name, segmentSuffix) {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	open(t, dir, options(t))
	if left := episodes(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestHalfWrittenFilesGo: what a power loss has kept from its place is gone with the
// next start, and what stood there counts.
func TestHalfWrittenFilesGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	consented(t, dir, options(t))
	left := filepath.Join(dir, consentFile+newSuffix)
	if err := os.WriteFile(left, []byte("vignette-cons"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir, options(t))
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", left, err)
	}
	r.SetUser(driver)
	if err := r.Tick(at(20, 0)); err != nil || !r.Recording() {
		t.Errorf("the consent before it does not stand: %v, %v", err, r.Problem())
	}
}

// TestPowerLossNeverLosesADecision stops every write of a decision at every byte.
func TestPowerLossNeverLosesADecision(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	before := files(t, dir)[consentFile]
	if err := r.WithdrawConsent(demo, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	after := files(t, dir)[consentFile]
	o := options(t)
	recording := func() bool {
		r := open(t, dir, o)
		r.SetUser(driver)
		if err := r.Tick(at(20, 0)); err != nil {
			t.Fatal(err)
		}
		if err := r.Problem(); err != nil {
			t.Fatal(err)
		}
		return r.Recording()
	}
	for cut := range len(after) + 1 {
		err := errors.Join(os.WriteFile(filepath.Join(dir, consentFile), before, 0o600),
			os.WriteFile(filepath.Join(dir, consentFile+newSuffix), after[:cut], 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if !recording() {
			t.Fatalf("cut at %d: the earlier yes is lost", cut)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, consentFile), after, 0o600); err != nil {
		t.Fatal(err)
	}
	if recording() {
		t.Error("the withdrawal is lost")
	}
}

// TestDamagedConsentsCountAsNone flips every bit of the file of consents.
func TestDamagedConsentsCountAsNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	consented(t, dir, options(t))
	path := filepath.Join(dir, consentFile)
	good := files(t, dir)[consentFile]
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, ok := parseConsents(bad); ok {
				t.Fatalf("bit %d of byte %d is wrong and nobody saw it", bit, i)
			}
		}
	}
	if err := os.WriteFile(path, good[:len(good)-2], 0o600); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir, options(t))
	r.SetUser(driver)
	if err := r.Tick(at(0, 0)); err != nil || r.Recording() || r.Problem() == nil {
		t.Errorf("recording %v, problem %v, %v", r.Recording(), r.Problem(), err)
	}
	if err := r.GiveConsent(demo, at(0, 0)); err != nil || !r.Recording() || r.Problem() != nil {
		t.Errorf("a new decision: %v, recording %v, problem %v", err, r.Recording(), r.Problem())
	}
	if _, kept := files(t, dir)[consentFile+".damaged"]; !kept {
		t.Error("the damaged file is not kept aside")
	}
}

func TestDecisionsAreBounded(t *testing.T) {
	c := consents{dir: filepath.Join(t.TempDir(), "traces")}
	for i := range maxDecisions {
		c.list = append(c.list, Decision{Study: "a", Version: 1 + i, User: uint64(i % 2), Given: true, SHA256: "x"})
	}
	if err := c.add(Decision{Study: "b", Version: 1, User: 1, SHA256: "x"}, false); err != nil {
		t.Fatal(err)
	}
	if len(c.list) != maxDecisions || c.list[0].Version != 2 || c.newest("a") != maxDecisions {
		t.Errorf("%d decisions, the first %+v", len(c.list), c.list[0])
	}
	for i := range c.list {
		c.list[i].User = uint64(i)
	}
	if err := c.add(Decision{Study: "b", User: 5000}, false); err == nil || !strings.Contains(err.Error(), "1024 decisions are kept already") {
		t.Errorf("got %v", err)
	}
}

// TestUnregisteredBecomesOther tells the recorder of what no card names, and of
// what has expired.
func TestUnregisteredBecomesOther(t *testing.T) {
	p := newPolicy(study(t, "name: fan, owner: HMI team, purpose: layout of the home screen, sensitivity: ordinary, expires: 2026-12-31",
		"name: fan, owner: HMI team, purpose: layout of the home screen, sensitivity: ordinary, expires: 2026-03-04"), Car{})
	for _, c := range []struct {
		screen, element string
		want            place
	}{
		{"climate", "temperature", place{3, 10}}, {"climate", "nosuch", place{3, other}}, {"climate", "volume", place{3, other}},
		{"nosuch", "fan", place{other, other}}, {"", "", place{other, other}}, {"other", "other", place{other, other}},
		{"climate", "fan", place{3, other}}, // expired that day
	} {
		if got, _ := p.place(c.screen, c.element, noon); got != c.want {
			t.Errorf("%s/%s is %v, want %v", c.screen, c.element, got, c.want)
		}
	}
	if at, _ := p.place("climate", "fan", noon.AddDate(0, 0, -1)); at != (place{3, 11}) {
		t.Errorf("before its expiry it is %v", at)
	}
	for _, word := range []string{"", "other", "wave", "13800138000"} {
		if code(scenes.Gestures, word) != other || code(scenes.Outcomes, word) != other {
			t.Errorf("%q has a code", word)
		}
	}
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	record(t, r, at(0, 0), tap("home", "climate_tile"), tap("climate", "sos_call"), tap("secret", "thing"))
	if c := r.Counters(); c.Other != 2 || r.attempt.ep.Ev[1] != (Event{3, other, 2, DTUnder0s5, SpeedParked, 2}) || r.attempt.ep.Ev[2].Screen != other {
		t.Errorf("counters %+v, events %v", c, r.attempt.ep.Ev)
	}
}

var canaries = []string{"13800138000", "LSVAA4182E2100001", "Zhang Wei", "31.2304N", "Nocturne Op9"}

// TestNoCanaryReachesTheDisk pushes texts through every field.
func TestNoCanaryReachesTheDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	for i, c := range canaries {
		s := 100 * float64(i)
		record(t, r, at(s, 50), tap("home", "climate_tile"), Interaction{"climate", "fan", "turn", "ok"},
			Interaction{c, "fan", "tap", "ok"}, Interaction{"climate", c, "tap", "ok"}, Interaction{"climate", "fan", c, "ok"}, Interaction{"climate", "fan", "tap", c})
		if err := r.Tick(at(s+60, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Tick(weeks(2)); err != nil {
		t.Fatal(err)
	}
	kept := files(t, dir)
	var shown bytes.Buffer
	if n, err := Show(&shown, dir, ShowOptions{Hex: true, Study: study(t)}); err != nil || n == 0 {
		t.Fatalf("%d episodes, %v", n, err)
	}
	kept["the output of Show"] = shown.Bytes()
	for name, b := range kept {
		for _, c := range canaries {
			if bytes.Contains(b, []byte(c)) || strings.Contains(name, c) {
				t.Errorf("%s has the canary %q", name, c)
			}
		}
	}
}

func TestUnusableDirectories(t *testing.T) {
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{"", "no directory given"},
		{file, "is a file; name a directory"},
		{filepath.Join(file, "x"), "not a directory"},
		{filepath.Join(parent, "no", "traces"), "does not exist; create it first"},
	} {
		if _, err := Open(c.dir, options(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q): %v, want %q", c.dir, err, c.want)
		}
	}
}

// TestADiskThatFailsIsToldAndCounted takes the directory away: what cannot be
// written is lost and counted, and a withdrawal that cannot be made durable ends
// recording all the same.
func TestADiskThatFailsIsToldAndCounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	record(t, r, at(0, 0), tap("home", "navigation_tile"), Interaction{"navigation", "zoom", "swipe", "ok"})
	if _, err := r.Record([]Interaction{tap("home", "media_tile")}, at(1, 0)); err == nil || r.Counters().Lost != 1 {
		t.Errorf("error %v, counters %+v", err, r.Counters())
	}
	if err := r.WithdrawConsent(demo, at(2, 0)); err == nil || r.Recording() {
		t.Errorf("withdrawn: %v, recording %v", err, r.Recording())
	}
}

func TestClosedAndTimeless(t *testing.T) {
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	if _, err := r.Record([]Interaction{tap("climate", "fan")}, Context{}); !errors.Is(err, ErrNoTime) {
		t.Errorf("without a time: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Record(nil, at(0, 0))
	for i, err := range []error{err, r.GiveConsent(demo, at(0, 0)), r.WithdrawConsent(demo, at(0, 0)), r.Tick(at(0, 0)), r.DeleteTrace("x")} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	r := consented(b, filepath.Join(b.TempDir(), "traces"), options(b))
	batch := []Interaction{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}, {"climate", "temperature", "swipe", "ok"}, {"climate", "back", "tap", "back"}}
	b.ReportAllocs()
	s := 0.0
	for b.Loop() {
		s++
		if _, err := r.Record(batch, at(s, 30)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(batch)*b.N)/b.Elapsed().Seconds(), "events/s")
	if c := r.Counters(); c.Lost != 0 || c.Accepted != uint64(len(batch)*b.N) {
		b.Fatalf("counters %+v", c)
	}
}

// BenchmarkRecordEpisode is attempts of eight touches, each of which is written to
// the disk, and what one takes there before padding.
func BenchmarkRecordEpisode(b *testing.B) {
	r := consented(b, filepath.Join(b.TempDir(), "traces"), Options{Studies: []*scenes.Study{panel(b)}})
	turn := Interaction{"climate", "fan", "turn", "ok"}
	batch := []Interaction{tap("home", "climate_tile"), turn, turn, turn, turn, turn, turn, {"climate", "back", "tap", "back"}}
	ep := eightTouches(MaxEvents)
	record, err := appendRecord(nil, &ep)
	if err != nil {
		b.Fatal(err)
	}
	s := 0.0
	for b.Loop() {
		s++
		if _, err := r.Record(batch, at(s, 30)); err != nil {
			b.Fatal(err)
		}
		if len(r.spools[0].list) >= maxPanel {
			b.StopTimer()
			if err := r.spools[0].remove(func(*entry) bool { return true }); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(len(batch)*b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(record))/MaxEvents, "disk-B/event")
}
