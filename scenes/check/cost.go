package check

// cost points out cards that nothing holds back. What is over the budget
// Compile has refused.
func cost(s *subject) {
	cards, _ := s.p.Costs()
	for i, c := range s.p.Cards {
		if cards[i].EffectsPerHour == 0 {
			for j := range c.Then {
				if c.Then[j].Wait == 0 {
					s.report(Warning, c.File, c.Pos, "nothing bounds how often `%s` fires; give it a cooldown, or the profile a quarantine", c.ID)
					break
				}
			}
		}
	}
}
