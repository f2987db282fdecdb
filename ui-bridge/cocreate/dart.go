package cocreate

import (
	"fmt"
	"slices"
	"strings"

	"vignette/scenes/catalog"
)

// Letter is one of dialogue, access, risk and transparency.
type Letter struct {
	Name  string `json:"name"`
	Asks  string `json:"asks"`
	Facts []Fact `json:"facts"`
}

// Fact is a figure of a letter.
type Fact struct {
	What  string `json:"what"`
	Value string `json:"value"` // "withheld", or "nobody knows" where nothing was given that tells
}

// unknown is a fact's value where the inputs do not tell.
const unknown = "nobody knows"

// dart fills the table from what is there.
func dart(in *Inputs, r *Report) []Letter {
	return []Letter{
		{"Dialogue", "Do drivers and designers talk, and does either hear an answer?", dialogue(r)},
		{"Access", "Can drivers have, read, try and change the cards?", access(in.Catalog)},
		{"Risk", "What could be learnt, or go wrong, and is it bounded?", risk(in, r)},
		{"Transparency", "Can anybody see what is asked, who made what, and what came of it?", transparency(in, r)},
	}
}

func of(n, all int) string { return fmt.Sprintf("%d of %d", n, all) }

func orUnknown(n *int) string {
	if n == nil {
		return unknown
	}
	return fmt.Sprint(*n)
}

func dialogue(r *Report) []Fact {
	a := &r.Answers
	waiting := "none"
	if a.Waiting != nil {
		waiting = fmt.Sprintf("%d days", *a.Waiting)
	}
	facts := []Fact{{"Studies that asked drivers something", fmt.Sprint(a.Studies)}, {"of them answered", of(a.Answered, a.Studies)},
		{"over, and an answer is owed", fmt.Sprint(a.Owed)}, {"Days from a study's end to its first answer, median", orUnknown(a.Median)},
		{"Longest that drivers wait for one", waiting}}
	return append(facts, Fact{"Remixes of somebody else's card", fmt.Sprint(r.Remixes.OfOthers)})
}

// count counts packs.
func count(x *catalog.Index, has func(*catalog.Item) bool) (n int) {
	for i := range x.Items {
		if has(&x.Items[i]) {
			n++
		}
	}
	return n
}

func access(x *catalog.Index) []Fact {
	if x == nil {
		return []Fact{{"Packs to be had", unknown}}
	}
	n := len(x.Items)
	facts := []Fact{{"Packs to be had", fmt.Sprint(n)},
		{"in Chinese and English", of(count(x, func(it *catalog.Item) bool { return it.Title.Zh != it.Title.En }), n)},
		{"with scenarios that show what they do", of(count(x, func(it *catalog.Item) bool { return it.Scenarios > 0 }), n)}}
	for i, c := range x.Head.Cars {
		facts = append(facts, Fact{"that run on " + c.ID, of(count(x, func(it *catalog.Item) bool { return it.Cars[i].Runs }), n)})
	}
	free := func(it *catalog.Item) bool { return !strings.Contains(it.Licence, "-ND") && it.Licence != "NONE" }
	return append(facts, Fact{"whose licence allows remixes (none has ND)", of(count(x, free), n)})
}

func risk(in *Inputs, r *Report) []Fact {
	facts := []Fact{{"Least number of cars behind a figure (k)", orUnknown(r.K)}}
	told := 0
	for _, s := range in.Studies {
		if s.Card.PartOfDay {
			told++
		}
	}
	facts = append(facts, Fact{"Studies that have the part of the day told", of(told, len(in.Studies))})
	most := "withheld, or no firings"
	var worst float64
	for i := range r.Cards {
		for _, u := range r.Cards[i].Uses {
			if u.Regret != nil && u.Regret.Share >= worst {
				worst, most = u.Regret.Share, fmt.Sprintf("%.1f %% (%s)", 100*u.Regret.Share, r.Cards[i].ID)
			}
		}
	}
	if facts = append(facts, Fact{"Most often taken back within a minute", most}); in.Catalog == nil {
		return facts
	}
	x, n := in.Catalog, len(in.Catalog.Items)
	sets := func(it *catalog.Item) bool {
		return slices.ContainsFunc(it.Touches, func(t string) bool { return strings.Contains(t, ".") })
	}
	return append(facts, Fact{"Packs that set something in the car", of(count(x, sets), n)},
		Fact{"that only show or say something", of(n-count(x, sets), n)},
		Fact{"that nobody has signed", of(count(x, func(it *catalog.Item) bool { return it.Key == "" }), n)})
}

func transparency(in *Inputs, r *Report) []Fact {
	signed := 0
	for _, s := range in.Studies {
		if s.Report.Signed {
			signed++
		}
	}
	facts := []Fact{{"Studies that are signed", of(signed, len(in.Studies))}}
	if in.Catalog == nil {
		return append(facts, Fact{"Catalogue", unknown})
	}
	index := "not checked"
	if in.Signed {
		index = "signed, and checked"
	}
	adopted := r.Stages.Adopted + r.Stages.Shared
	return append(facts, Fact{"The catalogue's index", index},
		Fact{"Remixes whose parent is there to read", of(r.Remixes.Remixes-r.Remixes.Orphans, r.Remixes.Remixes)},
		Fact{"Shared cards that some study watched", of(adopted-r.Stages.Unwatched, adopted)})
}
