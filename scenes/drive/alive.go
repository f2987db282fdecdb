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

// frozen reports, at a sample of the signal, whether the counter stands where
// it stood at the sample before; a counter that was never seen vouches for
// nothing.
func (a *aliveState) frozen() bool {
	if !a.seen || a.used && a.now == a.last {
		return true
	}
	a.last, a.used = a.now, true
	return false
}
