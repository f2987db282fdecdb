package audit

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes/sign"
	"vignette/ui-bridge/trace"
)

// habit gives each car a way of its own, by what is known of all studies alike.
func habit(_ *rand.Rand, ep *trace.Episode, car, _, _ int) {
	ep.M[0], ep.M[1], ep.TOD, ep.Variant = uint8(1+car%10), uint8(1+car/10), 1, 29
	ep.Ev = append(ep.Ev[:0], sequences[29]...)
}

// other is a study with the same screens, whose numbers are others.
var other = strings.NewReplacer("id: demo\n", "id: other\n", "id: 2, name: climate_tile", "id: 9, name: climate_tile")

// otherHabit is habit by the other study's numbers.
func otherHabit(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
	habit(rng, ep, car, week, n)
	ep.Ev[0].Elem = 9
}

// acrossFigures are those of two planted datasets.
func acrossFigures(t *testing.T, a, b planted) []Figure {
	t.Helper()
	list, err := Load([]string{a.write(t), b.write(t)}, "", nil)
	must(t, err)
	if len(list) != 2 {
		t.Fatalf("%d datasets", len(list))
	}
	figures, err := runAcross(list, options)
	must(t, err)
	for _, f := range figures {
		t.Logf("%s: %s", f.Name, show(f))
	}
	return figures
}

// TestAcross: habits are found again in another study, by names and not numbers;
// what is random is linked as often as by lot; ids that come again are counted.
func TestAcross(t *testing.T) {
	random := acrossFigures(t, planted{cars: 100, weeks: 8}, planted{cars: 100, weeks: 8, study: other, seed: 7})
	want(t, random[0], Pass, 0, 0)
	want(t, random[1], Pass, 0.007, 0.013)
	want(t, acrossFigures(t, planted{cars: 100, weeks: 2, change: habit}, planted{cars: 100, weeks: 2, study: other, change: otherHabit, seed: 7})[1], Fail, 0.9, 1)
	fixed := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { ep.EID = trace.EpisodeID{1, byte(car)} }
	persistent := acrossFigures(t, planted{cars: 100, weeks: 2, change: fixed}, planted{cars: 100, weeks: 2, study: other, change: fixed, seed: 7})
	want(t, persistent[0], Fail, 100, 100)
	want(t, persistent[1], Fail, 1, 1)
	untold := acrossFigures(t, planted{cars: 20, weeks: 2}, planted{cars: 20, weeks: 2, study: other, noTruth: true, seed: 7})
	if untold[1].Verdict != NotRun {
		t.Errorf("without truth: %s", show(untold[1]))
	}
}

// TestSameStudy: directories of one study are one dataset, whose weeks are linked
// and whose episodes count once.
func TestSameStudy(t *testing.T) {
	first, second := planted{cars: 100, weeks: 1, change: habit}.write(t), planted{cars: 100, weeks: 1, first: 1, change: habit, seed: 7}.write(t)
	list, err := Load([]string{first, second, first}, "", nil)
	must(t, err)
	if len(list) != 1 || len(list[0].Dirs) != 3 || len(list[0].Weeks) != 2 || len(list[0].Episodes) != 200 || list[0].Repeated != 100 || list[0].Cars != 100 {
		t.Fatalf("%d datasets, %+v", len(list), audited(list[0]))
	}
	want(t, figures(t, linking, list[0], options)[1], Fail, 0.9, 1)
	if one := figures(t, linking, loadOne(t, first), options)[1]; one.Verdict != NotRun {
		t.Errorf("a week by itself: %s", show(one))
	}
	must(t, os.Remove(filepath.Join(second, truthFile)))
	if _, err := Load([]string{first, second}, "", nil); err == nil || !strings.Contains(err.Error(), "has no truth.jsonl, and others of its study have") {
		t.Errorf("a truth is missing: %v", err)
	}
	if _, err := Load([]string{first, second}, filepath.Join(first, truthFile), nil); err == nil || !strings.Contains(err.Error(), "is the truth of one directory") {
		t.Errorf("one truth for two: %v", err)
	}
}

// TestFleetsOfOtherSeeds: their cars are not the same, whatever their numbers.
func TestFleetsOfOtherSeeds(t *testing.T) {
	first, second := planted{cars: 20, weeks: 1}.write(t), planted{cars: 20, weeks: 1, first: 1, seed: 7}.write(t)
	must(t, os.WriteFile(filepath.Join(first, fleetFile), []byte(`{"cars":20,"weeks":1,"seed":1}`), 0o644))
	must(t, os.WriteFile(filepath.Join(second, fleetFile), []byte(`{"cars":20,"weeks":1,"seed":2}`), 0o644))
	list, err := Load([]string{first, second}, "", nil)
	must(t, err)
	if list[0].Cars != 40 {
		t.Errorf("%d cars", list[0].Cars)
	}
}

// TestCardsSignature: it is checked with a key, and said so; one that does not fit
// is not audited.
func TestCardsSignature(t *testing.T) {
	dir := planted{cars: 5, weeks: 1}.write(t)
	card := filepath.Join(dir, studyFile)
	key, err := sign.GenerateKey(nil)
	must(t, err)
	stranger, err := sign.GenerateKey(nil)
	must(t, err)
	keys := []sign.PublicKey{key.Public()}
	state := func(keys []sign.PublicKey) Directory {
		t.Helper()
		list, err := Load([]string{dir}, "", keys)
		must(t, err)
		return list[0].Dirs[0]
	}
	if d := state(keys); d.Signature != Unsigned || signedText(d) != "unsigned" {
		t.Errorf("no signature: %+v", d)
	}
	text, err := os.ReadFile(card)
	must(t, err)
	sig, err := key.Sign(text, "study")
	must(t, err)
	must(t, os.WriteFile(card+".minisig", sig, 0o644))
	if d := state(nil); d.Signature != NotChecked || !strings.Contains(signedText(d), "was not checked") {
		t.Errorf("no key: %+v", d)
	}
	if d := state(keys); d.Signature != Checked || d.SignedBy != key.ID.String() {
		t.Errorf("its key: %+v", d)
	}
	if _, err := Load([]string{dir}, "", []sign.PublicKey{stranger.Public()}); err == nil {
		t.Error("another's key fits")
	}
	must(t, os.WriteFile(card, append(text, '\n'), 0o644))
	if _, err := Load([]string{dir}, "", keys); err == nil {
		t.Error("a changed card fits")
	}
}

// TestCertificateOfSeveral: it names all, and is of no others.
func TestCertificateOfSeveral(t *testing.T) {
	dirs := []string{planted{cars: 20, weeks: 2}.write(t), planted{cars: 20, weeks: 2, study: other, seed: 7}.write(t)}
	list, err := Load(dirs, "", nil)
	must(t, err)
	c, err := Run(list, Options{Seed: 1, Queries: 60, Canaries: DefaultCanaries}, noon)
	must(t, err)
	text, err := c.JSON()
	must(t, err)
	again, err := ParseCertificate(text)
	must(t, err)
	if len(again.Datasets) != 2 || len(again.Across) != 1 || again.Studies() != "studies demo, version 1; other, version 1" {
		t.Errorf("%+v", again)
	}
	must(t, again.Is([]string{dirs[1], dirs[0]}))
	for want, some := range map[string][]string{"is of 1 more directories": dirs[:1], "is of another dataset than": {dirs[0], dirs[0], dirs[1]}} {
		if err := again.Is(some); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", some, err)
		}
	}
	var b strings.Builder
	must(t, Page(&b, again))
	must(t, Table(&b, again))
	for _, want := range []string{"Link vehicles across datasets", "within its cohort", "among all vehicles", "17 attacks"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q", want)
		}
	}
	again.Across = nil
	text, err = again.JSON()
	must(t, err)
	if _, err := ParseCertificate(text); err == nil {
		t.Error("one without the attack across is taken")
	}
}
