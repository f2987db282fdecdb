package engine

import "slices"

// Kept is what outlives the process, by names, so that it can be taken up by a
// program that was compiled anew (*Meaning* 15). It holds what may have been
// done to the car, what the driver has said, and the holds that were running;
// signals, queues, questions and open calls are not in it.
type Kept struct {
	Profile   string // Program.Hash
	Session   uint64
	Now       int64 // ns of the stream, when it was taken
	User      uint64
	Users     []KeptUser     // with something to keep: the others in their order, then the present one
	Actuators []KeptActuator // with something to keep, by path
	Holds     []KeptHold     // by card, then trigger
}

// KeptUser is what is kept of one user.
type KeptUser struct {
	User  uint64
	Cards []KeptCard
}

// KeptCard is what is kept of one card of one user.
type KeptCard struct {
	ID, Hash    string
	Disabled    bool
	Quarantined bool
	HasFired    bool
	FiredAt     int64
	Fires       []int64 // the latest firings, oldest first
}

// KeptActuator is what is kept of an actuator.
type KeptActuator struct {
	Path     string
	Base     Value
	HasStart bool
	Started  int64
	HasHand  bool
	HandEnds int64
	EndUntil int64
	Command  Value // the newest; None: none
	HasHull  bool
	Low      float64
	High     float64
	HasEnd   bool // an end that is not accepted yet
	End      Value
	EndCard  string
	EndIndex int         // place of its set in the card's then
	Leases   []KeptLease // the lowest first
	Top      int         // 1 + index of the lease in force; 0: none
}

// KeptLease is what is kept of a lease.
type KeptLease struct {
	Card, Hash string
	Driver     bool
	Priority   int
	Index      int // place of its set in the card's then
	Value      Value
	Deadline   int64
	AtEnd      EndKind
	EndValue   Value
	Over       string // why it is to end once the actuator is known: boot, removed, changed; empty: it goes on
}

// KeptHold is a hold that was running.
type KeptHold struct {
	Card, Hash string
	Trigger    int
	Deadline   int64
}

// Keep takes what outlives the process.
func (p *Program) Keep(s *State) *Kept {
	k := &Kept{Profile: p.Hash, Session: s.session, Now: s.now, User: s.user}
	for i := range s.users {
		k.Users = p.keepUser(k.Users, s.users[i].user, func(card int) *userCard { return &s.users[i].cards[card] })
	}
	k.Users = p.keepUser(k.Users, s.user, func(card int) *userCard { return &s.cards[card].userCard })
	for act := range s.acts {
		if a := p.keepActuator(s, act); a.worth(s.now) {
			k.Actuators = append(k.Actuators, a)
		}
	}
	for card := range s.cards {
		for i := range s.cards[card].triggers {
			switch tr := &s.cards[card].triggers[i]; {
			case tr.holding:
				k.Holds = append(k.Holds, KeptHold{p.Cards[card].ID, p.Cards[card].Hash, i, tr.deadline})
			case tr.bootHold > 0: // waits for its first sample
				k.Holds = append(k.Holds, KeptHold{p.Cards[card].ID, p.Cards[card].Hash, i, s.now + tr.bootHold})
			}
		}
	}
	return k
}

// Recall adds what was kept before k and set aside meanwhile: what users have said
// of cards. Of a card of which both know, k's word is the newer one, but a card that
// either has disabled or quarantined is so: nobody knows that the user took it back.
func (k *Kept) Recall(before *Kept) {
	k.Session = max(k.Session, before.Session)
	for _, u := range before.Users {
		i := slices.IndexFunc(k.Users, func(o KeptUser) bool { return o.User == u.User })
		if i < 0 {
			i = len(k.Users)
			k.Users = append(k.Users, KeptUser{User: u.User})
		}
		for _, c := range u.Cards {
			k.Users[i].recall(c)
		}
	}
}

// recall adds what was kept of a card; when it fired is in another time.
func (u *KeptUser) recall(c KeptCard) {
	i := slices.IndexFunc(u.Cards, func(o KeptCard) bool { return o.ID == c.ID })
	if i < 0 {
		u.Cards = append(u.Cards, KeptCard{ID: c.ID, Hash: c.Hash, Disabled: c.Disabled, Quarantined: c.Quarantined})
		return
	}
	u.Cards[i].Disabled = u.Cards[i].Disabled || c.Disabled
	u.Cards[i].Quarantined = u.Cards[i].Quarantined || c.Quarantined
}

func (p *Program) keepUser(users []KeptUser, user uint64, of func(card int) *userCard) []KeptUser {
	u := KeptUser{User: user}
	for card := range p.Cards {
		if c := of(card); c.disabled != p.Cards[card].Off || c.quarantined || c.hasFired {
			u.Cards = append(u.Cards, KeptCard{p.Cards[card].ID, p.Cards[card].Hash, c.disabled, c.quarantined, c.hasFired, c.firedAt,
				slices.Concat(c.fires[c.fireHead:], c.fires[:c.fireHead])})
		}
	}
	if u.Cards == nil {
		return users
	}
	return append(users, u)
}

func (p *Program) keepActuator(s *State, act int) KeptActuator {
	a := &s.acts[act]
	k := KeptActuator{Path: p.Actuators[act].Path, Base: a.base, HasStart: a.hasStart, Started: a.started, HasHand: a.hasHand,
		HandEnds: a.handEnds, EndUntil: a.endUntil, Command: a.command.value, HasHull: a.command.hasHull, Low: a.command.lo, High: a.command.hi, Top: a.top}
	if a.end.open {
		k.HasEnd, k.End, k.EndCard, k.EndIndex = true, a.end.value, p.cardID(s, a.end.card), a.end.index
	}
	for i := range a.stack {
		l := &a.stack[i]
		id, hash := p.cardID(s, l.card), ""
		if l.card < len(p.Cards) {
			hash = p.Cards[l.card].Hash
		}
		k.Leases = append(k.Leases, KeptLease{id, hash, l.driver, l.priority, l.index, l.value, l.deadline, l.atEnd, l.endValue, l.over})
	}
	return k
}

// worth reports whether there is anything to keep at a time.
func (k *KeptActuator) worth(now int64) bool {
	return k.EndUntil > now || k.Base.Kind != None || k.HasStart || k.HasHand || k.HasEnd || len(k.Leases) > 0
}

// cardID is the id of a card, also of one that is no longer in the program.
func (p *Program) cardID(s *State, card int) string {
	if card >= len(p.Cards) {
		return s.gone[card-len(p.Cards)]
	}
	return p.Cards[card].ID
}

// cardOf finds a card by its id, or gives one that is not in the program, or
// no longer in this version, an index behind the program's.
func (p *Program) cardOf(s *State, id, hash string) (card int, same bool) {
	if i, ok := p.findCard(id); ok {
		return i, p.Cards[i].Hash == hash
	}
	if i := slices.Index(s.gone, id); i >= 0 {
		return len(p.Cards) + i, false
	}
	s.gone = append(s.gone, id)
	return len(p.Cards) + len(s.gone) - 1, false
}

// nameTimers has timers be in the order of card ids where cards that are gone
// have some too.
func (p *Program) nameTimers(s *State) {
	if len(s.gone) == 0 {
		return
	}
	for i := range p.Cards {
		s.timers.ids = append(s.timers.ids, p.Cards[i].ID)
	}
	s.timers.ids = append(s.timers.ids, s.gone...)
}

func (p *Program) findCard(id string) (int, bool) {
	return slices.BinarySearchFunc(p.Cards, id, func(c Card, id string) int {
		switch {
		case c.ID < id:
			return -1
		case c.ID > id:
			return 1
		}
		return 0
	})
}
