package habit

import (
	"slices"
	"time"

	"vignette/scenes/engine"
)

// Window is how soon after an occasion a hand counts as following it.
const Window = 30 * time.Second

// Bounds of what is remembered.
const (
	maxPairs = 768
	maxOpen  = 256 // occasions whose window is open
	maxHands = 64  // hands within the windows that are open
	maxCount = 32  // of an occasion: beyond it the counts of it are halved, so that old ways are forgotten

	maxWatched = int64(200 * time.Hour) // beyond it how often hands come is halved too
)

// quarters of a day; anyTime counts all of them.
const (
	quarters = 4
	anyTime  = quarters
)

// Learner learns one driver's habits. It belongs to one goroutine. Look, Hand and
// Occurred allocate nothing.
type Learner struct {
	Lost uint64 // occasions and hands that came too fast to be followed

	v       *Vocabulary
	now     int64 // ns
	day     uint16
	quarter uint8
	watched int64 // ns, for how often hands come
	states  []signalState
	acts    []actuatorState
	counts  []count // by occasion
	open    []opened
	hands   []hand
	pairs   []pair
	refused []refusal
	changed bool
}

// signalState is what a signal was.
type signalState struct {
	last     float64
	up, down uint16 // by edge: armed to rise above it, to fall below it
	known    bool
}

// actuatorState is how an actuator stands and how often hands set it.
type actuatorState struct {
	known, moving bool
	settled       int32
	read          int32 // the latest reading, while moving
	since         int64 // when it was settled last, while moving
	hands         uint32
}

// count is how often there was an occasion, by quarter of the day.
type count struct {
	n    [quarters]uint8
	open bool
}

// opened is an occasion whose window is open.
type opened struct {
	occasion uint16
	quarter  uint8
	day      uint16
	at       int64
}

// hand is the driver's hand on an actuator.
type hand struct {
	actuator uint16
	setting  int32
	at       int64
}

// pair is how often a hand has followed an occasion. Where there are more pairs
// than room, a new one takes the place of the least frequent one and inherits its
// count as over (Space-Saving: Metwally, Agrawal, El Abbadi 2005), so that hits
// never counts what was not seen.
type pair struct {
	occasion, actuator uint16
	setting            int32
	hits               [quarters]uint8
	over               uint8
	days               [quarters + 1]uint8  // different days, at most maxCount
	last               [quarters + 1]uint16 // the newest of them
}

// refusal is a Y that the driver does not want to be offered.
type refusal struct {
	actuator uint16
	setting  int32
}

// New is a learner that knows nothing yet.
func New(v *Vocabulary) *Learner {
	return &Learner{v: v, states: make([]signalState, len(v.signals)), acts: make([]actuatorState, len(v.actuators)), counts: make([]count, len(v.occasions)),
		open: make([]opened, 0, maxOpen), hands: make([]hand, 0, maxHands), pairs: make([]pair, 0, maxPairs), refused: make([]refusal, 0, maxRefused)}
}

// Car is the car as a look finds it.
type Car interface {
	// Signal is the value of a signal of the profile; the zero Value: unknown.
	Signal(i int) engine.Value
	// Commanded reports whether a card's command holds or moves an actuator of the
	// profile: then what is read back of it is not the driver's hand.
	Commanded(actuator int) bool
}

// Look takes what the car is like at a time, ns of the stream, not before the
// time before. day is a number of the local day, quarter which six hours of it (0
// to 3).
func (l *Learner) Look(now int64, day int, quarter uint8, car Car) {
	l.watch(max(now, l.now))
	l.day, l.quarter = uint16(day), quarter
	l.close()
	for i := range l.v.signals {
		l.sample(i, car.Signal(l.v.signals[i].index))
	}
	for i := range l.v.actuators {
		if r := l.v.actuators[i].readback; r >= 0 {
			l.readback(i, car.Signal(r), car.Commanded(i))
		}
	}
}

// watch goes on to a time. What lies between two looks counts as watched, but no
// more than a window of it.
func (l *Learner) watch(now int64) {
	l.watched += min(now-l.now, int64(Window))
	l.now = now
	if l.watched > maxWatched {
		l.watched /= 2
		for i := range l.acts {
			l.acts[i].hands /= 2
		}
	}
}

// Hand takes a report of the driver's hand on an actuator of the profile, at a
// time between two looks.
func (l *Learner) Hand(now int64, actuator int, v engine.Value) {
	if actuator >= len(l.v.actuators) {
		return
	}
	setting, ok := l.v.actuators[actuator].setting(v)
	if !ok {
		return // no card may set it
	}
	a := &l.acts[actuator]
	a.known, a.moving, a.settled = true, false, setting
	l.touched(hand{uint16(actuator), setting, max(now, l.now)})
}

// Occurred takes an occurrence that happened now, by its text.
func (l *Learner) Occurred(now int64, text string) {
	if i, ok := l.v.occurs[text]; ok {
		l.occasion(i, max(now, l.now))
	}
}

// Pause forgets what is under way, but nothing that was learnt: what comes next
// does not follow what was.
func (l *Learner) Pause() {
	clear(l.states)
	for i := range l.acts {
		l.acts[i].known = false
	}
	for i := range l.open {
		l.counts[l.open[i].occasion].open = false
	}
	l.open, l.hands = l.open[:0], l.hands[:0]
}

// sample finds a signal's occasions. As for a card, the first value after an
// unknown one only arms.
func (l *Learner) sample(i int, v engine.Value) {
	s, st := &l.v.signals[i], &l.states[i]
	if v.Kind == engine.None {
		st.known = false
		return
	}
	if s.values != nil {
		if at := slices.Index(s.values, v.Num); st.known && v.Num != st.last && at >= 0 {
			l.occasion(s.first+at, l.now)
		}
	}
	for e, edge := range s.edges {
		bit := uint16(1) << e
		if st.known && st.up&bit != 0 && v.Num > edge {
			l.occasion(s.first+2*e, l.now)
		}
		if st.known && st.down&bit != 0 && v.Num < edge {
			l.occasion(s.first+2*e+1, l.now)
		}
		st.up = armed(st.up, bit, v.Num > edge || !st.known, v.Num <= tidy(edge-s.back))
		st.down = armed(st.down, bit, v.Num < edge || !st.known, v.Num >= tidy(edge+s.back))
	}
	st.known, st.last = true, v.Num
}

// armed is a set of armed edges after a sample that has passed one, or was far
// enough behind it.
func armed(set, bit uint16, passed, behind bool) uint16 {
	switch {
	case behind:
		return set | bit
	case passed:
		return set &^ bit
	}
	return set
}

// occasion opens the window of an occasion. One that is open already is the same.
func (l *Learner) occasion(i int, at int64) {
	switch c := &l.counts[i]; {
	case c.open:
	case len(l.open) == maxOpen:
		l.Lost++
	default:
		c.open = true
		l.open = append(l.open, opened{uint16(i), l.quarter, l.day, at})
	}
}

// readback finds the driver's hand in what is read back of an actuator: another
// setting than before, which has stayed for two looks. The hand was there before
// the first of them, so that what it has brought about is no occasion for it.
func (l *Learner) readback(i int, v engine.Value, commanded bool) {
	a := &l.acts[i]
	setting, ok := l.v.actuators[i].setting(v)
	switch {
	case !ok:
		a.known = false
	case !a.known || commanded:
		a.known, a.moving, a.settled = true, false, setting
	case setting == a.settled:
		a.moving = false
	case !a.moving:
		a.moving, a.read = true, setting
	case setting != a.read:
		a.read = setting
	default:
		a.moving, a.settled = false, setting
		l.touched(hand{uint16(i), setting, a.since})
	}
	if !a.moving {
		a.since = l.now
	}
}

// touched notes a hand until no window is open that it may follow.
func (l *Learner) touched(h hand) {
	if len(l.hands) == maxHands {
		l.hands = slices.Delete(l.hands, 0, 1)
		l.Lost++
	}
	l.hands = append(l.hands, h)
	l.acts[h.actuator].hands++
	l.changed = true
}

// close counts the occasions whose window is over, and forgets the hands that no
// window can reach any more.
func (l *Learner) close() {
	n := 0
	for n < len(l.open) && l.open[n].at+int64(Window) < l.now {
		l.count(&l.open[n])
		n++
	}
	l.open = slices.Delete(l.open, 0, n)
	l.hands = slices.DeleteFunc(l.hands, func(h hand) bool { return h.at+2*int64(Window) < l.now })
}

// count counts an occasion and what followed it: of each actuator the last
// setting, since a knob is turned through others.
func (l *Learner) count(o *opened) {
	c := &l.counts[o.occasion]
	c.open = false
	if total(c.n) == maxCount {
		l.age(o.occasion)
	}
	c.n[o.quarter]++
	l.changed = true
	for i := range l.hands {
		h := &l.hands[i]
		if within(o, h) && !slices.ContainsFunc(l.hands[i+1:], func(k hand) bool { return k.actuator == h.actuator && within(o, &k) }) {
			l.hit(o, h)
		}
	}
}

func within(o *opened, h *hand) bool { return h.at > o.at && h.at <= o.at+int64(Window) }

// age halves what was counted of an occasion, hits down and occasions up.
func (l *Learner) age(occasion uint16) {
	n := &l.counts[occasion].n
	for q := range n {
		n[q] -= n[q] / 2
	}
	for i := range l.pairs {
		if p := &l.pairs[i]; p.occasion == occasion {
			for q := range p.hits {
				p.hits[q] /= 2
			}
			p.over /= 2
		}
	}
}

// hit counts a hand that followed an occasion.
func (l *Learner) hit(o *opened, h *hand) {
	p := l.pair(o.occasion, h.actuator, h.setting)
	p.hits[o.quarter]++
	for _, q := range [...]uint8{o.quarter, anyTime} {
		if p.days[q] == 0 || p.last[q] != o.day {
			p.days[q], p.last[q] = min(p.days[q]+1, maxCount), o.day
		}
	}
}

// pair finds a pair or makes room for it.
func (l *Learner) pair(occasion, actuator uint16, setting int32) *pair {
	least := 0
	for i := range l.pairs {
		p := &l.pairs[i]
		if p.occasion == occasion && p.actuator == actuator && p.setting == setting {
			return p
		}
		if p.weight() < l.pairs[least].weight() {
			least = i
		}
	}
	if len(l.pairs) < maxPairs {
		l.pairs = append(l.pairs, pair{occasion: occasion, actuator: actuator, setting: setting})
		return &l.pairs[len(l.pairs)-1]
	}
	p := &l.pairs[least]
	*p = pair{occasion: occasion, actuator: actuator, setting: setting, over: uint8(min(p.weight(), 255))}
	return p
}

// weight is what a pair's count may be at most.
func (p *pair) weight() int { return total(p.hits) + int(p.over) }

func total(n [quarters]uint8) (sum int) {
	for _, k := range n {
		sum += int(k)
	}
	return sum
}
