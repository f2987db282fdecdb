package catalog

import (
	"cmp"
	"fmt"
	"slices"

	"vignette/scenes"
)

// settle decides which packs the catalogue takes, of all that could be read: each
// once, one of each version of an author's, and none that gives wrong credit. It
// orders them, and fills in who comes from whom.
func settle(packs []*entry, adoption *Adoption) (taken []*entry, refused []Refusal) {
	slices.SortFunc(packs, func(a, b *entry) int { return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.source, b.source)) })
	bySum := map[string]*entry{}
	for _, p := range packs {
		if bySum[p.SHA256] == nil {
			bySum[p.SHA256] = p
		}
	}
	byVersion := map[string]*entry{}
	slices.SortStableFunc(packs, func(a, b *entry) int { return cmp.Compare(a.source, b.source) })
	for _, p := range packs {
		if err := p.refuse(bySum, byVersion); err != nil {
			refused = append(refused, Refusal{p.source, err})
			continue
		}
		byVersion[p.versionName()] = p
		taken = append(taken, p)
	}
	relate(taken)
	for _, p := range taken {
		p.Remixes, p.Adopted = p.descendants(), adoption.of(p.Item.Cards)
	}
	slices.SortFunc(taken, comparePacks)
	return taken, refused
}

// line is what all versions of a pack have alike: its id and the key that signed
// them, or where there is none its author.
func (e *entry) line() string {
	if e.Key == "" {
		return e.Pack + " by " + e.Author
	}
	return e.Pack + " " + e.Key
}

func (e *entry) versionName() string { return e.line() + " " + e.Version }

// refuse says why a pack that can be read has no place beside others.
func (e *entry) refuse(bySum, byVersion map[string]*entry) error {
	if same := bySum[e.SHA256]; same != e {
		return fmt.Errorf("is the same file as %s; keep one", same.source)
	}
	if other := byVersion[e.versionName()]; other != nil {
		return fmt.Errorf("is another %s %s of %s than %s; an author gives each version out once", e.Pack, e.Version, e.Author, other.source)
	}
	if e.DerivedFrom == nil {
		return nil
	}
	if parent := bySum[e.DerivedFrom.SHA256]; parent != nil {
		if name := parent.Pack + "@" + parent.Version; name != e.DerivedFrom.Pack || parent.Author != e.DerivedFrom.Author {
			return fmt.Errorf("gives wrong credit: `derived_from` says %s by %s, and that file (%s) is %s by %s",
				e.DerivedFrom.Pack, e.DerivedFrom.Author, parent.source, name, parent.Author)
		}
	}
	return nil
}

// relate links packs with their parents, remixes and other versions.
func relate(packs []*entry) {
	bySum, lines, keys := map[string]*entry{}, map[string][]*entry{}, map[string]map[string]bool{}
	for _, p := range packs {
		bySum[p.SHA256] = p
		if keys[p.Author] == nil {
			keys[p.Author] = map[string]bool{}
		}
		keys[p.Author][p.Key] = true
		lines[p.line()] = append(lines[p.line()], p)
	}
	for _, p := range packs {
		if p.DerivedFrom == nil {
			continue
		}
		p.parent = bySum[p.DerivedFrom.SHA256]
		if p.DerivedFrom.Here = p.parent != nil; p.parent != nil {
			p.parent.remixes = append(p.parent.remixes, p)
		}
	}
	for _, p := range packs {
		slices.SortFunc(p.remixes, func(a, b *entry) int { return cmp.Compare(a.Page, b.Page) })
		versions := lines[p.line()]
		slices.SortFunc(versions, func(a, b *entry) int {
			return cmp.Or(scenes.CompareVersions(b.Version, a.Version), cmp.Compare(a.SHA256, b.SHA256))
		})
		p.Newest, p.keys = versions[0] == p, len(keys[p.Author])
		p.others = slices.DeleteFunc(slices.Clone(versions), func(o *entry) bool { return o == p })
	}
}

// descendants counts the remixes of a pack, and theirs; versions of one line are
// one remix, and its own line is none.
func (e *entry) descendants() int {
	seen := map[string]bool{e.line(): true}
	walked := map[*entry]bool{}
	var walk func(p *entry)
	walk = func(p *entry) {
		for _, c := range p.remixes {
			if !walked[c] {
				walked[c], seen[c.line()] = true, true
				walk(c)
			}
		}
	}
	walk(e)
	return len(seen) - 1
}

// comparePacks is the catalogue's order: what most cars run, what most was made
// of, then by id.
func comparePacks(a, b *entry) int {
	cars := func(p *entry) int {
		if p.Adopted == nil {
			return 0
		}
		return p.Adopted.Cars
	}
	return cmp.Or(cmp.Compare(cars(b), cars(a)), cmp.Compare(b.Remixes, a.Remixes), cmp.Compare(a.Pack, b.Pack),
		cmp.Compare(a.Author, b.Author), scenes.CompareVersions(b.Version, a.Version), cmp.Compare(a.SHA256, b.SHA256))
}
