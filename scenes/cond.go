package scenes

import (
	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Cond is a condition as written: a comparison of one signal, a drive state,
// or a combination of conditions.
type Cond struct {
	Pos    Pos
	Op     engine.CondOp
	Signal string
	A, B   Literal // what it is compared with; B for Between only
	Unit   Name    // unit of A and B
	State  Name
	Power  Name // off, accessory or on; the operator is Any
	From   int  // TimeOfDay: minutes after local midnight
	To     int
	Of     []Cond // for All, Any and Not
	Expr   *Expr  // for Computed

	path Name
	ops  []Name // the operators that were given, by their keys
}

// Name is a word of a file and its place. The zero Name is absent.
type Name struct {
	Text string
	Pos  Pos
}

// name reads a text with its place.
func (r *reader) name(n *yaml.Node) Name { return Name{r.text(n), at(n)} }

// condKeys is the table of a condition's keys.
func condKeys() object[Cond] {
	compare := func(op engine.CondOp, read func(*reader, *yaml.Node) Literal) func(*reader, *yaml.Node, *Cond) {
		return func(r *reader, n *yaml.Node, c *Cond) { c.op(r, n, op); c.A = read(r, n) }
	}
	number, literal := (*reader).numeral, (*reader).literal
	return object[Cond]{"a condition", []key[Cond]{
		{"signal", optional, func(r *reader, n *yaml.Node, c *Cond) { c.path = r.name(n); c.Signal = c.path.Text }},
		{"above", optional, compare(engine.Above, number)},
		{"below", optional, compare(engine.Below, number)},
		{"between", optional, readBetween},
		{"is", optional, compare(engine.Is, literal)},
		{"is_not", optional, compare(engine.IsNot, literal)},
		{"unit", optional, func(r *reader, n *yaml.Node, c *Cond) { c.Unit = r.name(n) }},
		{"state", optional, func(r *reader, n *yaml.Node, c *Cond) { c.op(r, n, engine.InState); c.State = r.name(n) }},
		{"all", optional, func(r *reader, n *yaml.Node, c *Cond) { c.several(r, n, engine.All, "`all`") }},
		{"any", optional, func(r *reader, n *yaml.Node, c *Cond) { c.several(r, n, engine.Any, "`any`") }},
		{"not", optional, func(r *reader, n *yaml.Node, c *Cond) { c.op(r, n, engine.Not); c.Of = []Cond{r.cond(n)} }},
		{"fresh", optional, func(r *reader, n *yaml.Node, c *Cond) { c.op(r, n, engine.Fresh); r.onlyTrue(n) }},
		{"power", optional, readPowerCond},
		{"time", optional, readTimeCond},
		{"expr", optional, func(r *reader, n *yaml.Node, c *Cond) {
			c.op(r, n, engine.Computed)
			if text := r.text(n); text != "" {
				c.Expr = readExpr(r, text, r.scalarPlaces(n))
			}
		}},
	}}
}

// op notes the operator that a value belongs to.
func (c *Cond) op(r *reader, n *yaml.Node, op engine.CondOp) {
	c.Op = op
	c.ops = append(c.ops, r.key(n))
}

// several reads the conditions that all or any combines.
func (c *Cond) several(r *reader, n *yaml.Node, op engine.CondOp, what string) {
	c.op(r, n, op)
	r.list(n, what, func(n *yaml.Node) { c.Of = append(c.Of, r.cond(n)) })
}

// readBetween reads [low, high].
func readBetween(r *reader, n *yaml.Node, c *Cond) {
	c.op(r, n, engine.Between)
	if r.shape(n, pairShape) {
		return
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		r.fault(n, "`between` takes two numbers, both included, such as [10, 20]")
		return
	}
	c.A, c.B = r.numeral(n.Content[0]), r.numeral(n.Content[1])
	if c.A.Kind == engine.Number && c.B.Kind == engine.Number && c.A.Num > c.B.Num {
		r.fault(n, "`between` runs from %v down to %v; put the smaller number first", c.A, c.B)
	}
}

// cond reads a condition.
func (r *reader) cond(n *yaml.Node) Cond {
	c := Cond{Pos: at(n)}
	if !condKeys().read(r, n, &c) {
		return c
	}
	compares := c.Op <= engine.IsNot || c.Op == engine.Fresh
	switch {
	case len(c.ops) == 0:
		r.fault(n, "the condition says nothing; give `state`, `power`, `time`, `expr`, `all`, `any`, `not`, or a `signal` with `above`, `below`, `between`, `is`, `is_not` or `fresh`")
	case len(c.ops) > 1:
		r.diags.add(r.file, c.ops[1].Pos, "`%s` and `%s` are in one condition; give one, and combine with `all` or `any`", c.ops[0].Text, c.ops[1].Text)
	case compares && c.Signal == "":
		r.fault(n, "the condition has no `signal`; add it")
	case c.Op == engine.Fresh && c.Unit.Text != "":
		r.diags.add(r.file, c.Unit.Pos, "`fresh` compares with nothing that has a unit; leave `unit` out")
	case !compares && (c.Signal != "" || c.Unit.Text != ""):
		r.fault(n, "`signal` and `unit` belong to a comparison; combine with `all` or `any`")
	}
	return c
}
