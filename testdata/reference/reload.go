package reference

import "slices"

// Reload has other cards, or another profile and its cards, take over (rule 14,
// choices 75 to 77). It gives the records of the timers before it and of itself.
func (in *Interpreter) Reload(t int64, v Vehicle, cards []Card) []Record {
	from := len(in.log)
	in.arrive(t)
	next := New(v, cards, in.session, in.judged)
	why := "cards"
	if next.profile != in.profile {
		why = "profile"
	}
	in.write(Record{What: "reload", Why: why})
	for _, id := range in.holders() {
		if why := in.endedBy(next, id); why != "" {
			in.endCard(id, why)
		}
	}
	in.finish()
	if next.profile == in.profile {
		in.takeOver(next)
	} else {
		in.startAnew(next)
	}
	return in.log[from:]
}

// holders lists the ids of the cards and of all who hold a lease.
func (in *Interpreter) holders() (ids []string) {
	for _, c := range in.cards {
		ids = append(ids, c.ID)
	}
	for _, a := range in.actuators {
		for _, l := range a.stack {
			ids = append(ids, l.card.ID)
		}
	}
	return sorted(ids)
}

// endedBy says why a reload ends what a card has running; "": it goes on.
func (in *Interpreter) endedBy(next *Interpreter, id string) string {
	if next.profile != in.profile {
		return "profile"
	}
	old, now := in.find(id), next.find(id)
	switch {
	case old == nil: // went before: it ends with its actuator's wait
		return ""
	case now == nil:
		return "removed"
	case now.Version != old.Version:
		return "changed"
	}
	return ""
}

// find finds a card; nil: there is none.
func (in *Interpreter) find(id string) *card {
	for _, c := range in.cards {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// endCard ends a card's question, hold, queue and leases.
func (in *Interpreter) endCard(id, why string) {
	if c := in.find(id); c != nil {
		in.drop(c, why)
	}
	for _, a := range in.actuators {
		for _, l := range slices.Clone(a.stack) {
			if l.card.ID == id {
				in.endLease(a, l, why)
			}
		}
	}
}

// takeOver goes on with other cards under the same profile (choice 76).
func (in *Interpreter) takeOver(next *Interpreter) {
	for i, s := range next.signals {
		if old := in.signal(s.Path); old != nil {
			next.signals[i] = old
		}
	}
	in.signals = next.signals
	var added []*card
	for i, c := range next.cards {
		if old := in.find(c.ID); old != nil && old.Version == c.Version {
			next.cards[i] = old
			continue
		}
		added = append(added, c)
	}
	in.takeParts(next.cards)
	for i, a := range in.actuators {
		was := a.Readback
		a.Actuator = next.actuators[i].Actuator
		switch {
		case a.Readback == "" && a.newest != nil:
			a.newest.ignored = true
		case a.Readback != "" && was == "" && len(a.stack) == 0 && a.end == nil:
			a.base, a.settled, a.commands = Value{}, Value{}, nil // nobody has looked meanwhile
		}
	}
	in.add(added)
}

// startAnew goes on under another profile (choice 77).
func (in *Interpreter) startAnew(next *Interpreter) {
	for _, a := range in.actuators {
		if e := a.end; e != nil && !slices.ContainsFunc(in.calls, func(k *call) bool { return k.end == e }) {
			in.write(Record{What: "dropped", Why: "actuator:" + a.Path, Cause: e.cause})
		}
	}
	in.takeParts(next.cards)
	for _, c := range in.cards {
		c.firings = nil
	}
	for _, p := range in.others {
		for id, c := range p.cards {
			c.firings = nil
			p.cards[id] = c
		}
	}
	for _, a := range next.actuators {
		for _, old := range in.actuators {
			if old.Path != a.Path {
				continue
			}
			a.started, a.lastStart, a.holdoffSet, a.holdoff = old.started, old.lastStart, old.holdoffSet, old.holdoff
			a.endRead, a.endReadEnd = old.endRead, old.endReadEnd
			if a.Readback == "" || old.Readback != "" {
				a.base, a.settled = old.base, old.base
			}
		}
	}
	for _, o := range next.occurs {
		for _, old := range in.occurs {
			if old.Name == o.Name {
				o.is = old.is
			}
		}
	}
	in.profile, in.limit, in.calls = next.profile, next.limit, nil
	in.signals, in.states, in.state = next.signals, next.states, next.state
	in.actuators, in.actions, in.occurs = next.actuators, next.actions, next.occurs
	in.add(in.cards)
}

// takeParts makes these the cards, and gives each what its users have said.
func (in *Interpreter) takeParts(cards []*card) {
	for _, c := range cards {
		if old := in.find(c.ID); old != nil && old != c {
			c.personal = old.personal.of(c)
		}
	}
	for i, p := range in.others {
		taken := part{user: p.user, cards: map[string]personal{}}
		for _, c := range cards {
			taken.cards[c.ID] = p.cards[c.ID].of(c)
		}
		in.others[i] = taken
	}
	in.cards = cards
}

// add starts cards that have just come: what they wait for counts from now on,
// and they are live at once if every signal that they name was valid before.
func (in *Interpreter) add(cards []*card) {
	for _, c := range cards {
		if !c.live && in.allSeen(c) {
			c.live = true
			in.write(Record{Card: c.ID, What: "live"})
		}
		for _, d := range c.all() {
			d.since = in.now
			switch {
			case d.Op == "at" && in.clock.Trusted:
				d.wall.passed = in.localAt(in.now)
			case d.Op == "sunrise" || d.Op == "sunset":
				in.moveSun(c, d)
			}
		}
	}
}
