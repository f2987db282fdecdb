package review

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

const cardStudy = `schema: 1
id: cards
version: 1
title: {en: Regret, zh: 撤销}
question: {en: "Which cards are taken back?", zh: "哪些卡片被撤销？"}
purpose: {en: Tests, zh: 测试}
from: 2026-01-01
until: 2026-12-31
mode: fleet
k: 10
cards:
  - {id: 1, card: warm-seat, title: {en: Warm seat, zh: 座椅加热}}
  - {id: 2, card: rain-mood, title: {en: Rain mood, zh: 雨天氛围}}
dictionary:
  - {id: 1, task: warm-seat, vehicles: 10, events: [other/other fired ok first parked]}
  - {id: 2, task: warm-seat, vehicles: 10, events: [other/other fired ok first parked, other/other undone ok <15s parked]}
  - {id: 3, task: rain-mood, vehicles: 10, events: [other/other fired ok first parked]}
  - {id: 4, task: rain-mood, vehicles: 10, events: [other/other fired ok first parked, other/other undone ok <15s parked]}
`

// TestRegret: of each card, whole without metrics; few who took it back are not
// told, and no figure of touches is given.
func TestRegret(t *testing.T) {
	s, err := scenes.ParseStudy("cards.yaml", []byte(cardStudy))
	if err != nil {
		t.Fatal(err)
	}
	var eps []trace.Episode
	for variant, n := range map[int]int{1: 60, 2: 20, 3: 90, 4: 3} {
		q := s.Dictionary[variant-1]
		for range n {
			ep := trace.Episode{V: trace.SchemaVersion, Policy: 1, Week: 2610, Task: uint16(q.Task), Variant: uint16(q.ID)}
			ep.EID = trace.EpisodeID{1, byte(variant), byte(len(eps))}
			for _, e := range q.Events {
				ep.Ev = append(ep.Ev, trace.Event(e))
			}
			eps = append(eps, ep)
		}
	}
	var file bytes.Buffer
	path := filepath.Join(t.TempDir(), "all.seg")
	if err := trace.WriteSegment(&file, true, eps); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var p Progress
	b, err := Read(path, s, &p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Tasks {
		k := &r.Tasks[i]
		f := k.Figures
		if !k.Card || len(f) != 1 || f[0].Name != "regret" || len(k.Tables) != 1 || k.Tables[0].Name != WeeksTable || k.Risk != nil {
			t.Fatalf("%+v", k)
		}
		switch k.Name {
		case "warm-seat":
			if f[0].All == nil || f[0].All.Count != 20 || f[0].All.Of != 80 || *k.Episodes != 80 {
				t.Errorf("%s: %+v", k.Name, f[0].All)
			}
		case "rain-mood":
			if f[0].All != nil || *k.Episodes != 93 {
				t.Errorf("%s: three cars are told: %+v", k.Name, f[0].All)
			}
		}
	}
	var text, page bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil || !strings.Contains(page.String(), "taken back within a minute") {
		t.Errorf("the page: %v", err)
	}
	if !strings.Contains(text.String(), "card warm-seat (Warm seat): 80 episodes") {
		t.Errorf("the text:\n%s", text.String())
	}
}
