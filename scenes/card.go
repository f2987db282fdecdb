package scenes

import (
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"vignette/scenes/engine"
)

// Card is a scene card as written, with the place of everything in it.
type Card struct {
	File        string // as given to LoadCards or ParseCard
	SHA256      string // of the card's bytes, hexadecimal
	ID          string
	Version     string // semantic version, such as 1.2.0
	Title       Texts
	When        []Trigger // at least one
	OnlyIf      []Cond    // top-level clauses, all must be true
	Then        []Step    // at least one
	Cooldown    time.Duration
	Priority    int  // -10 to 10
	Restart     bool // reentry: restart
	Manual      bool // the driver may run it by hand
	OnBoot      engine.OnBoot
	DerivedFrom string // id@version of the card that this one is a remix of; empty: none
	Pos         Pos    // of the id
}

// Trigger is one entry of a card's when.
type Trigger struct {
	Pos    Pos
	Signal Name
	Op     engine.TriggerOp
	X      Literal       // what the value rises above, falls below, becomes or leaves
	Rearm  Literal       // absent: at X
	Unit   Name          // of X and Rearm
	Hold   time.Duration // 0: completes at the edge

	ops         []Name // the edges that were given, by their keys
	rearm, hold Name   // the keys
}

// Arg is one argument of a do.
type Arg struct {
	Name  Name
	Texts Texts   // for a localized parameter
	Value Literal // for any other
}

var (
	versionText = regexp.MustCompile(`^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	parentText  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}@[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// cardKeys is the table of a card's keys.
func cardKeys() object[Card] {
	return object[Card]{"the card", []key[Card]{
		{"schema", required, func(r *reader, n *yaml.Node, c *Card) { r.schema(n) }},
		{"id", required, func(r *reader, n *yaml.Node, c *Card) { c.ID, c.Pos = r.pattern(n, idText, idWant), at(n) }},
		{"version", required, func(r *reader, n *yaml.Node, c *Card) {
			c.Version = r.pattern(n, versionText, "a version of three numbers (semantic versioning), such as 1.2.0")
		}},
		{"title", required, func(r *reader, n *yaml.Node, c *Card) { c.Title = r.texts(n, "`title`") }},
		{"when", required, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`when`", func(n *yaml.Node) { c.When = append(c.When, r.trigger(n)) })
		}},
		{"only_if", optional, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`only_if`", func(n *yaml.Node) { c.OnlyIf = append(c.OnlyIf, r.cond(n)) })
		}},
		{"then", required, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`then`", func(n *yaml.Node) { c.Then = append(c.Then, r.step(n)) })
		}},
		{"reentry", optional, (*reader).readReentry},
		{"cooldown", optional, func(r *reader, n *yaml.Node, c *Card) { c.Cooldown = r.duration(n, 0) }},
		{"priority", optional, func(r *reader, n *yaml.Node, c *Card) { c.Priority = r.whole(n, -10, 10) }},
		{"derived_from", optional, func(r *reader, n *yaml.Node, c *Card) {
			c.DerivedFrom = r.pattern(n, parentText, "a card and its version, such as cool-down@1.0.0")
		}},
		{"manual", optional, func(r *reader, n *yaml.Node, c *Card) { c.Manual = r.boolean(n) }},
		{"on_boot", optional, readOnBoot},
	}}
}

func (r *reader) readReentry(n *yaml.Node, c *Card) {
	c.Restart = r.word(n, "single", "restart") == "restart"
}

func readOnBoot(r *reader, n *yaml.Node, c *Card) {
	words := map[string]engine.OnBoot{"restart": engine.RestartHold, "resume": engine.ResumeHold, "drop": engine.DropHold}
	c.OnBoot = words[r.word(n, "restart", "resume", "drop")]
}

// triggerKeys is the table of a trigger's keys.
func triggerKeys() object[Trigger] {
	type t = Trigger
	edge := func(name string, op engine.TriggerOp, read func(*reader, *yaml.Node) Literal) key[t] {
		return key[t]{name, optional, func(r *reader, n *yaml.Node, t *t) {
			t.Op, t.X = op, read(r, n)
			t.ops = append(t.ops, r.key(n))
		}}
	}
	rearm := func(name string) key[t] {
		return key[t]{name, optional, func(r *reader, n *yaml.Node, t *t) {
			if t.rearm.Text != "" {
				r.diags.add(r.file, r.key(n).Pos, "`%s` and `%s` exclude each other; keep one", t.rearm.Text, name)
			}
			t.Rearm, t.rearm = r.numeral(n), r.key(n)
		}}
	}
	o := object[t]{"a trigger", []key[t]{
		{"signal", optional, func(r *reader, n *yaml.Node, t *t) { t.Signal = r.name(n) }},
		edge("rises_above", engine.RisesAbove, (*reader).numeral), rearm("rearm_below"),
		edge("falls_below", engine.FallsBelow, (*reader).numeral), rearm("rearm_above"),
		edge("becomes", engine.Becomes, (*reader).literal),
		edge("leaves", engine.Leaves, (*reader).literal),
		edge("changes", engine.Changes, (*reader).onlyTrue),
		{"unit", optional, func(r *reader, n *yaml.Node, t *t) { t.Unit = r.name(n) }},
		{"held_for", optional, func(r *reader, n *yaml.Node, t *t) { t.Hold, t.hold = r.duration(n, 1), r.key(n) }},
	}}
	for _, name := range []string{"stale_for", "recovered", "rate", "avg", "min", "max", "count", "sequence", "within", "at", "on",
		"sunrise", "sunset", "offset", "place", "phone", "ignition", "button", "event"} {
		o.keys = append(o.keys, key[t]{name, later, nil})
	}
	return o
}

// onlyTrue reads true.
func (r *reader) onlyTrue(n *yaml.Node) Literal {
	if r.scalar(n, "`true`") && (!bare(n) || n.Value != "true") {
		r.wrong(n, "`%s` says nothing; write `true`, or leave the key out", n.Value)
	}
	return Literal{}
}

// trigger reads a trigger.
func (r *reader) trigger(n *yaml.Node) Trigger {
	t := Trigger{Pos: at(n)}
	if !triggerKeys().read(r, n, &t) {
		return t
	}
	wanted := map[engine.TriggerOp]string{engine.RisesAbove: "rearm_below", engine.FallsBelow: "rearm_above"}[t.Op]
	switch {
	case t.Signal.Text == "":
		r.fault(n, "the trigger has no `signal`; add it")
	case len(t.ops) == 0:
		r.fault(n, "the trigger says nothing about its signal; give `rises_above`, `falls_below`, `becomes`, `leaves` or `changes: true`")
	case len(t.ops) > 1:
		r.diags.add(r.file, t.ops[1].Pos, "`%s` and `%s` are in one trigger; give one, and write a trigger for each", t.ops[0].Text, t.ops[1].Text)
	case t.rearm.Text != "" && wanted == "":
		r.diags.add(r.file, t.rearm.Pos, "`%s` does not belong to `%s`; leave it out", t.rearm.Text, t.ops[0].Text)
	case t.rearm.Text != "" && t.rearm.Text != wanted:
		r.diags.add(r.file, t.rearm.Pos, "`%s` does not belong to `%s`; use `%s`", t.rearm.Text, t.ops[0].Text, wanted)
	case t.Hold != 0 && (t.Op == engine.Leaves || t.Op == engine.Changes):
		r.diags.add(r.file, t.hold.Pos, "`held_for` does not go with `%s`; use it with rises_above, falls_below or becomes", t.ops[0].Text)
	}
	return t
}

// ParseCard reads one card from text; file is its name in messages. It checks
// all that can be checked without a vehicle. The error is Diagnostics.
func ParseCard(file string, text []byte) (*Card, error) {
	r := &reader{file: file}
	if len(text) > maxCardBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxCardBytes))
		return nil, r.diags.err()
	}
	c := &Card{File: file, SHA256: hash(text)}
	if root := r.document(text, maxCardNodes); root != nil {
		cardKeys().read(r, root, c)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return c, nil
}
