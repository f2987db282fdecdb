package engine

// State is everything that changes while a Program runs. It belongs to one
// goroutine.
type State struct {
	session  uint64
	judged   bool // replies are events and readbacks are judged; else a plain log
	started  bool
	now      int64 // time of the newest step, ns
	raw      int64 // time of the newest event as stamped, ns
	n        uint64
	drive    int // drive state
	slots    []slot
	cards    []cardState
	user     uint64     // 0: the guest
	users    []userPart // the others', the latest last
	acts     []actuatorState
	actions  []actionState
	open     []openCall
	timers   timerHeap
	windows  []window // of the Rate to Max triggers
	rings    []ring   // of the Count triggers
	occurred []bool   // by occurrence: it holds, its opposite has not come since
	wall     wallClock
	firings  uint64
	boot     bootState
	gone     []string // ids of cards that leases and ends still name; their index is behind the program's
	granted  uint64   // leases of earlier sessions
	step     stepState
}

// slot is what is known of one signal.
type slot struct {
	num   float64
	last  int64 // time of the last valid sample
	known bool
	seen  bool // has been valid once
	timed bool // a staleness timer is in the heap
	quiet bool // went unknown for want of samples, not by an invalid one
	back  bool // its newest sample is the first after it was stale
}

// cardState is a card's own memory.
type cardState struct {
	triggers   []triggerState
	missing    int // named slots that were never valid
	live       bool
	userCard   // the present user's
	queue      queue
	touched    uint64 // step in which it was last touched
	becameLive bool   // in this step
}

// queue is the run of one firing through the card's then.
type queue struct {
	running bool
	waiting bool   // for a timer
	firing  uint64 // distinguishes the card's firings
	fired   uint64 // n of the `fired` record
	depth   int
	pos     int
	call    uint64 // n of the call it waits for; 0: none
	asked   uint64 // n of the question to the driver that it waits for; 0: none
	led     uint64 // n of the record that led to its action: `fired` or `confirmed`
	agreed  bool   // the driver has confirmed its action
	manual  bool   // the driver ran the card
}

// stepState is scratch of the step being made; it is empty between steps.
type stepState struct {
	number     uint64
	cards      []int // touched
	ready      []int // cards whose queue can go on
	requests   []request
	dos        []int        // cards whose queue stands at a do
	acts       []int        // actuators to look at
	contenders []int        // cards whose request for an actuator passed the gate
	ended      []endedLease // leases to be reported ended after denied and lost
	releases   []int        // cards whose queue stands at a release
	drive      bool         // a slot that drive states read has changed
	ops        int          // operations so far, see Cost
	most       int          // operations of the costliest step yet; stays, and nothing decides by it
}

// NewState returns the state before the first event. Judged says that replies
// come as events and that readbacks are judged, as in a live car or a journal;
// without it calls count as answered in their own step (*Meaning* 12).
func (p *Program) NewState(session uint64, judged bool) *State {
	s := &State{
		session: session, judged: judged, drive: len(p.States),
		slots: make([]slot, len(p.Signals)), cards: make([]cardState, len(p.Cards)),
		acts: make([]actuatorState, len(p.Actuators)), actions: make([]actionState, len(p.Actions)),
	}
	for i := range p.Cards {
		c := &s.cards[i]
		c.triggers = make([]triggerState, len(p.Cards[i].When))
		c.missing = len(p.Cards[i].Names)
		c.live = c.missing == 0
		c.userCard = p.newUserCard(i)
		s.makeMemory(c, p.Cards[i].When)
	}
	s.occurred = make([]bool, len(p.Occurs))
	return s
}

// Now returns the time of the newest step in ns of the stream.
func (s *State) Now() int64 { return s.now }

// Deadline returns the time in ns at which the next timer may be due; ok is
// false if none is set. A tick then runs what is due.
func (s *State) Deadline() (at int64, ok bool) {
	if len(s.timers.list) == 0 {
		return 0, false
	}
	return s.timers.list[0].at, true
}

// Operations returns the most operations that a step has taken since NewState
// or Restore; Cost says what one is, and bounds them.
func (s *State) Operations() int { return s.step.most }

// DriveState returns the index of the drive state; len(Program.States) is moving.
func (s *State) DriveState() int { return s.drive }

// Known returns a slot's value; ok is false while it is unknown.
func (s *State) Known(slot int) (num float64, ok bool) {
	return s.slots[slot].num, s.slots[slot].known
}

// record appends r with the step's time and the next number, and returns it.
func (s *State) record(out *Effects, r Record) uint64 {
	s.n++
	r.T, r.N = s.now, s.n
	if r.Cause&before != 0 {
		r.Cause = 0
	}
	out.Records = append(out.Records, r)
	return s.n
}

// touch lists a card for the step's card phase, once.
func (s *State) touch(card int) *cardState {
	c := &s.cards[card]
	if c.touched != s.step.number {
		c.touched = s.step.number
		s.step.cards = insertSorted(s.step.cards, card)
	}
	return c
}

// insertSorted keeps list ascending and without repeats; lists are a few
// entries long.
func insertSorted(list []int, v int) []int {
	i := len(list)
	for i > 0 && list[i-1] > v {
		i--
	}
	if i > 0 && list[i-1] == v {
		return list
	}
	list = append(list, 0)
	copy(list[i+1:], list[i:])
	list[i] = v
	return list
}
