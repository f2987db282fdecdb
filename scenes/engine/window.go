package engine

// Buckets is how many parts a window has. A window moves on by one part at a
// time and is judged then, over its last 16 whole parts.
const Buckets = 16

// window is the memory of a Rate, Avg, Min or Max. Its parts are counted from
// the first valid sample; the value of a sample holds until the next one.
type window struct {
	on     bool             // a valid sample has come
	timed  bool             // the timer of the current part's end is in the heap
	value  float64          // of the latest sample
	start  int64            // of the current part
	since  int64            // the current part is summed up to here
	begin  float64          // value just before the current part's start, of the first part the first sample
	sum    float64          // of (value-begin) times ns in the current part
	lo, hi float64          // of the current part
	figure [Buckets]float64 // of Rate and Avg the begin of each part
	sums   [Buckets]float64 // of Avg the sum of each part
	head   int              // the oldest figure, once there are 16
	n      int              // figures so far
	quiet  int              // whole parts since the latest sample, -1 in its own part
	ref    uint64           // names the window since it was last cleared
	cause  uint64           // the newest act that a sample in the window stems from
	depth  int
	caused int64 // when
}

// part is the length of a window's parts in ns, rounded up.
func (t *Trigger) part() int64 { return (t.Over + Buckets - 1) / Buckets }

// gather takes a valid sample into a window.
func (p *Program) gather(s *State, ref triggerRef, num float64) {
	t := &p.Cards[ref.card].When[ref.trigger]
	w := &s.windows[s.cards[ref.card].triggers[ref.trigger].memory]
	switch {
	case !w.on:
		w.on, w.start, w.value = true, s.now, num
		w.open()
	case !w.timed:
		w.start += (s.now - w.start) / t.part() * t.part()
		w.open()
	}
	if !w.timed {
		w.timed = true
		s.timers.push(timer{at: w.start + t.part(), kind: windows, origin: origin{card: ref.card, index: ref.trigger}, ref: w.ref})
	}
	w.sumTo(s.now)
	if s.now == w.start && w.quiet >= 0 {
		w.lo, w.hi = num, num // the value before it held for no time
	}
	w.value, w.quiet = num, -1
	w.lo, w.hi = min(w.lo, num), max(w.hi, num)
	if cause, depth := p.causeOf(s, t.Slot); cause > 0 {
		w.cause, w.depth, w.caused = cause, depth, s.now
	}
}

// open begins the part at w.start with the value that holds there.
func (w *window) open() {
	w.since, w.begin, w.sum, w.lo, w.hi = w.start, w.value, 0, w.value, w.value
}

// sumTo carries the part's sum on to t.
func (w *window) sumTo(t int64) {
	w.sum += float64((w.value - w.begin) * float64(t-w.since))
	w.since = t
}

// windowDue reports whether a timer of kind windows still means something.
func (p *Program) windowDue(s *State, tm *timer) bool {
	t := &p.Cards[tm.card].When[tm.index]
	tr := &s.cards[tm.card].triggers[tm.index]
	if t.Op != StaleFor {
		return s.windows[tr.memory].ref == tm.ref
	}
	if at := tr.at + t.Over; at > tm.at {
		later := *tm
		later.at = at
		s.timers.push(later)
		return false
	}
	return true
}

// windowEnds is the end of a silence or of a window's part.
func (p *Program) windowEnds(s *State, tm *timer) {
	ref := triggerRef{tm.card, tm.index}
	t := &p.Cards[tm.card].When[tm.index]
	tr := &s.cards[tm.card].triggers[tm.index]
	if t.Op == StaleFor {
		tr.has = false
		p.arrive(s, ref, 0, 0)
		return
	}
	w := &s.windows[tr.memory]
	w.closePart(t, tm.at)
	if w.quiet < Buckets {
		next := *tm
		next.at += t.part()
		s.timers.push(next)
	} else {
		w.timed = false // nothing can change until the next sample
	}
	if w.n < Buckets {
		return
	}
	x := w.judge(t)
	beyond := x > t.X
	if t.Below {
		beyond = x < t.X
	}
	was := tr.detector
	tr.detector = armed
	if beyond {
		tr.detector = passed
	}
	if was == armed && beyond {
		cause, depth := uint64(0), 0
		if w.caused >= tm.at-Buckets*t.part() {
			cause, depth = w.cause, w.depth
		}
		p.arrive(s, ref, cause, depth)
	}
}

// closePart makes the figure of the part that ends at t and opens the next.
func (w *window) closePart(tr *Trigger, t int64) {
	w.sumTo(t)
	x := w.begin // for Rate and Avg
	switch tr.Op {
	case Min:
		x = w.lo
	case Max:
		x = w.hi
	}
	if w.n < Buckets {
		w.figure[w.n], w.sums[w.n] = x, w.sum
		w.n++
	} else {
		w.figure[w.head], w.sums[w.head] = x, w.sum
		w.head = (w.head + 1) % Buckets
	}
	w.quiet++
	w.start = t
	w.open()
}

// judge is the window's figure over its 16 parts.
func (w *window) judge(t *Trigger) float64 {
	oldest := w.figure[w.head]
	x := oldest
	switch t.Op {
	case Rate:
		return (w.value - oldest) / (float64(Buckets*t.part()) / 1e9)
	case Avg:
		// Divided once, and reckoned from a value of the window: whole values
		// and one that never changes have their exact mean.
		part, area := float64(t.part()), 0.0
		for i, begin := range w.figure {
			area += float64((begin-oldest)*part) + w.sums[i]
		}
		return oldest + float64(area/(Buckets*part))
	case Min:
		for _, f := range w.figure {
			x = min(x, f)
		}
	case Max:
		for _, f := range w.figure {
			x = max(x, f)
		}
	}
	return x
}
