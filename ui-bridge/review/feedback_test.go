package review

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// opinionStudy has a card, a task, and feedback on both and on one of its elements.
const opinionStudy = `schema: 1
id: opinions
version: 1
title: {en: Opinions, zh: 看法}
question: {en: "What do drivers think?", zh: "驾驶员怎么看？"}
purpose: {en: Tests, zh: 测试}
from: 2026-03-02
until: 2026-03-22
mode: fleet
k: 10
cohorts:
  - {id: 1, build: a, market: m, display: d, vehicles: 1000}
  - {id: 2, build: b, market: m, display: d, vehicles: 1000}
screens:
  - id: 2
    name: home
    elements:
      - {id: 2, name: tile, owner: o, purpose: p, sensitivity: ordinary, expires: 2027-01-01}
tasks: [{id: 1, name: open, title: {en: Open, zh: 打开}, start: home/tile, end: home/tile, screens: [home]}]
cards: [{id: 2, card: warm-seat, title: {en: Warm seat, zh: 座椅加热}}]
feedback:
  - {id: 3, name: seat_opinion, card: warm-seat, ask: {en: "What of the seat?", zh: 座椅呢}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: too_warm, text: {en: Too warm, zh: 太热}}, {id: 5, name: too_late, text: {en: Too late, zh: 太晚}}]}
  - {id: 4, name: home_opinion, at: home, ask: {en: "What of the screen?", zh: 屏幕呢}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: slow, text: {en: Slow, zh: 慢}}]}
  - {id: 5, name: tile_opinion, at: home/tile, ask: {en: "What of the tile?", zh: 按键呢}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: slow, text: {en: Slow, zh: 慢}}]}
dictionary:
  - {id: 1, task: warm-seat, vehicles: 10, events: [other/other fired ok first parked]}
  - {id: 2, task: warm-seat, vehicles: 10, events: [other/other fired ok first parked, other/other undone ok <15s parked]}
  - {id: 3, task: seat_opinion, vehicles: 10, events: [other/other choice_1 ok first parked]}
  - {id: 4, task: seat_opinion, vehicles: 10, events: [other/other choice_2 ok first parked]}
  - {id: 5, task: seat_opinion, vehicles: 10, events: [other/other choice_5 ok first parked]}
  - {id: 6, task: home_opinion, vehicles: 10, events: [home/other choice_1 ok first parked]}
  - {id: 7, task: home_opinion, vehicles: 10, events: [home/other choice_2 ok first parked]}
  - {id: 8, task: tile_opinion, vehicles: 10, events: [home/tile choice_1 ok first parked]}
  - {id: 9, task: tile_opinion, vehicles: 10, events: [home/tile choice_2 ok first parked]}
`

// opinions is a dataset of so many episodes by sequence, cohort and week.
type opinions struct {
	study *scenes.Study
	eps   []trace.Episode
}

func newOpinions(t testing.TB) *opinions {
	t.Helper()
	s, err := scenes.ParseStudy("opinions.yaml", []byte(opinionStudy))
	if err != nil {
		t.Fatal(err)
	}
	return &opinions{study: s}
}

func (o *opinions) add(variant, cohort, week, n int) {
	q := o.study.Dictionary[variant-1]
	for range n {
		ep := trace.Episode{V: trace.SchemaVersion, Policy: 1, Cohort: uint16(cohort), Week: uint16(2609 + week), Task: uint16(q.Task), Variant: uint16(q.ID)}
		binary.BigEndian.PutUint32(ep.EID[:], uint32(len(o.eps)+1))
		for _, e := range q.Events {
			ep.Ev = append(ep.Ev, trace.Event(e))
		}
		o.eps = append(o.eps, ep)
	}
}

func (o *opinions) bag(t testing.TB) *Bag {
	t.Helper()
	var file bytes.Buffer
	path := filepath.Join(t.TempDir(), "all.seg")
	if err := trace.WriteSegment(&file, true, o.eps); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var p Progress
	b, err := Read(path, o.study, &p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o *opinions) report(t testing.TB, opt Options) *Report {
	t.Helper()
	r, err := New(o.bag(t), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said is which choice an episode is; 0: it is of no feedback.
func said(ep *trace.Episode) int {
	return max(0, int(ep.Ev[0].Gesture)-slices.Index(scenes.Gestures, "choice_1")+1)
}

// choice is the naive number of a line about a feedback.
func (v *naiveReview) choice(row map[string]string) (n, of naive, ok bool) {
	for _, k := range v.study.Tasks {
		if k.Name != row["task"] || len(k.Choices) == 0 || row["group"] == "b_minus_a" {
			continue
		}
		for _, c := range k.Choices {
			if row["table"] == "figure" && row["item"] == c.Name {
				return v.count(k.Name, row["group"], func(ep *trace.Episode) int { return yes(said(ep) == c.ID) }), v.count(k.Name, row["group"], every), true
			}
		}
		if row["table"] == WeeksTable {
			return v.count(k.Name, row["group"], func(ep *trace.Episode) int {
				return yes(row["item"] == fmt.Sprintf("20%d-W%02d", ep.Week/100, ep.Week%100))
			}), v.count(k.Name, row["group"], every), true
		}
	}
	return n, of, false
}

// TestNaiveFeedback: every number of feedback is that of the raw episodes, none is
// of fewer than k vehicles, and none with fewer follows from the CSV.
func TestNaiveFeedback(t *testing.T) {
	compared, hidden := 0, 0
	for seed := range uint64(16) {
		rng := rand.New(rand.NewPCG(seed, 8))
		o := newOpinions(t)
		for variant := 3; variant <= 9; variant++ {
			for cohort := range 3 {
				for week := 1; week <= 3; week++ {
					o.add(variant, cohort, week, rng.IntN(4)*rng.IntN(int(4+seed%6)))
				}
			}
		}
		v := &naiveReview{study: o.study, eps: slices.Clone(o.eps)}
		v.keep(o.study.K)
		list, known := rows(t, o.report(t, Options{})), map[string]*echelon{}
		for _, row := range list {
			n, of, ok := v.number(row)
			if !ok || row["withheld"] == "1" {
				continue
			}
			compared++
			if fmt.Sprint(n.n) != row["count"] || row["of"] != "" && fmt.Sprint(of.n) != row["of"] {
				t.Errorf("seed %d, %v: naively %d of %d", seed, row, n.n, of.n)
			}
			if 0 < n.vehicles && n.vehicles < o.study.K {
				t.Errorf("seed %d, %v: of %d vehicles", seed, row, n.vehicles)
			}
			if known[row["task"]] == nil {
				known[row["task"]] = &echelon{}
			}
			known[row["task"]].add(n.of)
			if row["of"] != "" {
				known[row["task"]].add(of.of)
			}
		}
		hidden += secretsHold(t, v, list, known, o.study.K)
	}
	t.Logf("%d numbers compared, %d with few vehicles do not follow", compared, hidden)
	if compared < 200 || hidden < 100 {
		t.Errorf("%d numbers compared and %d hidden: the datasets are too easy", compared, hidden)
	}
}

// plenty is a dataset of which much is told: from week 2 on, no one minds the card
// being late.
func plenty(t testing.TB) *opinions {
	o := newOpinions(t)
	o.add(1, 1, 2, 60)
	o.add(2, 1, 2, 40)
	o.add(3, 1, 1, 4) // too few
	o.add(3, 1, 2, 50)
	o.add(4, 1, 2, 30)
	o.add(4, 1, 3, 20)
	o.add(6, 1, 1, 3) // in all
	return o
}

// TestFeedbackBesideItsCard holds where feedback stands and what is said of it in
// every form.
func TestFeedbackBesideItsCard(t *testing.T) {
	r := plenty(t).report(t, Options{})
	var names []string
	for _, k := range r.Tasks {
		names = append(names, k.Name)
	}
	if got := strings.Join(names, " "); got != "open home_opinion tile_opinion warm-seat seat_opinion" {
		t.Errorf("in the order %s", got)
	}
	card, seat := &r.Tasks[3], &r.Tasks[4]
	if f := card.Figures; fmt.Sprint(card.Said) != "[seat_opinion]" || len(f) != 1 || f[0].All.Count != 40 || f[0].All.Of != 100 {
		t.Errorf("the card: %+v", card)
	}
	if fmt.Sprint(r.Tasks[0].Said) != "[home_opinion tile_opinion]" || r.Tasks[0].Feedback != nil {
		t.Errorf("the task: %+v", r.Tasks[0])
	}
	f := seat.Feedback
	if f == nil || f.Kind != "card" || f.About != "warm-seat" || fmt.Sprint(f.Beside) != "[warm-seat]" || f.Since != "2026-W11" || f.Owed != nil || f.Age != nil {
		t.Errorf("feedback %+v", f)
	}
	if fig := seat.Figures; len(fig) != 3 || fig[0].Name != "good" || fig[1].All.Count != 50 || fig[1].All.Of != 104 || fig[2].All.Count != 0 || seat.Risk != nil || len(seat.Ways) != 0 {
		t.Errorf("choices %+v", seat.Figures)
	}
	if k := r.Tasks[1]; k.Episodes != nil || k.Feedback.Since != "" {
		t.Errorf("three cars are told: %+v", k)
	}
	var text, csv, page, enc bytes.Buffer
	for _, err := range []error{r.WriteText(&text), r.WriteCSV(&csv), r.WriteHTML(&page), r.WriteJSON(&enc)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for form, want := range map[*bytes.Buffer][]string{
		&text: {"card warm-seat (Warm seat): 100 episodes\n", "  drivers said of card warm-seat, 104 times: Good: 51.9 % ", "Too warm: 48.1 %",
			"feedback on card warm-seat, seat_opinion (What of the seat?): 104 episodes", "too_warm        50/104 48.1 %"},
		&csv:  {"seat_opinion,figure,too_warm,all,50,104,0.48077,", "seat_opinion,weeks,2026-W11,all,80,104,"},
		&page: {"Drivers were asked about card <code>warm-seat</code>", "drivers said of card warm-seat, 104 times: Good: 51.9 %", "What of the seat?"},
		&enc:  {`"about": "warm-seat"`, `"said": [`},
	} {
		for _, w := range want {
			if !strings.Contains(form.String(), w) {
				t.Errorf("%q is missing in\n%s", w, form)
			}
		}
	}
	if strings.Contains(page.String(), `<a href="#task-5">`) {
		t.Error("feedback is ranked by risk")
	}
}

// TestAnswersToFeedback holds which feedback is answered, how long that took, and
// what is owed.
func TestAnswersToFeedback(t *testing.T) {
	answer := func(id, date, feedback string) *scenes.Answer {
		a, err := scenes.ParseAnswer(id+".yaml", []byte(fmt.Sprintf("schema: 1\nkind: answer\nid: %s\nversion: 1\ntitle: {en: A, zh: 甲}\nstudy: {id: opinions, versions: [1]%s}\n"+
			"builds: [\"a\"]\nsaid: {en: A, zh: 甲}\nchanged: {en: A, zh: 甲}\ndate: %s\n", id, feedback, date)))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	today := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		answers []*scenes.Answer
		want    string
	}{
		{"none", nil, "not answered for 25 weeks: good, too_warm"},
		{"to the study as a whole", []*scenes.Answer{answer("all", "2026-04-01", "")}, "not answered for 25 weeks: good, too_warm"},
		{"to a choice", []*scenes.Answer{answer("warm", "2026-04-01", ", feedback: [{name: seat_opinion, choices: [too_warm]}]")},
			"answered by warm, version 1, on 2026-04-01 (too_warm), 3 weeks after it was first said; not answered for 25 weeks: good"},
		{"to all of it", []*scenes.Answer{answer("seat", "2026-05-01", ", feedback: [{name: seat_opinion}]")},
			"answered by seat, version 1, on 2026-05-01, 7 weeks after it was first said"},
		{"in two steps", []*scenes.Answer{answer("seat", "2026-05-01", ", feedback: [{name: seat_opinion, choices: [good]}]"), answer("warm", "2026-03-10", ", feedback: [{name: seat_opinion, choices: [too_warm]}]")},
			"answered by warm, version 1, on 2026-03-10 (too_warm), 0 weeks after it was first said; answered by seat, version 1, on 2026-05-01 (good), 7 weeks after it was first said"},
		{"to another feedback", []*scenes.Answer{answer("home", "2026-05-01", ", feedback: [{name: home_opinion}]")}, "not answered for 25 weeks: good, too_warm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := plenty(t).report(t, Options{Answers: c.answers, Today: today})
			if got := strings.Join(r.Dialogue(&r.Tasks[4]), "; "); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if f := r.Tasks[1].Feedback; f.Owed != nil || f.Age != nil {
				t.Errorf("of fewer than k: %+v", f)
			}
		})
	}
	for want, a := range map[string]*scenes.Answer{
		"x.yaml: answers feedback `seat`, which study opinions, version 1, does not ask for":                           answer("x", "2026-04-01", ", feedback: [{name: seat}]"),
		"y.yaml: answers feedback `warm`, which study opinions, version 1, does not ask for":                           answer("y", "2026-04-01", ", feedback: [{name: warm}]"),
		"z.yaml: answers the choice `cold`, which feedback `seat_opinion` of study opinions, version 1, does not have": answer("z", "2026-04-01", ", feedback: [{name: seat_opinion, choices: [cold]}]"),
	} {
		if _, err := New(plenty(t).bag(t), Options{Answers: []*scenes.Answer{a}, Today: today}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestGatesOnFeedback holds what a gate may ask of feedback.
func TestGatesOnFeedback(t *testing.T) {
	r := plenty(t).report(t, Options{})
	for text, want := range map[string]string{
		"seat_opinion.too_warm > 40%": "FAILED if seat_opinion.too_warm > 40%: so it is with seat_opinion: 48.1 %",
		"too_warm > 50%":              "passed, not too_warm > 50%: seat_opinion: 48.1 %",
		"home_opinion.slow > 10%":     "FAILED if home_opinion.slow > 10%: cannot be judged: withheld of home_opinion",
		"seat_opinion.slow > 10%":     "FAILED if seat_opinion.slow > 10%: cannot be judged: no task has this figure",
		"seat_opinion.episodes < 100": "passed, not seat_opinion.episodes < 100: seat_opinion: 104",
		"seat_opinion.regret > 1%":    "FAILED if seat_opinion.regret > 1%: cannot be judged: no task has this figure",
		"regret > 50%":                "passed, not regret > 50%: warm-seat: 40.0 %",
	} {
		g, err := ParseGate(text, newOpinions(t).study)
		if err != nil {
			t.Fatal(err)
		}
		r.Verdicts = nil
		r.Judge([]Gate{g})
		if got := fmt.Sprintf("%s: %s", r.Verdicts[0], r.Verdicts[0].Why); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if _, err := ParseGate("too_cold > 1%", newOpinions(t).study); err == nil || !strings.Contains(err.Error(), `there is no figure "too_cold"`) {
		t.Errorf("%v", err)
	}
}

// TestFeedbackFitsTheSchema holds a report with what is answered and owed against
// the schema.
func TestFeedbackFitsTheSchema(t *testing.T) {
	fits(t, reportSchema(t), plenty(t).report(t, Options{Today: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}))
}
