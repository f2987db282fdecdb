package engine

// occur is an occurrence: it happened now, or was found to be so already. One
// that has an opposite happens again only after that.
func (p *Program) occur(s *State, i int, happened bool, out *Effects) {
	if other := p.Occurs[i].Opposite; other >= 0 {
		if s.occurred[i] {
			return
		}
		if p.Occurs[i].Frees && s.occurred[other] {
			p.freeAll(s, "ignition", out)
		}
		s.occurred[i], s.occurred[other] = true, false
	}
	if !happened {
		return
	}
	for _, ref := range p.idx.occurs[i] {
		p.arrive(s, ref, 0, 0)
	}
}

// forgetPlaces is another user: his places are his own.
func (p *Program) forgetPlaces(s *State) {
	for i := range p.Occurs {
		s.occurred[i] = s.occurred[i] && !p.Occurs[i].OfUser
	}
}
