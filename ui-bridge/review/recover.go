package review

import "slices"

// Recovered are withheld cells whose sum can be computed from shown ones.
type Recovered struct {
	Cells []int
	From  []int // the shown cells that it is a sum of, each with some factor
}

// prime is 2³¹-1. Sums of cells are compared modulo it: what can be computed
// with fractions can be computed so too, unless a denominator is a multiple of
// it, and chance makes a false alarm once in about 2³¹ cells.
const prime = 1<<31 - 1

// mostAtoms is how many atoms are looked at. With fewer of them more seems
// recoverable, never less: what is a sum of cells is one on any choice of atoms.
const mostAtoms = 2048

// Recoverable finds those of some sums of withheld cells that are a weighted sum
// of shown ones, across tables, totals and complements: their rows in the matrix
// of cells by atoms are in the span of the shown cells' rows. It takes the side
// of an attacker who knows which kinds of episodes there are at all.
func (s *Sheet) Recoverable(sums [][]int) (list []Recovered) {
	if len(sums) == 0 {
		return nil
	}
	var shown []int
	implied := s.implied()
	for i := range s.Cells {
		if !s.Cells[i].Withheld && !implied[i] && len(s.Cells[i].Parts) > 0 {
			shown = append(shown, i)
		}
	}
	single := make([][]int, len(shown))
	for i := range shown {
		single[i] = shown[i : i+1]
	}
	rows := s.project(append(single, sums...), len(shown)+8)
	if found := newSpan(rows[:len(shown)], false).holds(rows[len(shown):]); !slices.Contains(found, true) {
		return nil
	}
	span := newSpan(rows[:len(shown)], true)
	for j, cells := range sums {
		if from, ok := span.combination(rows[len(shown)+j]); ok {
			for k := range from {
				from[k] = shown[from[k]]
			}
			list = append(list, Recovered{cells, from})
		}
	}
	return list
}

// implied are the shown cells that follow from other shown ones by a line: they
// need no row. A line with an implied cell implies no other, so that none
// follows from itself.
func (s *Sheet) implied() []bool {
	implied := make([]bool, len(s.Cells))
	for _, line := range s.Lines {
		cells := append([]int{line.Sum}, line.Cells...)
		if !slices.ContainsFunc(cells, func(i int) bool { return implied[i] || s.Cells[i].Withheld }) {
			implied[cells[len(cells)-1]] = true
		}
	}
	return implied
}

// project gives each sum of cells a row of few random sums over its atoms. Rows
// that depend on each other still do, and others still do not, but for chance.
func (s *Sheet) project(sums [][]int, width int) (rows [][]uint64) {
	chosen := s.chooseAtoms()
	draw := newDraws(len(s.Atoms)*width + 1)
	vectors := make([][]uint64, len(s.Atoms))
	for _, cells := range sums {
		row := make([]uint64, width)
		for _, i := range cells {
			for _, p := range s.Cells[i].Parts {
				if !chosen[p.Atom] {
					continue
				}
				if vectors[p.Atom] == nil {
					vectors[p.Atom] = draw.row(width)
				}
				for j, v := range vectors[p.Atom] {
					row[j] += v * uint64(p.Weight) // weights are below 2¹⁶, and atoms few
				}
			}
		}
		for j := range row {
			row[j] %= prime
		}
		rows = append(rows, row)
	}
	return rows
}

// chooseAtoms picks the atoms to look at: all, or some of every cell.
func (s *Sheet) chooseAtoms() []bool {
	chosen := make([]bool, len(s.Atoms))
	each := len(s.Atoms)
	if each > mostAtoms {
		each = max(2, mostAtoms/len(s.Cells))
	}
	for i := range s.Cells {
		parts := s.Cells[i].Parts
		step := max(1, len(parts)/each)
		for j := 0; j < len(parts); j += step {
			chosen[parts[j].Atom] = true
		}
	}
	return chosen
}

// draws are numbers below prime that look random and are the same each time.
type draws uint64

func newDraws(seed int) *draws { d := draws(seed); return &d }

func (d *draws) row(n int) []uint64 {
	row := make([]uint64, n)
	for i := range row { // SplitMix64
		*d += 0x9E3779B97F4A7C15
		z := uint64(*d)
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		row[i] = (z ^ z>>31) % prime
	}
	return row
}

// span is the space of some rows in echelon form, modulo prime.
type span struct {
	width  int
	track  int // how many columns after width say which rows a row is made of; 0: none
	rows   [][]uint64
	pivots []int
}

func newSpan(rows [][]uint64, track bool) *span {
	sp := &span{}
	if len(rows) == 0 {
		return sp
	}
	sp.width = len(rows[0])
	if track {
		sp.track = len(rows)
	}
	for i, row := range rows {
		v := sp.extend(row)
		if track {
			v[sp.width+i] = 1
		}
		if pivot := sp.reduce(v); pivot >= 0 {
			scale(v, inverse(v[pivot]))
			sp.rows, sp.pivots = append(sp.rows, v), append(sp.pivots, pivot)
		}
	}
	return sp
}

func (sp *span) extend(row []uint64) []uint64 {
	v := make([]uint64, len(row)+sp.track)
	copy(v, row)
	return v
}

// reduce takes the span's rows out of v and returns where the rest begins, -1
// if nothing is left of it.
func (sp *span) reduce(v []uint64) int {
	for r, row := range sp.rows {
		if f := v[sp.pivots[r]]; f != 0 {
			minus := prime - f
			for j := sp.pivots[r]; j < len(row); j++ { // it begins there
				y := v[j] + minus*row[j] // below 2⁶³
				y = y&prime + y>>31
				y = y&prime + y>>31
				if y >= prime {
					y -= prime
				}
				v[j] = y
			}
		}
	}
	return slices.IndexFunc(v[:len(v)-sp.track], func(x uint64) bool { return x != 0 })
}

// holds reports which vectors are in the span.
func (sp *span) holds(vectors [][]uint64) (found []bool) {
	for _, v := range vectors {
		found = append(found, sp.reduce(sp.extend(v)) < 0)
	}
	return found
}

// combination finds the rows that a vector is made of, by their places.
func (sp *span) combination(v []uint64) (from []int, ok bool) {
	rest := sp.extend(v)
	if sp.reduce(rest) >= 0 {
		return nil, false
	}
	for i, x := range rest[len(v):] {
		if x != 0 {
			from = append(from, i)
		}
	}
	return from, true
}

func scale(v []uint64, f uint64) {
	for j := range v {
		v[j] = v[j] * f % prime
	}
}

// inverse is 1/x modulo prime, by Fermat.
func inverse(x uint64) uint64 {
	r := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			r = r * x % prime
		}
		x = x * x % prime
	}
	return r
}
