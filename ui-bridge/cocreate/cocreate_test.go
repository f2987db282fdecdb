package cocreate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vignette/scenes"
	"vignette/scenes/catalog"
	"vignette/ui-bridge/review"
	"vignette/ui-bridge/trace"
)

// truth is what cars did: how many ran a card by week, and how many of them took it
// back. Nobody has it.
type truth struct {
	k       int
	weeks   int
	firings map[string][]int // by card: cars by week
	undone  map[string][]int // of these
}

const studyHead = `schema: 1
id: %s
version: 1
title: {en: Cards in use, zh: 使用中的卡片}
question: {en: "Which cards stay?", zh: "哪些卡片留下？"}
purpose: {en: Tests, zh: 测试}
from: 2026-01-05
until: %s
mode: fleet
k: %d
cards:
`

// study makes a study and a dataset of it, and reviews it.
func (w *truth) study(t *testing.T, id string) Study {
	t.Helper()
	dir := t.TempDir()
	last := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 7*w.weeks-1)
	text := fmt.Sprintf(studyHead, id, last.Format(time.DateOnly), w.k)
	dictionary := "dictionary:\n"
	names := cardNames(w.firings)
	for i, name := range names {
		text += fmt.Sprintf("  - {id: %d, card: %s, title: {en: Card %s, zh: 卡片}}\n", i+1, name, name)
		dictionary += fmt.Sprintf("  - {id: %d, task: %s, vehicles: %d, events: [other/other fired ok first parked]}\n", 2*i+1, name, w.k)
		dictionary += fmt.Sprintf("  - {id: %d, task: %s, vehicles: %d, events: [other/other fired ok first parked, other/other undone ok <15s parked]}\n", 2*i+2, name, w.k)
	}
	text += dictionary
	card, err := scenes.ParseStudy("study.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "all.seg")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := trace.NewSegmentWriter(f, true)
	n := 0
	for i, name := range names {
		for week := range w.weeks {
			for car := range w.firings[name][week] {
				q := &card.Dictionary[2*i]
				if car < w.undone[name][week] {
					q = &card.Dictionary[2*i+1]
				}
				n++
				ep := trace.Episode{V: trace.SchemaVersion, Policy: 1, Week: uint16(2602 + week), Task: uint16(q.Task), Variant: uint16(q.ID)}
				ep.EID = trace.EpisodeID{1, byte(n >> 16), byte(n >> 8), byte(n)}
				for _, e := range q.Events {
					ep.Ev = append(ep.Ev, trace.Event(e))
				}
				if err := out.Write(&ep); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var p review.Progress
	bag, err := review.Read(path, card, &p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.New(bag, review.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return Study{card, r}
}

func cardNames(m map[string][]int) (list []string) {
	for i := range 26 {
		name := "card-" + string(rune('a'+i))
		if _, ok := m[name]; ok {
			list = append(list, name)
		}
	}
	return list
}

// drawn is a truth by chance.
func drawn(random *rand.Rand) *truth {
	w := &truth{k: 5 + random.IntN(10), weeks: 2 + random.IntN(11), firings: map[string][]int{}, undone: map[string][]int{}}
	for i := range 1 + random.IntN(6) {
		name := "card-" + string(rune('a'+i))
		size := []int{3, 12, 40}[random.IntN(3)]
		for range w.weeks {
			n := 0
			if random.IntN(4) > 0 {
				n = random.IntN(size)
			}
			w.firings[name] = append(w.firings[name], n)
			w.undone[name] = append(w.undone[name], random.IntN(n+1)/2)
		}
	}
	w.firings["card-a"][0] += 1 // there is something
	return w
}

// TestNaive holds reports of random datasets to the raw counts: what is shown is
// true, has k cars behind it, and does not tell what is withheld; weeks and retention
// are what follows, counted slowly.
func TestNaive(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	shown, hidden := 0, 0
	for range 150 {
		w := drawn(random)
		r := New(&Inputs{Studies: []Study{w.study(t, "use")}, Today: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
		seen := map[string][]*int{}
		for _, c := range r.Cards {
			s, h := w.checkCard(t, &c)
			shown, hidden = shown+s, hidden+h
			for _, x := range c.Uses[0].Weeks {
				seen[c.ID] = append(seen[c.ID], x.Cars)
			}
		}
		w.checkWeeks(t, r, seen)
	}
	if shown < 500 || hidden < 200 {
		t.Errorf("%d figures shown, %d withheld: too few to test anything", shown, hidden)
	}
}

// checkCard checks a card's weeks.
func (w *truth) checkCard(t *testing.T, c *Card) (shown, hidden int) {
	t.Helper()
	u, fired := &c.Uses[0], w.firings[c.ID]
	if c.Stage != Elsewhere || len(u.Weeks) != w.weeks {
		t.Fatalf("%s: %s, %d weeks of %d", c.ID, c.Stage, len(u.Weeks), w.weeks)
	}
	total, rest, unknown, most := 0, 0, 0, 0
	for i, x := range u.Weeks {
		total += fired[i]
		switch {
		case x.Cars == nil:
			hidden++
			rest += fired[i]
			if fired[i] > 0 {
				unknown++
			}
		case *x.Cars != fired[i]:
			t.Errorf("%s in %s: %d, it was %d", c.ID, x.Week, *x.Cars, fired[i])
		case *x.Cars != 0 && *x.Cars < w.k:
			t.Errorf("%s in %s: %d cars are told, k is %d", c.ID, x.Week, *x.Cars, w.k)
		default:
			shown++
			most = max(most, *x.Cars)
		}
	}
	if u.Firings != nil && (*u.Firings != total || hidden == 1 || unknown == 1) {
		t.Errorf("%s: %d firings told of %d, %d weeks withheld, %d of them not empty: one follows", c.ID, *u.Firings, total, hidden, unknown)
	}
	if u.Cars == nil || *u.Cars != most {
		t.Errorf("%s: %v cars at least, %d in the week with most that is told", c.ID, u.Cars, most)
	}
	return shown, hidden
}

// checkWeeks counts active cards and retention anew.
func (w *truth) checkWeeks(t *testing.T, r *Report, seen map[string][]*int) {
	t.Helper()
	for i, week := range r.Weeks {
		n, not := 0, 0
		for _, list := range seen {
			if list[i] == nil {
				not++
			} else if *list[i] > 0 {
				n++
			}
		}
		if week.Active != n || week.NotTold != not || week.Week != fmt.Sprintf("2026-W%02d", i+2) {
			t.Errorf("week %d: %+v, want %d active and %d not told", i, week, n, not)
		}
	}
	for _, k := range r.Retention {
		want := Kept{After: k.After}
		for _, list := range seen {
			first := 0
			for first < len(list) && (list[first] == nil || *list[first] == 0) {
				first++
			}
			if first+k.After >= len(list) {
				continue
			}
			switch n := list[first+k.After]; {
			case n == nil:
				want.NotTold++
			case *n > 0:
				want.Active++
				want.Of++
			default:
				want.Of++
			}
		}
		if k != want {
			t.Errorf("after %d weeks: %+v, want %+v", k.After, k, want)
		}
	}
}

// index is a catalogue of some packs: a, b made of a, c of b by another, and d of
// something that is not there.
func index() *catalog.Index {
	item := func(pack, author, card, parent, parentAuthor string) catalog.Item {
		it := catalog.Item{Pack: pack, Version: "1.0.0", SHA256: pack, Author: author, Title: catalog.Title{En: "Pack " + pack, Zh: "包"},
			Licence: "MIT", Cards: []catalog.Member{{ID: card}}, Touches: []string{"notify"}, Newest: true}
		if parent != "" {
			it.DerivedFrom = &catalog.Parent{Pack: parent + "@1.0.0", SHA256: parent, Author: parentAuthor}
		}
		return it
	}
	return &catalog.Index{Items: []catalog.Item{item("a", "mei", "card-a", "", ""), item("b", "mei", "card-b", "a", "mei"),
		item("c", "jo", "card-c", "b", "mei"), item("d", "jo", "card-d", "gone", "li")}}
}

// TestStages: each card has the stage that can be observed, and no other.
func TestStages(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"mine.yaml":   "schema: 1\nid: mine\nversion: 1.0.0\ntitle: {en: Mine, zh: 我的}\nwhen:\n  - {signal: Vehicle.Speed, rises_above: 5, unit: km/h}\nthen:\n  - {do: notify, with: {text: {en: a, zh: b}}}\n",
		"card-d.yaml": "schema: 1\nid: card-d\nversion: 1.0.0\ntitle: {en: D, zh: 丁}\nwhen:\n  - {signal: Vehicle.Speed, rises_above: 5, unit: km/h}\nthen:\n  - {do: notify, with: {text: {en: a, zh: b}}}\n",
		"half.yaml":   "schema: 1\nid: half\n",
		"notes.txt":   "buy milk",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	drafts, err := ReadDrafts([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	w := &truth{k: 10, weeks: 3, firings: map[string][]int{"card-a": {30, 40, 50}, "card-c": {2, 1, 0}, "card-e": {20, 0, 20}}, undone: map[string][]int{"card-a": {15, 15, 15}, "card-c": {0, 0, 0}, "card-e": {0, 0, 0}}}
	in := &Inputs{Catalog: index(), Drafts: drafts, Studies: []Study{w.study(t, "use")}, Today: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	r := New(in)
	want := map[string]string{"card-a": Adopted, "card-b": Shared, "card-c": Shared, "card-d": Shared, "mine": Draft, "card-e": Elsewhere}
	for _, c := range r.Cards {
		if want[c.ID] != c.Stage {
			t.Errorf("%s is %s, want %s", c.ID, c.Stage, want[c.ID])
		}
		delete(want, c.ID)
	}
	if len(want) > 0 || *r.Stages.Draft != 1 || r.Stages.Shared != 3 || r.Stages.Adopted != 1 || r.Stages.Elsewhere != 1 || r.Stages.Unreadable != 1 || r.Stages.Unwatched != 2 {
		t.Errorf("missing %v; %+v", want, r.Stages)
	}
	if a := &r.Cards[0].Uses[0]; *a.Cars != 50 || a.Regret == nil || a.Regret.Count != 45 {
		t.Errorf("card-a: %+v", a)
	}
	ad := r.Adoption(in.Studies)
	if len(ad.Cards) != 2 || ad.Cards[0] != (catalog.AdoptedCard{Card: "card-a", Cars: 50, Studies: 1, Until: "2026-01-25"}) {
		t.Errorf("adoption: %+v", ad)
	}
	var text bytes.Buffer
	if err := ad.Write(&text); err != nil {
		t.Fatal(err)
	}
	if back, err := catalog.ReadAdoption(&text); err != nil || len(back.Cards) != 2 {
		t.Errorf("the catalogue does not read it: %v", err)
	}
}

// TestRemixes counts the small family of index.
func TestRemixes(t *testing.T) {
	r := New(&Inputs{Catalog: index()}).Remixes
	if r.Packs != 4 || r.Remixes != 3 || r.OfOthers != 2 || r.Orphans != 1 || r.Authors != 2 || r.Remixers != 1 || r.Remixed != 2 || r.Deepest != 2 {
		t.Errorf("%+v", r)
	}
	if len(r.Most) != 2 || r.Most[0] != (Origin{"a@1.0.0", "mei", 1, 2, 1}) || r.Most[1] != (Origin{"b@1.0.0", "mei", 1, 1, 1}) {
		t.Errorf("%+v", r.Most)
	}
	loop := index()
	loop.Items[0].DerivedFrom = &catalog.Parent{Pack: "c@1.0.0", SHA256: "c", Author: "jo"}
	if r := New(&Inputs{Catalog: loop}).Remixes; r.Deepest != 4 || r.Most[0].All != 2 {
		t.Errorf("a loop, which no hash allows: %+v", r)
	}
}

// TestAnswers: answered before its end, after it, owed, and still running.
func TestAnswers(t *testing.T) {
	var in Inputs
	in.Today = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, id := range []string{"early", "late", "owed", "runs"} {
		w := &truth{k: 5, weeks: []int{2, 3, 4, 20}[i], firings: map[string][]int{"card-a": make([]int, 20)}, undone: map[string][]int{"card-a": make([]int, 20)}}
		w.firings["card-a"][0] = 9
		in.Studies = append(in.Studies, w.study(t, id))
	}
	for study, day := range map[string]string{"early": "2026-01-10", "late": "2026-02-04", "other": "2026-01-01"} {
		text := "schema: 1\nkind: answer\nid: answer-" + study + "\nversion: 1\ntitle: {en: A, zh: 甲}\nstudy: {id: " + study + ", versions: [1]}\nbuilds: [\"1.0\"]\nsaid: {en: A, zh: 甲}\nchanged: {en: B, zh: 乙}\ndate: " + day + "\n"
		a, err := scenes.ParseAnswer("a.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		in.Answers = append(in.Answers, a)
	}
	a := New(&in).Answers
	if a.Studies != 4 || a.Answered != 2 || a.Owed != 1 || a.Running != 1 || *a.Median != 0 || *a.Waiting != 28 {
		t.Errorf("%+v", a)
	}
	if a.List[1].Study != "late 1" || *a.List[1].Days != 10 || a.List[1].First != "2026-02-04" || a.List[2].Days != nil {
		t.Errorf("%+v", a.List)
	}
}

// full is a report with all that one can have.
func full(t *testing.T) *Report {
	t.Helper()
	w := drawn(rand.New(rand.NewPCG(3, 5)))
	w.weeks, w.k = len(w.firings["card-a"]), 6
	r := New(&Inputs{Catalog: index(), Drafts: &Drafts{Titles: map[string]string{"<b>draft": "x"}}, Studies: []Study{w.study(t, "use")}, Today: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
	r.Unsigned = true
	return r
}

// TestForms: every form can be written, JSON fits its schema, and a name from a
// file is text on the page.
func TestForms(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("cocreate", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("cocreate")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*Report{"full": full(t), "empty": New(&Inputs{})} {
		var js, text, csv, page bytes.Buffer
		for _, write := range []error{r.WriteJSON(&js), r.WriteText(&text), r.WriteCSV(&csv), r.WriteHTML(&page)} {
			if write != nil {
				t.Fatal(write)
			}
		}
		value, err := jsonschema.UnmarshalJSON(&js)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(page.String(), "<b>draft") || strings.Contains(text.String(), "%!") || strings.Count(csv.String(), "\n") < 1 {
			t.Errorf("%s: a card's id is markup, or a form is broken\n%s", name, text.String())
		}
		for _, letter := range []string{"Dialogue", "Access", "Risk", "Transparency"} {
			if !strings.Contains(text.String(), "\n"+letter+": ") || !strings.Contains(page.String(), "<h3>"+letter) {
				t.Errorf("%s: no %s", name, letter)
			}
		}
	}
}
