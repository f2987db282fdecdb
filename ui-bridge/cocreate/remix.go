package cocreate

import (
	"cmp"
	"fmt"
	"slices"

	"vignette/scenes/catalog"
)

func weekLabel(year, week int) string { return fmt.Sprintf("%d-W%02d", year, week) }

// Remixes is what came of shared packs.
type Remixes struct {
	Packs    int      `json:"packs"`     // of the catalogue, each version
	Remixes  int      `json:"remixes"`   // that name a parent
	OfOthers int      `json:"of_others"` // whose parent is another author's
	Orphans  int      `json:"orphans"`   // whose parent is not in the catalogue
	Authors  int      `json:"authors"`   // of all packs
	Remixers int      `json:"remixers"`  // who made a remix of another's pack
	Remixed  int      `json:"remixed"`   // authors of whose packs others made one
	Deepest  int      `json:"deepest"`   // generations after the first
	Adopted  int      `json:"adopted"`   // remixes with a card that is adopted
	Most     []Origin `json:"most"`      // the packs that most came of
}

// Origin is a pack that others built on.
type Origin struct {
	Pack    string `json:"pack"` // id@version
	Author  string `json:"author"`
	Direct  int    `json:"direct"`  // packs that name it as parent
	All     int    `json:"all"`     // these, and all that came of them
	Authors int    `json:"authors"` // of these, other than its own
}

// mostOrigins is how many of them a report lists.
const mostOrigins = 20

// remixes counts what was made of what.
func remixes(x *catalog.Index, list []Card) Remixes {
	r := Remixes{Most: []Origin{}}
	if x == nil {
		return r
	}
	adopted := map[string]bool{}
	for i := range list {
		adopted[list[i].ID] = list[i].Stage == Adopted
	}
	f := newForest(x)
	r.Packs = len(x.Items)
	authors, remixers, remixed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range x.Items {
		it := &x.Items[i]
		authors[it.Author] = true
		if it.DerivedFrom == nil {
			continue
		}
		r.Remixes++
		if slices.ContainsFunc(it.Cards, func(m catalog.Member) bool { return adopted[m.ID] }) {
			r.Adopted++
		}
		if it.DerivedFrom.Author != it.Author {
			r.OfOthers++
			remixers[it.Author], remixed[it.DerivedFrom.Author] = true, true
		}
		if f.parent(i) < 0 {
			r.Orphans++
		}
		r.Deepest = max(r.Deepest, f.depth(i))
	}
	r.Authors, r.Remixers, r.Remixed = len(authors), len(remixers), len(remixed)
	r.Most = f.origins()
	return r
}

// forest is the packs of a catalogue by who comes from whom.
type forest struct {
	items    []catalog.Item
	at       map[string]int // by SHA-256
	children [][]int
}

func newForest(x *catalog.Index) *forest {
	f := &forest{items: x.Items, at: map[string]int{}, children: make([][]int, len(x.Items))}
	for i := range x.Items {
		f.at[x.Items[i].SHA256] = i
	}
	for i := range x.Items {
		if p := f.parent(i); p >= 0 {
			f.children[p] = append(f.children[p], i)
		}
	}
	return f
}

// parent is a pack's parent, -1 if it has none here. A hash cannot name itself, so
// there are no loops but in an index that was made by hand.
func (f *forest) parent(i int) int {
	d := f.items[i].DerivedFrom
	if d == nil {
		return -1
	}
	p, ok := f.at[d.SHA256]
	if !ok || p == i {
		return -1
	}
	return p
}

// depth counts a pack's ancestors, no more than there are packs.
func (f *forest) depth(i int) (n int) {
	for n < len(f.items) {
		p := f.parent(i)
		if p < 0 {
			if f.items[i].DerivedFrom != nil {
				n++ // the one that is not here
			}
			return n
		}
		i = p
		n++
	}
	return n
}

// origins are the packs that most came of.
func (f *forest) origins() []Origin {
	list := []Origin{}
	for i := range f.items {
		if len(f.children[i]) == 0 {
			continue
		}
		o := Origin{Pack: f.items[i].Pack + "@" + f.items[i].Version, Author: f.items[i].Author, Direct: len(f.children[i])}
		seen, others := map[int]bool{i: true}, map[string]bool{}
		for queue := slices.Clone(f.children[i]); len(queue) > 0; {
			c := queue[0]
			if queue = queue[1:]; seen[c] {
				continue
			}
			seen[c] = true
			others[f.items[c].Author] = f.items[c].Author != o.Author
			queue = append(queue, f.children[c]...)
		}
		o.All = len(seen) - 1
		for _, other := range others {
			if other {
				o.Authors++
			}
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Origin) int {
		return cmp.Or(cmp.Compare(b.All, a.All), cmp.Compare(b.Direct, a.Direct), cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Author, b.Author))
	})
	return list[:min(len(list), mostOrigins)]
}
