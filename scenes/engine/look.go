package engine

// Truth is how a clause or a trigger stands, for people to look at.
type Truth uint8

// The truths.
const (
	TruthUnknown Truth = iota
	TruthNo
	TruthYes
)

var truthNames = [...]string{"unknown", "false", "true"}

// String returns the word for the HMI.
func (t Truth) String() string { return truthNames[t] }

// shown is a truth for people.
func (t truth) shown() Truth { return [...]Truth{no: TruthNo, maybe: TruthUnknown, yes: TruthYes}[t] }

// ClauseTruth is the truth of a node of a card's only_if: of clause i the node
// at place node of its prefix order, 0 the clause itself. It changes nothing.
func (p *Program) ClauseTruth(s *State, card, i, node int) Truth {
	ops := s.step.ops
	t := p.Cards[card].OnlyIf[i][node:].eval(s).shown()
	s.step.ops = ops
	return t
}

// TriggerTruth tells whether a trigger, or an edge of one, is past its edge:
// the value above its threshold, the silence or the count reached, what occurs
// the case. What comes and is over, such as a button, is never true. hold is the
// deadline in ns of its running held_for; 0: none. It changes nothing.
func (p *Program) TriggerTruth(s *State, card, i int) (t Truth, hold int64) {
	spec, tr := &p.Cards[card].When[i], &s.cards[card].triggers[i]
	if tr.holding {
		hold = tr.deadline
	}
	switch spec.Op {
	case StaleFor:
		return shown(s.started && !tr.has), hold
	case Count:
		r := &s.rings[tr.memory]
		return shown(r.n >= spec.N && r.at[spec.N-1] > s.now-spec.Over), hold
	case Sequence:
		return TruthNo, hold
	case Occurs:
		return shown(p.Occurs[spec.Occur].Opposite >= 0 && s.occurred[spec.Occur]), hold
	case WallTime, Sunrise, Sunset:
		if !s.wall.Trusted {
			return TruthUnknown, hold
		}
		return TruthNo, hold
	}
	switch {
	case !s.slots[spec.Slot].known:
		return TruthUnknown, hold
	case spec.Op == Recovered, spec.Op == Changes:
		return TruthNo, hold
	case tr.detector == unset:
		return TruthUnknown, hold
	}
	return shown(tr.detector == passed), hold
}

func shown(b bool) Truth { return truthOf(b).shown() }

// HeldLease is a lease of a card, for people to look at.
type HeldLease struct {
	Actuator string
	Value    Value
	Until    int64 // ns of the stream
	InForce  bool  // else another card's lies above it
}

// HeldLeases appends a card's leases by actuator path. It changes nothing.
func (p *Program) HeldLeases(s *State, card int, list []HeldLease) []HeldLease {
	for act := range s.acts {
		a := &s.acts[act]
		if i := a.findCard(card); i >= 0 {
			l := &a.stack[i]
			list = append(list, HeldLease{p.Actuators[act].Path, l.value, l.deadline, a.top == i+1})
		}
	}
	return list
}

// Ask is an open question to the driver: may this card set this actuator?
type Ask struct {
	N        uint64 // of its `asked` record, which the answer names
	Card     string
	Actuator string
	Value    Value
	Lease    int64 // ns
	Until    int64 // ns of the stream at which no answer is no
}

// Asks appends the open questions by actuator path. It changes nothing.
func (p *Program) Asks(s *State, list []Ask) []Ask {
	for act := range s.acts {
		if a := &s.acts[act].ask; a.n != 0 {
			step := p.current(s, a.card)
			list = append(list, Ask{N: a.n, Card: p.Cards[a.card].ID, Actuator: p.Actuators[act].Path, Value: step.Value,
				Lease: step.Lease, Until: s.timerOf(confirms, a.card, a.n)})
		}
	}
	return list
}
