package review

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// mostNodes is how many places a step of a flow shows; the rest is put together.
const mostNodes = 6

// The ends of a flow.
const (
	endDone = "the task's end"
	endOpen = "elsewhere"
	restWay = "other ways"
)

// node is a place at one step of the ways, with what passes it.
type node struct {
	step  int
	name  string
	class string
	n     int
	y     float64 // its top
	in    float64 // how much of it has links from the left, as height
	out   float64
}

// link is what goes from a node to one of the next step.
type link struct{ from, to *node }

// flow is the whole ways of a task, step by step.
type flow struct {
	nodes []*node
	links map[link]int
	steps int
}

// newFlow joins ways at each step; ways that are withheld are not in it.
func newFlow(ways []Way) *flow {
	f := &flow{links: map[link]int{}}
	names := commonPlaces(ways)
	for _, w := range ways {
		if w.Cut || *w.Count == 0 || len(w.Steps) == 0 {
			continue
		}
		var last *node
		for i, s := range w.shown() {
			name := s
			if !slices.Contains(names[i], s) {
				name = "other places"
			}
			last = f.pass(last, i, name, "node", *w.Count)
		}
		if w.Done {
			f.pass(last, len(w.Steps), endDone, "done", *w.Count)
		} else {
			f.pass(last, len(w.Steps), endOpen, "open", *w.Count)
		}
	}
	return f
}

// pass adds n to the node of a step and to the link that leads there.
func (f *flow) pass(from *node, step int, name, class string, n int) *node {
	i := slices.IndexFunc(f.nodes, func(o *node) bool { return o.step == step && o.name == name })
	if i < 0 {
		i = len(f.nodes)
		f.nodes = append(f.nodes, &node{step: step, name: name, class: class})
	}
	to := f.nodes[i]
	to.n += n
	f.steps = max(f.steps, step+1)
	if from != nil {
		f.links[link{from, to}] += n
	}
	return to
}

// commonPlaces are the commonest places of each step.
func commonPlaces(ways []Way) [][]string {
	var steps []map[string]int
	for _, w := range ways {
		for i, s := range w.shown() {
			if len(steps) == i {
				steps = append(steps, map[string]int{})
			}
			if !w.Cut {
				steps[i][s] += *w.Count
			}
		}
	}
	var list [][]string
	for _, n := range steps {
		var names []string
		for s := range n {
			names = append(names, s)
		}
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b)) })
		list = append(list, names[:min(len(names), mostNodes)])
	}
	return list
}

// Sizes of a flow's picture.
const (
	flowHigh  = 250.0 // of all episodes
	flowGap   = 24.0
	flowBar   = 7.0
	flowTop   = 24.0
	labelRoom = 110.0
)

// drawFlow draws the whole ways of a task; empty: it has none.
func drawFlow(k *Task) template.HTML {
	f := newFlow(k.Ways)
	total := 0
	for _, n := range f.nodes {
		if n.step == 0 {
			total += n.n
		}
	}
	if total == 0 || k.Card {
		return ""
	}
	if whole := k.wholes(); whole > total {
		f.pass(nil, 0, restWay, "rest", whole-total)
		total = whole
	}
	scale := flowHigh / float64(total)
	p := &picture{width: max(pageWidth, float64(f.steps)*labelRoom)}
	step := (p.width - labelRoom) / float64(f.steps-1)
	p.height = f.place(scale) + 16
	for _, l := range f.order() {
		n := float64(f.links[l]) * scale
		x1, x2 := float64(l.from.step)*step+flowBar, float64(l.to.step)*step
		y1, y2 := l.from.y+l.from.out, l.to.y+l.to.in
		l.from.out += n
		l.to.in += n
		middle := (x1 + x2) / 2
		p.say(`<path class="flow" d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fv%.1fC%.1f %.1f %.1f %.1f %.1f %.1fz"><title>%s</title></path>`,
			x1, y1, middle, y1, middle, y2, x2, y2, n, middle, y2+n, middle, y1+n, x1, y1+n,
			esc(fmt.Sprintf("%s to %s: %d", l.from.name, l.to.name, f.links[l])))
	}
	for i := range f.steps - 1 {
		p.text("soft", float64(i)*step, 12, fmt.Sprintf("touch %d", i+1))
	}
	for _, n := range f.nodes {
		x := float64(n.step) * step
		p.rect(n.class, x, n.y, flowBar, float64(n.n)*scale, fmt.Sprintf("%s: %d", n.name, n.n))
		p.text("strong", x+flowBar+4, n.y+10, short(lastWord(n.name), int((step-18)/6.6)))
		p.text("soft", x+flowBar+4, n.y+23, part(n.n, total))
	}
	return p.done("Flow of whole attempts from touch to touch; the table of ways below has the numbers")
}

// wholes is how many whole attempts there are, 0 if that is withheld.
func (k *Task) wholes() int {
	for _, t := range k.Tables {
		if t.Of == ofWhole && t.Sum != nil {
			return *t.Sum
		}
	}
	return 0
}

// lastWord is a place without its screen, which the table has.
func lastWord(name string) string {
	for _, mark := range []string{between, "/"} {
		if _, rest, ok := strings.Cut(name, mark); ok {
			return rest
		}
	}
	return name
}

// place stacks each step's nodes, the commonest first and ends last, and returns
// the height of all.
func (f *flow) place(scale float64) float64 {
	slices.SortStableFunc(f.nodes, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	y, bottom, last := flowTop, 0.0, -1
	for _, n := range f.nodes {
		if n.step != last {
			y, last = flowTop, n.step
		}
		n.y = y
		y += max(float64(n.n)*scale, 14) + flowGap/2
		bottom = max(bottom, y)
	}
	return bottom
}

func rankOf(n *node) int { return slices.Index([]string{"node", "done", "open", "rest"}, n.class) }

// order is the order in which links leave and reach their nodes: as these lie.
func (f *flow) order() []link {
	var list []link
	for l := range f.links {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.from.step, b.from.step), cmp.Compare(a.from.y, b.from.y), cmp.Compare(a.to.y, b.to.y))
	})
	return list
}
