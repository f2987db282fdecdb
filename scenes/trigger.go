package scenes

import (
	"slices"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Trigger is one entry of a card's when, or an edge of a count or a sequence.
type Trigger struct {
	Pos    Pos
	Op     engine.TriggerOp
	Signal Name
	X      Literal       // what the value rises above, falls below, becomes or leaves, and a window's figure passes
	Rearm  Literal       // absent: at X
	Unit   Name          // of X and Rearm
	Hold   time.Duration // 0: completes at the edge
	Below  bool          // a window's figure falls below X; else rises above it
	Over   time.Duration // of stale_for, a window, a count or a sequence
	N      int           // of a count
	Of     []Trigger     // the edge of a count, the two of a sequence
	Occur  Occur         // place, phone, ignition, button or event
	At     int           // minutes after local midnight
	Days   uint8         // of At: bit 0 is Sunday
	Offset time.Duration // from sunrise or sunset

	ops   []Name // the kinds that were given, by their keys
	given []Name // the other keys
	rearm Name   // the key
}

// takes lists the keys that go with each kind of trigger.
func (t *Trigger) takes() []string {
	switch t.Op {
	case engine.RisesAbove:
		return []string{"signal", "rearm_below", "unit", "held_for"}
	case engine.FallsBelow:
		return []string{"signal", "rearm_above", "unit", "held_for"}
	case engine.Becomes:
		return []string{"signal", "unit", "held_for"}
	case engine.Leaves, engine.Changes, engine.Rate, engine.Avg, engine.Min, engine.Max:
		return []string{"signal", "unit"}
	case engine.StaleFor, engine.Recovered:
		return []string{"signal"}
	case engine.Sequence:
		return []string{"within"}
	case engine.WallTime:
		return []string{"on"}
	case engine.Sunrise, engine.Sunset:
		return []string{"offset"}
	}
	return nil // Count, Occurs
}

// triggerKeys is the table of a trigger's keys.
func triggerKeys() object[Trigger] {
	type t = Trigger
	kind := func(name string, op engine.TriggerOp, read func(*reader, *yaml.Node, *t)) key[t] {
		return key[t]{name, optional, func(r *reader, n *yaml.Node, t *t) {
			t.Op = op
			t.ops = append(t.ops, r.key(n))
			read(r, n, t)
		}}
	}
	with := func(name string, read func(*reader, *yaml.Node, *t)) key[t] {
		return key[t]{name, optional, func(r *reader, n *yaml.Node, t *t) {
			t.given = append(t.given, r.key(n))
			read(r, n, t)
		}}
	}
	x := func(read func(*reader, *yaml.Node) Literal) func(*reader, *yaml.Node, *t) {
		return func(r *reader, n *yaml.Node, t *t) { t.X = read(r, n) }
	}
	number, literal := x((*reader).numeral), x((*reader).literal)
	isTrue := func(r *reader, n *yaml.Node, _ *t) { r.onlyTrue(n) }
	return object[t]{"a trigger", []key[t]{
		with("signal", func(r *reader, n *yaml.Node, t *t) { t.Signal = r.name(n) }),
		kind("rises_above", engine.RisesAbove, number), with("rearm_below", readRearm),
		kind("falls_below", engine.FallsBelow, number), with("rearm_above", readRearm),
		kind("becomes", engine.Becomes, literal),
		kind("leaves", engine.Leaves, literal),
		kind("changes", engine.Changes, isTrue),
		with("unit", func(r *reader, n *yaml.Node, t *t) { t.Unit = r.name(n) }),
		with("held_for", func(r *reader, n *yaml.Node, t *t) { t.Hold = r.duration(n, 1) }),
		kind("stale_for", engine.StaleFor, func(r *reader, n *yaml.Node, t *t) { t.Over = r.duration(n, 1) }),
		kind("recovered", engine.Recovered, isTrue),
		kind("rate", engine.Rate, readWindow), kind("avg", engine.Avg, readWindow),
		kind("min", engine.Min, readWindow), kind("max", engine.Max, readWindow),
		kind("count", engine.Count, readCount),
		kind("sequence", engine.Sequence, readSequence),
		with("within", func(r *reader, n *yaml.Node, t *t) { t.Over = r.duration(n, 1) }),
		kind("at", engine.WallTime, func(r *reader, n *yaml.Node, t *t) { t.At = r.timeOfDay(n) }),
		with("on", func(r *reader, n *yaml.Node, t *t) { t.Days = r.weekdays(n) }),
		kind("sunrise", engine.Sunrise, isTrue), kind("sunset", engine.Sunset, isTrue),
		with("offset", func(r *reader, n *yaml.Node, t *t) { t.Offset = r.offset(n) }),
		kind("place", engine.Occurs, readPlace),
		kind("phone", engine.Occurs, func(r *reader, n *yaml.Node, t *t) { t.Occur = r.occurWord(n, "near", "far") }),
		kind("ignition", engine.Occurs, func(r *reader, n *yaml.Node, t *t) { t.Occur = r.occurWord(n, "on", "off") }),
		kind("button", engine.Occurs, readNamedOccur),
		kind("event", engine.Occurs, readNamedOccur),
	}}
}

// readRearm reads the level at which a trigger is armed again.
func readRearm(r *reader, n *yaml.Node, t *Trigger) {
	name := r.key(n)
	if t.rearm.Text != "" {
		r.diags.add(r.file, name.Pos, "`%s` and `%s` exclude each other; keep one", t.rearm.Text, name.Text)
	}
	t.Rearm, t.rearm = r.numeral(n), name
}

// onlyTrue reads true.
func (r *reader) onlyTrue(n *yaml.Node) {
	if r.shape(n, trueShape) {
		return
	}
	if r.scalar(n, "`true`") && (!bare(n) || n.Value != "true") {
		r.wrong(n, "`%s` says nothing; write `true`, or leave the key out", n.Value)
	}
}

// minWindow is the shortest window: a sixteenth of it is still some frames.
const minWindow = 100 * time.Millisecond

// readWindow reads {above: x, over: d} or {below: x, over: d}.
func readWindow(r *reader, n *yaml.Node, t *Trigger) {
	bound := func(name string, below bool) key[Trigger] {
		return key[Trigger]{name, optional, func(r *reader, n *yaml.Node, t *Trigger) {
			if t.X.Kind != engine.None {
				r.diags.add(r.file, r.key(n).Pos, "`above` and `below` exclude each other; keep one, and write a trigger for each")
			}
			t.X, t.Below = r.numeral(n), below
		}}
	}
	name := r.key(n).Text
	ok := object[Trigger]{"`" + name + "`", []key[Trigger]{
		bound("above", false), bound("below", true),
		{"over", required, func(r *reader, n *yaml.Node, t *Trigger) {
			if t.Over = r.duration(n, 1); t.Over > 0 && t.Over < minWindow {
				r.wrong(n, "`%s` is too short; a window is at least %v long", n.Value, minWindow)
			}
		}},
	}}.read(r, n, t)
	if ok && t.X.Kind == engine.None {
		r.fault(n, "`%s` has neither `above` nor `below`; add one", name)
	}
}

// readCount reads {of: edge, reaches: n, within: d}.
func readCount(r *reader, n *yaml.Node, t *Trigger) {
	object[Trigger]{"`count`", []key[Trigger]{
		{"of", required, func(r *reader, n *yaml.Node, t *Trigger) { t.Of = append(t.Of, r.edge(n)) }},
		{"reaches", required, func(r *reader, n *yaml.Node, t *Trigger) { t.N = r.whole(n, 1, engine.MaxCount) }},
		{"within", required, func(r *reader, n *yaml.Node, t *Trigger) { t.Over = r.duration(n, 1) }},
	}}.read(r, n, t)
}

// readSequence reads two edges.
func readSequence(r *reader, n *yaml.Node, t *Trigger) {
	r.list(n, "`sequence`", func(n *yaml.Node) { t.Of = append(t.Of, r.edge(n)) })
	if len(t.Of) > 0 && len(t.Of) != 2 {
		r.fault(n, "`sequence` takes two triggers, the first and the second; found %d", len(t.Of))
	}
}

// edge reads a trigger that a count or a sequence is made of.
func (r *reader) edge(n *yaml.Node) Trigger {
	before := len(r.diags)
	t := r.trigger(n)
	if len(r.diags) > before {
		return t
	}
	switch t.Op {
	case engine.RisesAbove, engine.FallsBelow, engine.Becomes, engine.Leaves, engine.Changes, engine.Occurs:
	default:
		r.diags.add(r.file, t.ops[0].Pos, "`%s` is no edge; a count or a sequence takes rises_above, falls_below, becomes, leaves, changes, place, phone, ignition, button or event",
			t.ops[0].Text)
	}
	for _, k := range t.given {
		if k.Text == "held_for" {
			r.diags.add(r.file, k.Pos, "`held_for` does not go with an edge of a count or a sequence; leave it out")
		}
	}
	return t
}

// trigger reads a trigger.
func (r *reader) trigger(n *yaml.Node) Trigger {
	t := Trigger{Pos: at(n)}
	if !triggerKeys().read(r, n, &t) {
		return t
	}
	switch {
	case len(t.ops) == 0 && t.Signal.Text == "":
		r.fault(n, "the trigger says nothing; give a `signal` with what it does, or `at`, `sunrise`, `sunset`, `place`, `phone`, `ignition`, `button`, `event`, `count` or `sequence`")
		return t
	case len(t.ops) == 0:
		r.fault(n, "the trigger says nothing about its signal; give `rises_above`, `falls_below`, `becomes`, `leaves`, `changes: true`, `stale_for`, `recovered: true`, `rate`, `avg`, `min` or `max`")
		return t
	case len(t.ops) > 1:
		r.diags.add(r.file, t.ops[1].Pos, "`%s` and `%s` are in one trigger; give one, and write a trigger for each", t.ops[0].Text, t.ops[1].Text)
		return t
	}
	takes := t.takes()
	switch {
	case t.Signal.Text == "" && slices.Contains(takes, "signal"):
		r.fault(n, "the trigger has no `signal`; add it")
	case t.Op == engine.Sequence && t.Over == 0:
		r.fault(n, "the sequence has no `within`; add how long after the first the second may come, such as within: 10s")
	case t.Op == engine.WallTime && t.Days == 0:
		t.Days = everyDay
	}
	for _, k := range t.given {
		if !slices.Contains(takes, k.Text) {
			r.misplaced(k, &t)
		}
	}
	return t
}

// misplaced says what to do about a key that does not go with a trigger's kind.
func (r *reader) misplaced(k Name, t *Trigger) {
	op := t.ops[0].Text
	rearm := map[engine.TriggerOp]string{engine.RisesAbove: "rearm_below", engine.FallsBelow: "rearm_above"}[t.Op]
	switch {
	case k.Text == "held_for":
		r.diags.add(r.file, k.Pos, "`held_for` does not go with `%s`; use it with rises_above, falls_below or becomes", op)
	case (k.Text == "rearm_below" || k.Text == "rearm_above") && rearm != "":
		r.diags.add(r.file, k.Pos, "`%s` does not belong to `%s`; use `%s`", k.Text, op, rearm)
	default:
		r.diags.add(r.file, k.Pos, "`%s` does not belong to `%s`; leave it out", k.Text, op)
	}
}
