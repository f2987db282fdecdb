package review

import "slices"

// A Sheet is everything that a report could say of one task. It is the one place
// where k is kept: a report shows the cells that Suppress leaves, and what can be
// computed from them, and nothing else.
//
// An atom is a kind of episode that no cell tells apart further. At most one
// episode a task, week and vehicle is released, so the greatest week of some
// atoms together is a number of vehicles that are surely behind them.
type Sheet struct {
	K     int        // the least number of vehicles behind whatever is shown
	Atoms [][]uint32 // of each atom: its episodes by week; all of one length
	Cells []Cell
	Lines []Line
}

// Cell is one number that a report could show: a weighted sum of atoms.
type Cell struct {
	Parts    []Part // by atom, each once, without weights of 0
	Rank     int    // what is given up first to protect another cell: the lowest
	Withheld bool   // set by Suppress
}

// Part is an atom's weight in a cell: 1 where episodes are counted, the number
// of touches where those are.
type Part struct{ Atom, Weight int32 }

// Line is a cell and those that add up to it: its complement, for one, is a
// cell like any other.
type Line struct {
	Sum   int
	Cells []int
}

// Value is the cell's number.
func (s *Sheet) Value(cell int) (n int) {
	for _, p := range s.Cells[cell].Parts {
		for _, w := range s.Atoms[p.Atom] {
			n += int(p.Weight) * int(w)
		}
	}
	return n
}

// Vehicles is how many vehicles are surely behind some cells together.
func (s *Sheet) Vehicles(cells ...int) int {
	if len(s.Atoms) == 0 {
		return 0
	}
	seen := make([]bool, len(s.Atoms))
	weeks := make([]int, len(s.Atoms[0]))
	for _, i := range cells {
		for _, p := range s.Cells[i].Parts {
			if seen[p.Atom] {
				continue
			}
			seen[p.Atom] = true
			for w, n := range s.Atoms[p.Atom] {
				weeks[w] += int(n)
			}
		}
	}
	return slices.Max(weeks)
}

// Suppress withholds cells until none with fewer than k vehicles is shown or can
// be computed from what is, nor the sum of such cells of one table. For that it
// gives up further cells, of the lowest rank and with the fewest vehicles first.
// In the end no withheld cell can be computed: what follows from shown cells and
// has k vehicles is shown too. An empty cell has nobody behind it and is shown.
func (s *Sheet) Suppress() {
	c := censor{Sheet: s}
	for i := range s.Cells {
		c.behind = append(c.behind, s.Vehicles(i))
	}
	for {
		for c.rules() {
		}
		told := s.Recoverable(c.secrets())
		if len(told) == 0 {
			break
		}
		give := make([]int, len(told))
		for i, r := range told {
			give[i] = c.smallest(r.From)
		}
		s.Cells[c.smallest(give)].Withheld = true // one: the others may be hidden by it
	}
	for _, r := range s.Recoverable(c.harmless()) {
		s.Cells[r.Cells[0]].Withheld = false
	}
}

// censor applies the rules to a sheet.
type censor struct {
	*Sheet
	behind []int // vehicles behind each cell
}

// few reports whether a cell has vehicles behind it, and fewer than k.
func (c *censor) few(cell int) bool { return 0 < c.behind[cell] && c.behind[cell] < c.K }

// secrets are the sums that nobody may compute: cells with few vehicles, and of
// each line two of them or all together, if these are still few.
func (c *censor) secrets() (sums [][]int) {
	for i := range c.Cells {
		if c.few(i) {
			sums = append(sums, []int{i})
		}
	}
	for _, line := range c.Lines {
		cells := slices.DeleteFunc(slices.Clone(line.Cells), func(i int) bool { return !c.few(i) })
		if len(cells) > 2 && c.Vehicles(cells...) < c.K {
			sums = append(sums, cells)
		}
		for i, a := range cells {
			for _, b := range cells[i+1:] {
				if c.Vehicles(a, b) < c.K {
					sums = append(sums, []int{a, b})
				}
			}
		}
	}
	return sums
}

// harmless are the withheld cells with k vehicles or more, each by itself.
func (c *censor) harmless() (cells [][]int) {
	for i := range c.Cells {
		if c.Cells[i].Withheld && c.behind[i] >= c.K {
			cells = append(cells, []int{i})
		}
	}
	return cells
}

// rules applies each rule once and reports whether one of them withheld a cell.
func (c *censor) rules() (more bool) {
	hide := func(i int) {
		if i >= 0 && !c.Cells[i].Withheld {
			c.Cells[i].Withheld, more = true, true
		}
	}
	for i := range c.Cells {
		if c.few(i) {
			hide(i)
		}
	}
	for _, line := range c.Lines {
		switch {
		case c.Cells[line.Sum].Withheld: // a part says nothing without its whole
			for _, i := range line.Cells {
				hide(i)
			}
		case !c.hidden(line.Cells):
			if i := c.smallest(line.Cells); i >= 0 {
				hide(i)
				continue
			}
			for _, i := range line.Cells { // nor which of them are empty
				hide(i)
			}
		}
	}
	return more
}

// hidden reports whether the withheld cells of a line hide each other, whose sum
// is known. Who sees which are empty knows that m are not; k-1 values must still
// be possible for each, so that much must be in them together.
func (c *censor) hidden(line []int) bool {
	var withheld []int
	all := true
	for _, i := range line {
		if all = all && c.Cells[i].Withheld; c.Cells[i].Withheld && c.behind[i] > 0 {
			withheld = append(withheld, i)
		}
	}
	m := len(withheld)
	return m == 0 || all || m > 1 && c.Vehicles(withheld...) >= c.K+m-2
}

// smallest is the shown cell to give up first, -1 if all are withheld or empty.
func (c *censor) smallest(cells []int) int {
	best := -1
	for _, i := range cells {
		if c.Cells[i].Withheld || c.behind[i] == 0 {
			continue
		}
		if best < 0 || c.Cells[i].Rank < c.Cells[best].Rank ||
			c.Cells[i].Rank == c.Cells[best].Rank && c.behind[i] < c.behind[best] {
			best = i
		}
	}
	return best
}
