package engine

// timerKind orders timers of one deadline, as *Meaning* 3 lists them.
type timerKind uint8

const (
	staleness timerKind = iota
	holds
	windows
	wallTimes
	waits
	replies
	confirms
	leases
	readbacks
	retries
)

// timer is one deadline. A timer is never withdrawn: it is looked at when due
// and passed over when its owner has moved on.
type timer struct {
	at   int64
	kind timerKind
	origin
	act int    // actuator, where there is one
	ref uint64 // what it was set for; see the owner
}

// origin is the action of a firing that something stems from; it orders timers
// of one deadline and kind.
type origin struct {
	card   int    // staleness: the slot
	firing uint64 // the card's firing; 0: none
	index  int    // place in the card's then, or of a hold in its when
	depth  int    // causal depth of the firing
}

// before reports whether entry i is due before entry j.
func (h *timerHeap) before(i, j int) bool {
	a, b := &h.list[i], &h.list[j]
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.kind != b.kind:
		return a.kind < b.kind
	case a.card != b.card:
		if h.ids != nil && a.kind != staleness {
			return h.ids[a.card] < h.ids[b.card]
		}
		return a.card < b.card
	case a.firing != b.firing:
		return a.firing < b.firing
	case a.index != b.index:
		return a.index < b.index
	case a.ref != b.ref:
		return a.ref < b.ref // two calls of one action: the older first
	}
	return a.act < b.act // two waits after a restart
}

// timerHeap is a binary heap; container/heap would allocate for each entry.
type timerHeap struct {
	list []timer
	ids  []string // of the program's cards and those that are gone; nil: none is, and cards are in the order of their ids
}

func (h *timerHeap) push(t timer) {
	h.list = append(h.list, t)
	q := h.list
	i := len(q) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(i, parent) {
			return
		}
		q[i], q[parent] = q[parent], q[i]
		i = parent
	}
}

func (h *timerHeap) pop() timer {
	q := h.list
	top := q[0]
	last := len(q) - 1
	q[0] = q[last]
	h.list = q[:last]
	h.down()
	return top
}

func (h *timerHeap) down() {
	q := h.list
	i := 0
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if h.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
