package trace

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"vignette/scenes"
)

// reload takes other options, which must succeed.
func reload(t testing.TB, r *Recorder, o Options) {
	t.Helper()
	if err := r.Reload(o); err != nil {
		t.Fatal(err)
	}
}

// TestReloadGoesOn holds that the open attempt, the recording and what waits of a
// study survive whatever happens to other cards.
func TestReloadGoesOn(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, options(t))
	air(t, r, 0)
	kept := files(t, dir)
	record(t, r, at(60, 0), tap("home", "climate_tile"), Interaction{"climate", "fan", "turn", "ok"})
	for _, others := range [][]*scenes.Study{{study(t, "id: demo", "id: a")}, {study(t, "id: demo", "id: a", "k: 50", "k: 60"), study(t, "id: demo", "id: z")}, nil} {
		o := Options{Studies: append(slices.Clone(others), study(t))}
		slices.SortFunc(o.Studies, func(a, b *scenes.Study) int { return strings.Compare(a.ID, b.ID) })
		reload(t, r, o)
		if !r.Recording() || r.Study() != demo {
			t.Fatalf("recording %v of %s", r.Recording(), r.Study())
		}
	}
	if now := files(t, dir); fmt.Sprint(now) != fmt.Sprint(kept) {
		t.Errorf("files %v, were %v", now, kept)
	}
	record(t, r, at(63, 0), Interaction{"climate", "temperature", "swipe", "ok"})
	record(t, r, at(64.5, 0), Interaction{"climate", "back", "tap", "back"})
	if c := r.Counters(); c.Attempts != 2 || c.Dropped != 0 || c.Gated+c.Cut != 0 {
		t.Errorf("counters %+v", c)
	}
}

// TestReloadOfAnotherText holds that another text of the same study ends the
// recording, removes what waits, and asks again.
func TestReloadOfAnotherText(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, options(t))
	air(t, r, 0)
	record(t, r, at(60, 0), tap("home", "climate_tile"))
	if len(r.Traces()) != 1 {
		t.Fatal("nothing waits")
	}
	changed := Options{Studies: []*scenes.Study{study(t, "version: 1", "version: 2")}}
	reload(t, r, changed)
	if r.Recording() || r.Studies()[0].State != "changed" || len(r.Traces()) != 0 || len(episodes(t, dir)) != 0 || r.Counters().Dropped != 1 {
		t.Errorf("recording %v, state %s, %d traces, counters %+v", r.Recording(), r.Studies()[0].State, len(r.Traces()), r.Counters())
	}
	if err := r.GiveConsent(demo, at(70, 0)); err != nil || !r.Recording() {
		t.Fatal(err)
	}
	air(t, r, 80)
	reload(t, r, options(t)) // the older one
	if r.Recording() || r.Studies()[0].State != "older" || len(episodes(t, dir)) != 0 {
		t.Errorf("an older card: recording %v, state %s", r.Recording(), r.Studies()[0].State)
	}
	reload(t, r, changed)
	if !r.Recording() {
		t.Error("the consent of the newer card is lost")
	}
	reload(t, r, Options{})
	if r.Recording() || len(episodes(t, dir)) != 0 || len(r.Studies()) != 0 {
		t.Error("a study that is gone goes on")
	}
}

// TestReloadStops holds that a refused card stops recording and release at once
// while what waits stays, can be seen and taken back, and goes on when it is mended.
func TestReloadStops(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, options(t))
	air(t, r, 0)
	record(t, r, at(60, 0), tap("home", "climate_tile"))
	bad := errors.New("demo.yaml.minisig: the signature does not fit")
	reload(t, r, Options{Stopped: bad})
	if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(61, 0)); n != 0 || err != nil || r.Recording() || r.Problem() != bad {
		t.Errorf("%d recorded, recording %v, problem %v, %v", n, r.Recording(), r.Problem(), err)
	}
	if err := r.Tick(weeks(2)); err != nil || r.Counters().Released != 0 || len(r.Traces()) != 1 || r.Studies()[0].State != "stopped" {
		t.Errorf("released %d, %d traces, state %s, %v", r.Counters().Released, len(r.Traces()), r.Studies()[0].State, err)
	}
	if err := r.GiveConsent(demo, at(62, 0)); !errors.Is(err, ErrNotNow) {
		t.Errorf("consent while stopped: %v", err)
	}
	reload(t, r, options(t))
	if err := r.Tick(at(63, 0)); err != nil || !r.Recording() || r.Problem() != nil || len(r.Traces()) != 1 || r.Counters().Dropped != 1 {
		t.Errorf("mended: recording %v, problem %v, %d traces, %v", r.Recording(), r.Problem(), len(r.Traces()), err)
	}
	reload(t, r, Options{Stopped: bad})
	if err := r.WithdrawConsent(demo, at(64, 0)); err != nil || len(r.Traces()) != 0 || len(episodes(t, dir)) != 0 {
		t.Errorf("withdrawn while stopped: %d traces, %v", len(r.Traces()), err)
	}
	reload(t, r, options(t))
	if r.Recording() {
		t.Error("a withdrawal is forgotten")
	}
}

// TestReloadAfterABadStart holds that what is mended after a start that was
// stopped finds what waits, and the consents.
func TestReloadAfterABadStart(t *testing.T) {
	dir := t.TempDir()
	first := consented(t, dir, options(t))
	air(t, first, 0)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir, Options{Stopped: errors.New("bad signature")})
	r.SetUser(driver)
	reload(t, r, options(t))
	if err := r.Tick(at(60, 0)); err != nil || !r.Recording() || len(r.Traces()) != 1 {
		t.Errorf("recording %v, %d traces, %v", r.Recording(), len(r.Traces()), err)
	}
	reload(t, r, Options{Studies: options(t).Studies, Revoked: scenes.Revocations{Studies: map[string]int{demo: 1}}})
	if r.Recording() || len(episodes(t, dir)) != 0 || r.Studies()[0].State != "revoked" {
		t.Errorf("called back: recording %v, %d episodes", r.Recording(), len(episodes(t, dir)))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(options(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestReloadOnABadDisk holds that a spool which cannot be read is told, that the
// others go on, and that nothing leaves of it before it can.
func TestReloadOnABadDisk(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, options(t))
	air(t, r, 0)
	two := Options{Studies: []*scenes.Study{study(t, "id: demo", "id: a"), study(t)}}
	if err := os.WriteFile(filepath.Join(dir, spoolTops[0], "a"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(two); err == nil || !r.Recording() || r.Problem() == nil || len(r.Traces()) != 1 || r.spools[0].closed != math.MaxUint16 {
		t.Errorf("recording %v, problem %v, %d traces, weeks closed up to %d, %v", r.Recording(), r.Problem(), len(r.Traces()), r.spools[0].closed, err)
	}
	if err := os.Remove(filepath.Join(dir, spoolTops[0], "a")); err != nil {
		t.Fatal(err)
	}
	if err := r.Tick(at(60, 0)); err != nil || !r.Recording() || r.Problem() != nil {
		t.Errorf("mended: recording %v, problem %v, %v", r.Recording(), r.Problem(), err)
	}
}

// TestTheNewestYesGoesOn holds that there is one question at a time although a
// study comes back that the driver had agreed to before.
func TestTheNewestYesGoesOn(t *testing.T) {
	older, newer := study(t, "id: demo", "id: a"), study(t)
	r := open(t, t.TempDir(), Options{Studies: []*scenes.Study{older}})
	r.SetUser(driver)
	if err := r.GiveConsent("a", at(0, 0)); err != nil {
		t.Fatal(err)
	}
	reload(t, r, Options{Studies: []*scenes.Study{newer}})
	if err := r.GiveConsent(demo, at(1, 0)); err != nil {
		t.Fatal(err)
	}
	record(t, r, at(2, 0), tap("home", "climate_tile"))
	reload(t, r, Options{Studies: []*scenes.Study{older, newer}})
	if o := r.Studies(); r.Study() != demo || o[0].State != "busy" || o[1].State != "on" || r.Counters().Dropped != 0 {
		t.Errorf("study %s, %+v", r.Study(), o)
	}
	if err := r.WithdrawConsent(demo, at(3, 0)); err != nil || r.Study() != "a" || !r.Recording() {
		t.Errorf("study %s, %v", r.Study(), err)
	}
}

// TestReloadsChangeNothingOfOthers drives two recorders alike, one of which has
// cards of other studies come, change and go at random moments: what becomes of
// the driver's attempts is the same.
func TestReloadsChangeNothingOfOthers(t *testing.T) {
	touches := []Interaction{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}, {"climate", "temperature", "swipe", "ok"},
		{"climate", "back", "tap", "back"}, tap("home", "nowhere"), tap("home", "navigation_tile"), {"navigation", "zoom", "swipe", "ok"}}
	var pool []*scenes.Study
	for _, id := range []string{"a", "b", "y", "z"} {
		pool = append(pool, study(t, "id: demo", "id: "+id), study(t, "id: demo", "id: "+id, "version: 1", "version: 2"))
	}
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		mine := study(t)
		plain, churned := consented(t, t.TempDir(), options(t)), consented(t, t.TempDir(), options(t))
		now := 0.0
		for range 200 {
			now += []float64{0.2, 1, 4, 31}[rnd.IntN(4)]
			in, c := touches[rnd.IntN(len(touches))], at(now, float64(rnd.IntN(2)*20))
			n, err := plain.Record([]Interaction{in}, c)
			m, err2 := churned.Record([]Interaction{in}, c)
			if n != m || err != nil || err2 != nil {
				t.Fatalf("seed %d: %d and %d recorded, %v, %v", seed, n, m, err, err2)
			}
			if rnd.IntN(5) > 0 {
				continue
			}
			o := Options{Studies: []*scenes.Study{mine}}
			for i := 0; i < len(pool); i += 2 {
				if k := rnd.IntN(3); k < 2 {
					o.Studies = append(o.Studies, pool[i+k])
				}
			}
			slices.SortFunc(o.Studies, func(a, b *scenes.Study) int { return strings.Compare(a.ID, b.ID) })
			reload(t, churned, o)
		}
		a, b := plain.Counters(), churned.Counters()
		a.Episodes, a.NotSampled, b.Episodes, b.NotSampled = a.Episodes+a.NotSampled, 0, b.Episodes+b.NotSampled, 0 // chance
		if a != b || a.Attempts == 0 {
			t.Fatalf("seed %d: %+v\nwith reloads %+v", seed, a, b)
		}
	}
}

// TestReloadKeepsTheRules reloads all kinds of cards at random between what
// drivers do: nothing waits without a standing consent to exactly a card that is
// in the car, and nothing is recorded but of such a study.
func TestReloadKeepsTheRules(t *testing.T) {
	v1, v2, other := study(t), study(t, "version: 1", "version: 2"), study(t, "id: demo", "id: other")
	panel := study(t, "mode: fleet", "mode: panel", "version: 1", "version: 3", demoDictionary(t), "")
	sets := []Options{{}, {Studies: []*scenes.Study{v1}}, {Studies: []*scenes.Study{v2, other}}, {Studies: []*scenes.Study{v1, other}}, {Studies: []*scenes.Study{panel}},
		{Stopped: errors.New("bad signature")}, {Studies: []*scenes.Study{v2}, Revoked: scenes.Revocations{Studies: map[string]int{demo: 2}}}}
	for seed := range uint64(12) {
		rnd := rand.New(rand.NewPCG(seed, 60))
		dir := t.TempDir()
		r := open(t, dir, sets[1])
		set, now := sets[1], 0.0
		for step := range 60 {
			now += 40
			r.SetUser(uint64(rnd.IntN(3)))
			id := []string{demo, "other"}[rnd.IntN(2)]
			switch rnd.IntN(4) {
			case 0:
				if err := r.GiveConsent(id, at(now, 0)); err != nil && !errors.Is(err, ErrNoDriver) && !errors.Is(err, ErrNotNow) && !errors.Is(err, ErrUnknownStudy) {
					t.Fatal(err)
				}
			case 1:
				if err := r.WithdrawConsent(id, at(now, 0)); err != nil && !errors.Is(err, ErrNoDriver) && !errors.Is(err, ErrNotNow) && !errors.Is(err, ErrUnknownStudy) {
					t.Fatal(err)
				}
			case 2:
				o := sets[rnd.IntN(len(sets))]
				reload(t, r, o)
				if o.Stopped == nil {
					set = o
				}
			default:
				if r.Recording() {
					air(t, r, now)
				}
			}
			checkRules(t, r, &set, fmt.Sprintf("seed %d, step %d", seed, step))
		}
	}
}

// demoDictionary is the dictionary of the demo's study as text, which a panel does
// not have.
func demoDictionary(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, dictionary, ok := strings.Cut(string(text), "\ndictionary:")
	if !ok {
		t.Fatal("the demo's study has no dictionary")
	}
	return "\ndictionary:" + dictionary
}

// checkRules holds the rules for what waits, on the disk and in memory, and for
// what is recorded; set is what was taken last.
func checkRules(t *testing.T, r *Recorder, set *Options, where string) {
	t.Helper()
	waits := map[string]bool{}
	for _, top := range spoolTops {
		paths, err := filepath.Glob(filepath.Join(r.dir, top, "*", "*"+segmentSuffix))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			e, ok := parseEntry(filepath.Base(path))
			i := slices.IndexFunc(set.Studies, func(s *scenes.Study) bool { return s.ID == filepath.Base(filepath.Dir(path)) })
			if !ok || i < 0 || set.Revoked.Has(set.Studies[i]) || (top == spoolTops[1]) != set.Studies[i].Panel || !r.consents.stands(set.Studies[i], e.user) {
				t.Fatalf("%s: %s waits without a consent that stands", where, path)
			}
			waits[path] = true
		}
	}
	for _, s := range r.spools {
		for i := range s.list {
			path := filepath.Join(s.dir, s.list[i].name())
			if !waits[path] {
				t.Fatalf("%s: %s is not on the disk", where, path)
			}
			delete(waits, path)
		}
	}
	if len(waits) > 0 {
		t.Fatalf("%s: nobody knows of %v", where, waits)
	}
	if r.Recording() && (r.stopped != nil || !r.consents.stands(r.policies[r.active].study, r.user)) {
		t.Fatalf("%s: recording without a consent that stands", where)
	}
}

// TestReloadAmongCalls reloads while others record, consent, withdraw and look: it
// is for the race detector, and the rules hold at the end.
func TestReloadAmongCalls(t *testing.T) {
	one, two := options(t), Options{Studies: []*scenes.Study{study(t, "id: demo", "id: a"), study(t, "version: 1", "version: 2")}}
	r := consented(t, t.TempDir(), one)
	var wg sync.WaitGroup
	for _, call := range []func(i int) error{
		func(i int) error { return r.Reload([]Options{one, two, {Stopped: errors.New("bad signature")}}[i%3]) },
		func(i int) error {
			_, err := r.Record([]Interaction{tap("home", "climate_tile"), {"climate", "back", "tap", "back"}}, at(float64(i), 0))
			return err
		},
		func(i int) error { return r.Tick(at(float64(i), 0)) },
		func(i int) error {
			if err := r.GiveConsent(demo, at(float64(i), 0)); err != nil && !errors.Is(err, ErrNotNow) {
				return err
			}
			return nil
		},
		func(int) error {
			r.Status()
			r.Traces()
			r.Studies()
			return nil
		},
	} {
		wg.Go(func() {
			for i := range 60 {
				if err := call(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	reload(t, r, two)
	checkRules(t, r, &two, "at the end")
}
