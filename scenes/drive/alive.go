package drive

// aliveState follows the counter of a signal's sender.
type aliveState struct {
	now  int64 // the counter's newest value
	last int64 // its value at the signal's last counted sample
	seen bool  // now holds something
	used bool  // last does
}

// count takes the counter's value in a frame.
func (a *aliveState) count(raw int64) { a.now, a.seen = raw, true }

// stands reports whether the counter is where it was at the signal's sample
// before; a counter that was never seen vouches for nothing.
func (a *aliveState) stands() bool { return !a.seen || a.used && a.now == a.last }

// use is a sample that the counter vouches for.
func (a *aliveState) use() { a.last, a.used = a.now, true }

// frozen reports, at a sample of the signal, whether the counter stands, and
// counts the sample otherwise.
func (a *aliveState) frozen() bool {
	if a.stands() {
		return true
	}
	a.use()
	return false
}
