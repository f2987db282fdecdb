// Package cocreate reports how drivers take part: which cards are drafts, shared
// and adopted, how long they stay in use, what was made of them, and how fast
// designers answer; with the dialogue, access, risk and transparency that there
// really are (DART; C. K. Prahalad and V. Ramaswamy, Co-creation experiences,
// Journal of Interactive Marketing 18, 2004). What cars did is known from studies
// with consent alone, through the reports of package review, whose Sheet is the one
// place for k: every figure here is one of theirs or computed from theirs. It is for
// desks.
package cocreate

import (
	"cmp"
	"slices"
	"time"

	"vignette/scenes"
	"vignette/scenes/catalog"
	"vignette/ui-bridge/review"
)

// Inputs are what a desk has. All of them may be missing.
type Inputs struct {
	Catalog *catalog.Index   // packs that are shared
	Signed  bool             // the catalogue's index was checked with a key
	Drafts  *Drafts          // of an author; nil: nobody told of any
	Studies []Study          // with what cars have released
	Answers []*scenes.Answer // that were given
	Today   time.Time        // on which answers are owed
}

// Study is a study card with the report of its dataset.
type Study struct {
	Card   *scenes.Study
	Report *review.Report
}

// Report is all that is shown, in any form. A nil number is withheld, or nobody
// knows it.
type Report struct {
	Version   int      `json:"version"` // of this form: 1
	Date      string   `json:"date"`
	K         *int     `json:"k"`        // the least of the studies'; null: there are none
	Unsigned  bool     `json:"unsigned"` // some of it is of an unsigned desk study, from which nobody should conclude anything
	Stages    Stages   `json:"stages"`
	Cards     []Card   `json:"cards"` // by stage, the adopted ones first, then by id
	Weeks     []Week   `json:"weeks"`
	Retention []Kept   `json:"retention"`
	Remixes   Remixes  `json:"remixes"`
	Answers   Answers  `json:"answers"`
	DART      []Letter `json:"dart"`
	Unknown   []string `json:"unknown"` // what nobody here can know
}

// The stages of a card.
const (
	Draft     = "draft"     // in an author's directory, and in no pack of the catalogue
	Shared    = "shared"    // in a pack of the catalogue
	Adopted   = "adopted"   // that, and k or more cars of a study ran it in a week
	Elsewhere = "elsewhere" // k or more cars ran it, but no pack of the catalogue has it
)

var stageOrder = []string{Adopted, Shared, Draft, Elsewhere}

// Stages counts cards.
type Stages struct {
	Draft      *int `json:"draft"` // null: no author's directory was given
	Shared     int  `json:"shared"`
	Adopted    int  `json:"adopted"`
	Elsewhere  int  `json:"elsewhere"`
	Unreadable int  `json:"unreadable_drafts"` // files in the author's directories that are no card yet
	Unwatched  int  `json:"unwatched"`         // of those shared: no study watched them
}

// Card is a card by its id. Studies tell of ids alone, so cards of one id by
// several authors are one here.
type Card struct {
	ID      string   `json:"id"`
	Stage   string   `json:"stage"`
	Title   string   `json:"title"`
	Packs   int      `json:"packs"`   // of the catalogue that have it, in any version
	Authors []string `json:"authors"` // of these
	Remixes int      `json:"remixes"` // made of these packs, and of theirs
	Uses    []Use    `json:"uses"`    // by study
}

// Use is what a study says of a card.
type Use struct {
	Study   string        `json:"study"`
	Firings *int          `json:"firings"`       // released; at most one a car and week
	Cars    *int          `json:"cars_at_least"` // the most of a week; null: withheld
	Regret  *review.Share `json:"regret"`
	Weeks   []WeekUse     `json:"weeks"` // of the study
}

// WeekUse is how many cars ran a card in a week.
type WeekUse struct {
	Week string `json:"week"`
	Cars *int   `json:"cars"` // null: withheld
}

// Week is how many cards were active: run by k or more cars.
type Week struct {
	Week    string `json:"week"`
	Active  int    `json:"active"`
	NotTold int    `json:"not_told"` // cards of which that week is withheld
}

// Kept is how many cards were active again so many weeks after they first were.
type Kept struct {
	After   int `json:"weeks"`
	Of      int `json:"of"` // cards of which that week is told
	Active  int `json:"active"`
	NotTold int `json:"not_told"`
}

// New makes the report.
func New(in *Inputs) *Report {
	r := &Report{Version: 1, Date: in.Today.Format(time.DateOnly), Cards: []Card{}, Weeks: []Week{}, Unknown: unknowns}
	for _, s := range in.Studies {
		if r.K == nil || s.Report.K < *r.K {
			k := s.Report.K
			r.K = &k
		}
		r.Unsigned = r.Unsigned || !s.Report.Signed
	}
	c := cards{byID: map[string]*Card{}, draft: map[string]bool{}}
	c.catalog(in.Catalog)
	c.drafts(in.Drafts)
	for i := range in.Studies {
		c.study(&in.Studies[i])
	}
	r.Cards = c.list()
	r.Stages = stages(r.Cards, in.Drafts)
	r.Weeks = weeks(r.Cards)
	r.Retention = retention(r.Cards)
	r.Remixes = remixes(in.Catalog, r.Cards)
	r.Answers = answers(in)
	r.DART = dart(in, r)
	return r
}

// Adoption is what the catalogue may show of the cards that are in use.
func (r *Report) Adoption(studies []Study) *catalog.Adoption {
	a := &catalog.Adoption{Adoption: 1, Cards: []catalog.AdoptedCard{}}
	if r.K == nil {
		return a
	}
	a.K = *r.K
	until := map[string]string{}
	for _, s := range studies {
		until[studyName(s.Card)] = s.Report.Study.Until
	}
	for i := range r.Cards {
		c := catalog.AdoptedCard{Card: r.Cards[i].ID}
		for _, u := range r.Cards[i].Uses {
			if u.Cars != nil && *u.Cars >= *r.K {
				c.Studies++
				c.Cars, c.Until = max(c.Cars, *u.Cars), max(c.Until, until[u.Study])
			}
		}
		if c.Studies > 0 {
			a.Cards = append(a.Cards, c)
		}
	}
	slices.SortFunc(a.Cards, func(a, b catalog.AdoptedCard) int { return cmp.Compare(a.Card, b.Card) })
	return a
}

// unknowns are what nobody here can know, whatever is given.
var unknowns = []string{
	"Which cards a car has: no car tells. Of cars only those of a study with consent are seen, and only what at least k of them did.",
	"How often a pack was read or taken along: the catalogue is files, and asks nobody.",
	"Cards that no study watches: they are shared at most, however many cars have them.",
	"Whose card of an id a car ran, and which version: a study names a card by its id.",
	"Drafts of authors who did not give their directory.",
	"Whether the same car is in two studies, so cars of several studies are never added up.",
}
