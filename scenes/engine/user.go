package engine

// maxUsers bounds how many users besides the present one are remembered. With
// one more, what was said longest ago of another is forgotten.
const maxUsers = 63

// userCard is the part of a card's memory that belongs to a user (*Meaning*
// 14): enabling, cooldown and quarantine.
type userCard struct {
	disabled    bool
	quarantined bool
	hasFired    bool
	firedAt     int64
	fires       []int64 // times of the latest firings, a ring of Quarantine.Fires
	fireHead    int
}

// userPart is what is remembered of a user who is not driving.
type userPart struct {
	user  uint64
	cards []userCard // by card
}

// User returns the present user; 0 is the guest.
func (s *State) User() uint64 { return s.user }

// Enabled reports whether a card is enabled for the present user.
func (s *State) Enabled(card int) bool { return !s.cards[card].disabled }

// Quarantined reports whether a card is in quarantine for the present user.
func (s *State) Quarantined(card int) bool { return s.cards[card].quarantined }

// changeUser removes the old user's cards and adds the new one's: everything
// running ends, detectors start anew; what the signals said stays.
func (p *Program) changeUser(s *State, user uint64, out *Effects) {
	if user == s.user {
		return
	}
	s.record(out, Record{What: User, Why: userName(user)})
	for card := range s.cards {
		p.abandon(s, card, "user", out)
		p.clear(s, card)
	}
	for act := range s.acts {
		p.endAll(s, act, "user", 0, out)
	}
	p.exchange(s, user)
	if len(s.users) > maxUsers {
		s.record(out, Record{What: Dropped, Why: userName(s.users[0].user)})
		s.users = append(s.users[:0], s.users[1:]...)
	}
}

// clear makes a card's detectors, windows, counts and sequences know nothing.
// Silence and the wall clock are not the card's own: they go on.
func (p *Program) clear(s *State, card int) {
	for i := range s.cards[card].triggers {
		tr := &s.cards[card].triggers[i]
		tr.detector, tr.bootHold = unset, 0
		p.forget(s, triggerRef{card, i})
	}
}

// exchange puts the present user's part away and takes the new one's.
func (p *Program) exchange(s *State, user uint64) {
	next := userPart{user: user}
	for i := range s.users {
		if s.users[i].user == user {
			next = s.users[i]
			s.users = append(s.users[:i], s.users[i+1:]...)
			break
		}
	}
	if next.cards == nil {
		next.cards = p.newUserCards()
	}
	for i := range s.cards {
		s.cards[i].userCard, next.cards[i] = next.cards[i], s.cards[i].userCard
	}
	next.user, s.user = s.user, user
	s.users = append(s.users, next)
	p.forgetPlaces(s)
}

// newUserCards is the part of a user who was never seen.
func (p *Program) newUserCards() []userCard {
	cards := make([]userCard, len(p.Cards))
	for i := range cards {
		cards[i] = p.newUserCard(i)
	}
	return cards
}

// newUserCard is a user's part of a card that is new to him.
func (p *Program) newUserCard(card int) userCard {
	return userCard{disabled: p.Cards[card].Off, fires: make([]int64, 0, p.Quarantine.Fires)}
}
