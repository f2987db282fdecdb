package review

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
)

// rationals is a slow and obvious matrix: it finds whether a row is a sum of
// others, with fractions.
type rationals struct{ rows [][]*big.Rat }

func (m *rationals) reduce(row []*big.Rat) []*big.Rat {
	v := make([]*big.Rat, len(row))
	for i := range row {
		v[i] = new(big.Rat).Set(row[i])
	}
	for _, r := range m.rows {
		lead := slices.IndexFunc(r, func(x *big.Rat) bool { return x.Sign() != 0 })
		if v[lead].Sign() == 0 {
			continue
		}
		f := new(big.Rat).Quo(v[lead], r[lead])
		for i := range v {
			v[i].Sub(v[i], new(big.Rat).Mul(f, r[i]))
		}
	}
	return v
}

func zero(v []*big.Rat) bool {
	return !slices.ContainsFunc(v, func(x *big.Rat) bool { return x.Sign() != 0 })
}

func (m *rationals) add(row []*big.Rat) {
	if v := m.reduce(row); !zero(v) {
		m.rows = append(m.rows, v)
	}
}

func (m *rationals) spans(row []*big.Rat) bool { return zero(m.reduce(row)) }

// rowOf is a sum of cells over all atoms.
func rowOf(s *Sheet, cells ...int) []*big.Rat {
	row := make([]*big.Rat, len(s.Atoms))
	for i := range row {
		row[i] = new(big.Rat)
	}
	for _, c := range cells {
		for _, p := range s.Cells[c].Parts {
			row[p.Atom].Add(row[p.Atom], big.NewRat(int64(p.Weight), 1))
		}
	}
	return row
}

// randomSheet has atoms that several tables cut in different ways, each also by
// group, so that totals, complements and tables are linked.
func randomSheet(r *rand.Rand) *Sheet {
	s := &Sheet{K: 3 + r.IntN(6)}
	weeks := 1 + r.IntN(3)
	for range 4 + r.IntN(12) {
		atom := make([]uint32, weeks)
		for w := range atom {
			atom[w] = uint32(1 + r.ExpFloat64()*float64(s.K))
		}
		s.Atoms = append(s.Atoms, atom)
	}
	cell := func(rank int, weight func(atom int) int32) int {
		c := Cell{Rank: rank}
		for a := range s.Atoms {
			if w := weight(a); w > 0 {
				c.Parts = append(c.Parts, Part{int32(a), w})
			}
		}
		s.Cells = append(s.Cells, c)
		return len(s.Cells) - 1
	}
	group := make([]int, len(s.Atoms))
	for a := range group {
		group[a] = r.IntN(3)
	}
	all := cell(9, func(int) int32 { return 1 })
	var groups []int
	for g := range 3 {
		groups = append(groups, cell(8, func(a int) int32 { return b2i(group[a] == g) }))
	}
	s.Lines = append(s.Lines, Line{all, groups})
	for range 1 + r.IntN(4) {
		of := 2 + r.IntN(3)
		part := make([]int, len(s.Atoms))
		for a := range part {
			part[a] = r.IntN(of)
		}
		var parts []int
		split := make([][]int, 3)
		for b := range of {
			parts = append(parts, cell(3, func(a int) int32 { return b2i(part[a] == b) }))
			var by []int
			for g := range 3 {
				by = append(by, cell(2, func(a int) int32 { return b2i(part[a] == b && group[a] == g) }))
				split[g] = append(split[g], by[g])
			}
			s.Lines = append(s.Lines, Line{parts[b], by})
		}
		s.Lines = append(s.Lines, Line{all, parts})
		for g := range 3 {
			s.Lines = append(s.Lines, Line{groups[g], split[g]})
		}
	}
	return s
}

func b2i(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// attack checks what a suppressed sheet gives away.
func attack(s *Sheet) error {
	var known rationals
	for i := range s.Cells {
		if s.Cells[i].Withheld {
			continue
		}
		if n := s.Vehicles(i); 0 < n && n < s.K {
			return fmt.Errorf("cell %d is shown with %d vehicles", i, n)
		}
		known.add(rowOf(s, i))
	}
	for i := range s.Cells {
		if s.Cells[i].Withheld && len(s.Cells[i].Parts) > 0 && known.spans(rowOf(s, i)) {
			return fmt.Errorf("withheld cell %d (%d vehicles) follows from what is shown", i, s.Vehicles(i))
		}
	}
	for _, line := range s.Lines {
		few := slices.DeleteFunc(slices.Clone(line.Cells), func(i int) bool { n := s.Vehicles(i); return n == 0 || n >= s.K })
		if len(few) > 0 && s.Vehicles(few...) < s.K && known.spans(rowOf(s, few...)) {
			return fmt.Errorf("cells %v together (%d vehicles) follow from what is shown", few, s.Vehicles(few...))
		}
	}
	return nil
}

// TestNothingWithheldFollows attacks random tables with fractions.
func TestNothingWithheldFollows(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	shown, cells, bare := 0, 0, 0
	for n := range 400 {
		s := randomSheet(r)
		for i := range s.Cells {
			s.Cells[i].Withheld = 0 < s.Vehicles(i) && s.Vehicles(i) < s.K
		}
		if attack(s) != nil {
			bare++
		}
		s.Suppress()
		if err := attack(s); err != nil {
			t.Fatalf("sheet %d: %v\n%+v", n, err, s)
		}
		for i := range s.Cells {
			cells++
			shown += int(b2i(!s.Cells[i].Withheld))
		}
	}
	t.Logf("%d of %d cells are shown; of the 400 tables %d gave something away with the small cells alone withheld", shown, cells, bare)
	if bare < 100 || shown < cells/10 {
		t.Errorf("%d of 400 tables needed more than the small cells withheld, %d of %d cells are shown: the tables are too easy or the report too empty", bare, shown, cells)
	}
}

// TestLineHidesItsCells: a sum that is known must leave k-1 values possible.
func TestLineHidesItsCells(t *testing.T) {
	for _, c := range []struct {
		k     int
		cells []uint32
		want  string // o shown, x withheld
	}{
		{5, []uint32{100, 200}, "oo"},
		{5, []uint32{100, 4}, "xx"},
		{5, []uint32{100, 200, 4}, "xox"},
		{5, []uint32{100, 200, 0}, "ooo"},
		{5, []uint32{2, 2, 100, 200}, "xxxo"},
		{5, []uint32{3, 4, 100, 200}, "xxoo"},
		{5, []uint32{1, 1, 1, 1, 1, 0}, "xxxxxx"}, // all would be 1 if the empty one were shown
		{5, []uint32{5, 5}, "oo"},
	} {
		s := &Sheet{K: c.k}
		all := Cell{Rank: 9}
		line := Line{Sum: 0}
		s.Cells = []Cell{{}}
		for i, n := range c.cells {
			if s.Atoms = append(s.Atoms, []uint32{n}); n > 0 {
				all.Parts = append(all.Parts, Part{int32(i), 1})
				s.Cells = append(s.Cells, Cell{Parts: []Part{{int32(i), 1}}})
			} else {
				s.Cells = append(s.Cells, Cell{})
			}
			line.Cells = append(line.Cells, i+1)
		}
		s.Cells[0], s.Lines = all, []Line{line}
		s.Suppress()
		got := ""
		for _, i := range line.Cells {
			got += string("ox"[b2i(s.Cells[i].Withheld)])
		}
		if got != c.want || s.Cells[0].Withheld {
			t.Errorf("k %d, %v: %s (sum withheld: %v), want %s", c.k, c.cells, got, s.Cells[0].Withheld, c.want)
		}
	}
}

// TestVehiclesAreOfTheGreatestWeek: the same car may come again the week after.
func TestVehiclesAreOfTheGreatestWeek(t *testing.T) {
	s := &Sheet{K: 5, Atoms: [][]uint32{{4, 4, 4}, {1, 0, 0}}, Cells: []Cell{{Parts: []Part{{0, 1}}}, {Parts: []Part{{1, 3}}}}}
	if s.Vehicles(0) != 4 || s.Value(0) != 12 || s.Vehicles(0, 1) != 5 || s.Value(1) != 3 {
		t.Errorf("%d vehicles of %d, %d together", s.Vehicles(0), s.Value(0), s.Vehicles(0, 1))
	}
	s.Suppress()
	if !s.Cells[0].Withheld || !s.Cells[1].Withheld {
		t.Error("twelve episodes of four cars are shown")
	}
}

// TestRaisedKTellsNoMore: a report with a raised k shows only numbers that the
// one with the study's own shows too, and the same ones, so that nothing follows
// from both that does not from one.
func TestRaisedKTellsNoMore(t *testing.T) {
	o := newOpinions(t)
	o.add(1, 1, 0, 100) // of build a
	o.add(1, 2, 0, 12)  // of build b, which has fewer than 13 vehicles
	o.add(1, 0, 0, 2)   // of builds that nobody may know
	bags := []*Bag{o.bag(t)}
	for truth := range fleets {
		if len(bags) == 4 {
			break
		}
		_, b := draw(t, truth)
		bags = append(bags, b)
	}
	compared := 0
	for i, b := range bags {
		all := shownBy(t, b, 0)
		for more := 1; more <= 64; more *= 8 {
			for name, n := range shownBy(t, b, b.Study.K+more) {
				compared++
				if was, shown := all[name]; !shown || was != n {
					t.Errorf("dataset %d, k raised from %d by %d: %s is %s, and %q (%t) where it was not", i, b.Study.K, more, name, n, was, shown)
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d numbers compared: the datasets are too small", compared)
	}
}

// shownBy are the counts that a report of a k shows, but for other ways, which
// are those that it does not list.
func shownBy(t *testing.T, b *Bag, k int) map[string]string {
	t.Helper()
	r, err := New(b, Options{K: k})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, row := range rows(t, r) {
		if row["count"] != "" && row["table"] != "risk" && !strings.HasPrefix(row["item"], "other ") {
			shown[strings.Join([]string{row["task"], row["table"], row["item"], row["group"]}, " ")] = row["count"]
		}
	}
	return shown
}

// TestFilesTellNothingWithheld: cars deliver an episode a file, so the number of
// files less what is shown would be what is withheld.
func TestFilesTellNothingWithheld(t *testing.T) {
	for _, c := range []struct {
		name      string
		few, left int // choices made on the home screen, and episodes of no cohort of the study
		shown     bool
	}{
		{"all is told", 10, 0, true},
		{"a task is withheld", 7, 0, false},
		{"what is left out is withheld", 10, 3, false},
	} {
		o := newOpinions(t)
		o.add(1, 1, 0, 40)
		o.add(3, 1, 0, 40)
		o.add(8, 1, 0, 40)
		o.add(6, 1, 0, c.few)
		o.add(6, 9, 0, c.left)
		o.study.Tasks = slices.DeleteFunc(o.study.Tasks, func(k scenes.Task) bool { return k.Name == "open" }) // of which there is nothing
		bag := o.bag(t)
		bag.Files = len(o.eps)
		r, err := New(bag, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if shown := r.Files != nil; shown != c.shown {
			t.Errorf("%s: the report shows %s files (%t), want %t", c.name, number(r.Files), shown, c.shown)
		}
	}
}
