package review

import (
	"cmp"
	"maps"
	"slices"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// mostWays is how many ways a report lists of a task, whole or cut; the rest is
// put together.
const mostWays = 24

// taskSheet is a task's sheet with what its cells mean.
type taskSheet struct {
	Sheet
	task      *scenes.Task
	partOfDay bool // the study has it told
	weekly    *distribution
	dict      *dictionary
	blocks    []string // builds that are told apart; one entry: none are
	kinds     []kind   // of the atoms
	base      int      // the cell of all episodes; -1: the task has fewer than k vehicles
	builds    []int    // the cells of its blocks
	leftOut   []int    // episodes that are in no figure, by week
	leftLeak  bool     // some of them touched a locked element while moving
	figures   []figureCells
	tables    []tableCells
	ways      []wayCells // whole and cut ones, if there are
	bases     []int      // cells that shares are of, to use them again
}

// figureCells are the cells of a figure: for all, and by block.
type figureCells struct {
	*figure
	all    triple
	blocks []triple // empty: no blocks are told apart
}

// triple is a base with those that have something and those that do not.
type triple struct{ base, yes, no int }

// tableCells are those of a distribution.
type tableCells struct {
	*distribution
	sum   int
	cells []int
}

// wayCells are those of the commonest ways, whole or cut.
type wayCells struct {
	whole bool
	sum   int
	ways  []int // of dict.ways
	cells []int
}

// group is what is shown of a task or not at all: a build's whole or cut attempts.
type group struct {
	build uint16
	whole bool
}

// split gives each task its tuples, in no order, and the weeks that there are.
func (b *Bag) split() (tasks [][]tuple, weeks map[uint16]int) {
	tasks, weeks = make([][]tuple, len(b.Study.Tasks)), map[uint16]int{}
	for t := range b.count {
		tasks[t.task] = append(tasks[t.task], t)
		if _, ok := weeks[t.week]; !ok {
			weeks[t.week] = len(weeks)
		}
	}
	return tasks, weeks
}

// newTaskSheet lays out what could be said of a task, by the study's index.
func newTaskSheet(b *Bag, task int, tuples []tuple, weeks map[uint16]int, k int) *taskSheet {
	t := &taskSheet{task: &b.Study.Tasks[task], partOfDay: b.Study.PartOfDay, weekly: weekly(b.Study, subjectOf(&b.Study.Tasks[task])), base: -1, dict: newDictionary(b.Study, &b.Study.Tasks[task])}
	t.K = k
	block := t.chooseBlocks(b, tuples, weeks)
	alike := map[tuple][]uint32{} // by week; the tuples have their block as build
	for _, u := range tuples {
		n := b.count[u]
		at, ok := block[group{u.build, u.whole}]
		if !ok {
			t.leaveOut(&u, weeks, int(n))
			continue
		}
		week := weeks[u.week]
		u.build, u.m = uint16(at), coarse(u.m)
		if t.dict.of == ofTask {
			u.week = 0
		}
		if alike[u] == nil {
			alike[u] = make([]uint32, len(weeks))
		}
		alike[u][week] += n
	}
	index := map[kind]int{}
	for _, u := range slices.SortedFunc(maps.Keys(alike), compareTuples) {
		k := t.kind(&u)
		i, ok := index[k]
		if !ok {
			i = len(t.kinds)
			index[k] = i
			t.kinds = append(t.kinds, k)
			t.Atoms = append(t.Atoms, make([]uint32, len(weeks)))
		}
		for w, n := range alike[u] {
			t.Atoms[i][w] += n
		}
	}
	if len(t.kinds) > 0 {
		t.layOut()
	}
	return t
}

// leaveOut notes episodes that are in no figure.
func (t *taskSheet) leaveOut(u *tuple, weeks map[uint16]int, n int) {
	if t.leftOut == nil {
		t.leftOut = make([]int, len(weeks))
	}
	t.leftOut[weeks[u.week]] += n
	k := t.kind(u)
	t.leftLeak = t.leftLeak || k.leaked()
}

func compareTuples(a, b tuple) int {
	return cmp.Or(cmp.Compare(a.task, b.task), cmp.Compare(a.variant, b.variant), cmp.Compare(a.build, b.build),
		cmp.Compare(a.week, b.week), cmp.Compare(a.tod, b.tod), slices.Compare(a.m[:], b.m[:]))
}

// kind is what cells tell apart of a tuple.
func (t *taskSheet) kind(u *tuple) kind {
	k := kind{block: int(u.build), whole: u.whole, tod: u.tod, week: u.week, m: u.m, facts: t.dict.facts[u.variant][0]}
	if k.whole {
		k.facts = t.dict.facts[u.variant][1]
	}
	return k
}

// coarse makes those buckets of metrics alike that no cell tells apart.
func coarse(m trace.Metrics) trace.Metrics {
	for i, least := range leastMatters {
		if least > 0 && m[i] > 0 {
			m[i] = min(max(m[i], least), least+1)
		}
	}
	return m
}

// othersLeast is the share of a task's episodes from which on those that belong
// to no build that is told apart are a group of their own. Fewer of them would
// only hide the builds: what is few among them must not follow from the rest.
const othersLeast = 0.05

// chooseBlocks decides which builds a task's episodes are told apart by, and what
// is left out. Whole or cut attempts of fewer than k vehicles cannot be shown, nor
// be part of a total that is.
func (t *taskSheet) chooseBlocks(b *Bag, tuples []tuple, weeks map[uint16]int) map[group]int {
	counts := map[group][]int{}
	for _, u := range tuples {
		g := group{u.build, u.whole}
		if counts[g] == nil {
			counts[g] = make([]int, len(weeks))
		}
		counts[g][weeks[u.week]] += int(b.count[u])
	}
	block := t.toldApart(b, counts)
	if len(t.blocks) < 2 {
		t.blocks = []string{"all"}
		clear(block)
	}
	others := map[bool][]int{false: make([]int, len(weeks)), true: make([]int, len(weeks))}
	total, rest := 0, 0
	for g, n := range counts { // sums, in any order
		for w := range n {
			total += n[w]
			if _, told := block[g]; !told {
				others[g.whole][w] += n[w]
				rest += n[w]
			}
		}
	}
	at := len(t.blocks)
	if len(block) == 0 {
		at = 0
	} else if float64(rest) < othersLeast*float64(total) {
		return block
	}
	for g := range counts {
		if _, told := block[g]; !told && slices.Max(others[g.whole]) >= t.K {
			block[g] = at
			if at == len(t.blocks) {
				t.blocks = append(t.blocks, "others together")
			}
		}
	}
	return block
}

// toldApart gives the builds with enough vehicles blocks of their own.
func (t *taskSheet) toldApart(b *Bag, counts map[group][]int) map[group]int {
	block := map[group]int{}
	for i := 1; i < len(b.Builds); i++ {
		at := len(t.blocks)
		for _, whole := range []bool{false, true} {
			if n := counts[group{uint16(i), whole}]; n != nil && slices.Max(n) >= t.K {
				block[group{uint16(i), whole}] = at
				t.blocks = append(t.blocks[:at], b.Builds[i])
			}
		}
	}
	return block
}

// cell adds a cell and returns its index.
func (t *taskSheet) cell(rank int, weight func(k *kind) int32) int {
	c := Cell{Rank: rank}
	for i := range t.kinds {
		if w := weight(&t.kinds[i]); w != 0 {
			c.Parts = append(c.Parts, Part{int32(i), w})
		}
	}
	t.Cells = append(t.Cells, c)
	return len(t.Cells) - 1
}

// baseCell is a cell that shares are of; one of the same episodes is used again.
func (t *taskSheet) baseCell(rank int, weight func(k *kind) int32) int {
	i := t.cell(rank, weight)
	for _, j := range t.bases {
		if slices.Equal(t.Cells[i].Parts, t.Cells[j].Parts) {
			t.Cells = t.Cells[:i]
			return j
		}
	}
	t.bases = append(t.bases, i)
	return i
}

func (t *taskSheet) line(sum int, cells ...int) {
	t.Lines = append(t.Lines, Line{sum, cells})
}

// layOut makes the cells of a task.
func (t *taskSheet) layOut() {
	t.base = t.baseCell(rankTask, func(*kind) int32 { return 1 })
	if len(t.blocks) > 1 {
		for b := range t.blocks {
			t.builds = append(t.builds, t.baseCell(rankBase, func(k *kind) int32 { return in(k, b) }))
		}
		t.line(t.base, t.builds...)
	}
	for _, f := range t.figuresOf() {
		t.addFigure(&f)
	}
	if t.dict.of == ofTask {
		for i := range distributions {
			t.addTable(&distributions[i])
		}
		if t.partOfDay {
			t.addTable(&partOfDay)
		}
		if t.dict.klm.known() {
			t.addResidual()
		}
	}
	if t.dict.of != ofTask {
		t.addTable(t.weekly)
	}
	if t.dict.of == ofFeedback {
		t.addChoices() // which are its ways
		return
	}
	t.addWays()
}

// in is 1 for episodes of a block.
func in(k *kind, block int) int32 { return one(k.block == block) }

func (t *taskSheet) addFigure(f *figure) {
	cells := figureCells{figure: f, all: t.triple(f, func(*kind) int32 { return 1 }, f.rank)}
	if len(t.blocks) > 1 {
		var bases, yes, no []int
		for b := range t.blocks {
			c := t.triple(f, func(k *kind) int32 { return in(k, b) }, rankSplit)
			cells.blocks = append(cells.blocks, c)
			bases, yes, no = append(bases, c.base), append(yes, c.yes), append(no, c.no)
		}
		if cells.all.base != t.base {
			t.line(cells.all.base, bases...)
		}
		t.line(cells.all.yes, yes...)
		t.line(cells.all.no, no...)
	}
	if f.name == gateLeaks && t.leftLeak && len(t.Cells[cells.all.yes].Parts) == 0 {
		t.Cells[cells.all.yes].Withheld = true // there are none but among those left out: nobody may read "0"
	}
	t.figures = append(t.figures, cells)
}

// triple makes the cells of a figure, of some episodes.
func (t *taskSheet) triple(f *figure, of func(*kind) int32, rank int) triple {
	base := rankBase
	if f.of != ofEpisodes && f.of != ofWhole && f.of != ofTouches && f.about == ofTask {
		base = rank // it serves this figure alone
	}
	c := triple{base: t.baseCell(base, func(k *kind) int32 { yes, no := f.split(k); return of(k) * (yes + no) })}
	c.yes = t.cell(rank, func(k *kind) int32 { yes, _ := f.split(k); return of(k) * yes })
	c.no = t.cell(rank, func(k *kind) int32 { _, no := f.split(k); return of(k) * no })
	t.line(c.base, c.yes, c.no)
	return c
}

func (t *taskSheet) addTable(d *distribution) {
	weigh := func(k *kind, bucket int) (n int32) {
		d.at(k, func(b int, w int32) {
			if b == bucket || bucket < 0 {
				n += w
			}
		})
		return n
	}
	c := tableCells{distribution: d, sum: t.baseCell(rankBase, func(k *kind) int32 { return weigh(k, -1) })}
	for i := range d.labels {
		c.cells = append(c.cells, t.cell(rankBucket, func(k *kind) int32 { return weigh(k, i) }))
	}
	t.line(c.sum, c.cells...)
	t.tables = append(t.tables, c)
}

// addWays makes cells of the commonest ways, whole and cut, and one each of all
// others.
func (t *taskSheet) addWays() {
	n := make([]int, len(t.dict.ways))
	for i, k := range t.kinds {
		for _, w := range t.Atoms[i] {
			n[k.way] += int(w)
		}
	}
	for _, whole := range []bool{true, false} {
		var list []int
		for i := range n {
			if n[i] > 0 && t.dict.ways[i].cut == !whole {
				list = append(list, i)
			}
		}
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(n[b], n[a]) })
		if len(list) > 0 {
			t.ways = append(t.ways, t.waysOf(whole, list[:min(len(list), mostWays)]))
		}
	}
}

// waysOf makes the cells of some ways and of all others of the kind.
func (t *taskSheet) waysOf(whole bool, list []int) wayCells {
	c := wayCells{whole: whole, ways: list}
	c.sum = t.baseCell(rankBase, func(k *kind) int32 { return one(k.whole == whole) })
	for _, i := range list {
		c.cells = append(c.cells, t.cell(rankWay, func(k *kind) int32 { return one(k.way == i) }))
	}
	others := t.cell(rankWay, func(k *kind) int32 { return one(k.whole == whole && !slices.Contains(list, k.way)) })
	t.line(c.sum, append(slices.Clone(c.cells), others)...)
	return c
}

func one(yes bool) int32 {
	n, _ := share(yes)
	return n
}

// get is a cell's number, nil if it is withheld.
func (t *taskSheet) get(cell int) *int {
	if t.Cells[cell].Withheld {
		return nil
	}
	n := t.Value(cell)
	return &n
}
