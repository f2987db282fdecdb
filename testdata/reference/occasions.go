package reference

// occasion is when an edge was, and what brought it (rule 13).
type occasion struct {
	step  int
	t     int64
	cause uint64
	depth int
}

// edge takes an edge of a detector: it completes its card, or goes into the
// count or sequence that it belongs to (table of triggers).
func (in *Interpreter) edge(c *card, d *detector, o occasion) {
	switch {
	case d.of == nil:
		c.completed = append(c.completed, completion{index: d.index, cause: o.cause, depth: o.depth})
	case d.of.Op == "count":
		in.count(c, d.of, o)
	case d == d.of.edges[0]:
		d.of.firsts = append(d.of.firsts, o)
	default:
		in.second(c, d.of, o)
	}
}

// count completes with the edge that makes n edges in (t-d, t] (choice 36).
func (in *Interpreter) count(c *card, d *detector, o occasion) {
	d.times = append(d.times, in.now)
	n := 0
	for _, t := range d.times {
		if t > in.now-d.Over {
			n++
		}
	}
	if n == d.Reaches {
		in.edge(c, d, o)
	}
}

// second completes a sequence at most d after the latest first edge of an
// earlier step (choice 37).
func (in *Interpreter) second(c *card, d *detector, o occasion) {
	var latest *occasion
	for i := range d.firsts {
		if d.firsts[i].step < in.step {
			latest = &d.firsts[i]
		}
	}
	if latest != nil && in.now-latest.t <= d.Over {
		in.edge(c, d, o)
	}
}

// occurrence is one of the profile's, and whether it is so: of those that have
// an opposite (choice 38).
type occurrence struct {
	Occurrence
	is bool
}

// occur takes what happened, or was found to be so (choice 38).
func (in *Interpreter) occur(name string, happened bool) {
	this, opposite := in.occurrence(name), (*occurrence)(nil)
	if this.Opposite != "" {
		opposite = in.occurrence(this.Opposite)
		if this.is {
			return
		}
		if this.Frees && opposite.is {
			in.freeAll()
		}
		this.is, opposite.is = true, false
	}
	if !happened {
		return
	}
	for _, c := range in.cards {
		for _, d := range c.all() {
			if d.Op == "occurs" && d.Occur == name {
				in.edge(c, d, occasion{step: in.step, t: in.now})
			}
		}
	}
}

func (in *Interpreter) occurrence(name string) *occurrence {
	for _, o := range in.occurs {
		if o.Name == name {
			return o
		}
	}
	panic("the profile binds no " + name)
}

// freeAll is an ignition cycle: it frees all cards for all users and has
// records for the present one's (rule 13, choice 67).
func (in *Interpreter) freeAll() {
	for _, c := range in.cards {
		if c.quarantined {
			in.write(Record{Card: c.ID, What: "released", Why: "ignition"})
			c.quarantined, c.firings = false, nil
		}
	}
	for _, p := range in.others {
		for id, c := range p.cards {
			if c.quarantined {
				c.quarantined, c.firings = false, nil
				p.cards[id] = c
			}
		}
	}
}

// silenceEnd is when a stale_for completes: once for a silence, that of a signal
// never valid counting from the first event (choice 33).
func (in *Interpreter) silenceEnd(d *detector) (at int64, ok bool) {
	if d.Op != "stale_for" || d.silent || !in.started {
		return 0, false
	}
	since := max(in.start, d.since)
	if s := in.signal(d.Signal); s.ever {
		since = max(d.since, s.sampled)
	}
	return since + d.Over, true
}
