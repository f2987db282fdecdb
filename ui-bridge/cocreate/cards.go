package cocreate

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"vignette/scenes"
	"vignette/scenes/catalog"
	"vignette/ui-bridge/review"
)

// Drafts are the cards in authors' directories.
type Drafts struct {
	Titles     map[string]string // by card id
	Unreadable int               // files that are no card yet, nor anything else of a pack
}

// ReadDrafts reads all cards at and below some paths. Manifests of packs and
// scenarios, which lie beside them, are no cards.
func ReadDrafts(paths []string) (*Drafts, error) {
	d := &Drafts{Titles: map[string]string{}}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !scenes.IsCardFile(path) {
				return err
			}
			text, err := os.ReadFile(path)
			if err == nil {
				d.add(path, text)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Drafts) add(path string, text []byte) {
	c, err := scenes.ParseCard(path, text)
	if err == nil {
		d.Titles[c.ID] = c.Title.In("en")
		return
	}
	if _, err := scenes.ParsePackSource(path, text); err == nil {
		return
	}
	if _, err := scenes.ParseScenario(path, text); err != nil {
		d.Unreadable++
	}
}

// cards are all cards that something tells of.
type cards struct {
	byID  map[string]*Card
	draft map[string]bool // those in an author's directory
}

func (c *cards) of(id, title string) *Card {
	if c.byID[id] == nil {
		c.byID[id] = &Card{ID: id, Title: title, Authors: []string{}, Uses: []Use{}}
	}
	return c.byID[id]
}

// catalog adds the cards of the packs.
func (c *cards) catalog(x *catalog.Index) {
	if x == nil {
		return
	}
	for _, it := range x.Items {
		for _, m := range it.Cards {
			title := it.Title.En
			if len(it.Cards) > 1 {
				title = m.ID
			}
			k := c.of(m.ID, title)
			k.Packs++
			if !slices.Contains(k.Authors, it.Author) {
				k.Authors = append(k.Authors, it.Author)
				slices.Sort(k.Authors)
			}
			k.Remixes = max(k.Remixes, it.Remixes)
		}
	}
}

func (c *cards) drafts(d *Drafts) {
	if d != nil {
		for id, title := range d.Titles {
			c.of(id, title)
			c.draft[id] = true
		}
	}
}

// studyName names a study and its version.
func studyName(s *scenes.Study) string { return s.ID + " " + strconv.Itoa(s.Version) }

// study adds what a study says of the cards that it watched.
func (c *cards) study(s *Study) {
	for i := range s.Report.Tasks {
		t := &s.Report.Tasks[i]
		if !t.Card {
			continue
		}
		u := Use{Study: studyName(s.Card), Firings: t.Episodes, Weeks: []WeekUse{}}
		for _, f := range t.Figures {
			if f.Name == "regret" {
				u.Regret = f.All
			}
		}
		for _, table := range t.Tables {
			if table.Name == review.WeeksTable {
				u.byWeek(&table)
			}
		}
		k := c.of(t.Name, t.Title)
		k.Uses = append(k.Uses, u)
	}
}

// byWeek fills in the weeks, and the most cars of one.
func (u *Use) byWeek(t *review.Table) {
	for _, b := range t.Buckets {
		if b.Count != nil && *b.Count > 0 && (u.Cars == nil || *b.Count > *u.Cars) {
			u.Cars = b.Count
		}
		if b.Label != review.OtherWeeks {
			u.Weeks = append(u.Weeks, WeekUse{b.Label, b.Count})
		}
	}
}

// adopted reports whether k or more cars ran the card in a week: a count that is
// shown and is not 0 has k behind it.
func (c *Card) adopted() bool {
	return slices.ContainsFunc(c.Uses, func(u Use) bool { return u.Cars != nil })
}

// list gives every card its stage. A card of a study that was in no pack, nor run
// by enough cars, is none of these and is left out.
func (c *cards) list() []Card {
	list := []Card{}
	for _, id := range slices.Sorted(maps.Keys(c.byID)) {
		k := c.byID[id]
		switch {
		case k.Packs > 0 && k.adopted():
			k.Stage = Adopted
		case k.Packs > 0:
			k.Stage = Shared
		case k.adopted():
			k.Stage = Elsewhere
		case c.draft[id]:
			k.Stage = Draft
		default:
			continue
		}
		list = append(list, *k)
	}
	slices.SortStableFunc(list, func(a, b Card) int {
		return cmp.Compare(slices.Index(stageOrder, a.Stage), slices.Index(stageOrder, b.Stage))
	})
	return list
}

func stages(list []Card, d *Drafts) (s Stages) {
	drafts := 0
	for i := range list {
		switch list[i].Stage {
		case Draft:
			drafts++
		case Shared:
			s.Shared++
			if len(list[i].Uses) == 0 {
				s.Unwatched++
			}
		case Adopted:
			s.Adopted++
		case Elsewhere:
			s.Elsewhere++
		}
	}
	if d != nil {
		s.Draft, s.Unreadable = &drafts, d.Unreadable
	}
	return s
}
