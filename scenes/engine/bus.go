package engine

// Link is the state of a live bus's link.
type Link uint8

// The states of a link. A bus is awake while frames can come from it: up or
// error-passive.
const (
	LinkAbsent       Link = iota // there is no such interface
	LinkDown                     // the interface is down
	LinkUp                       // frames come
	LinkErrorPassive             // frames come; the controller sees many errors
	LinkBusOff                   // the controller has left the bus
)

var linkNames = [...]string{"absent", "down", "up", "error-passive", "bus-off"}

// String returns the name, as ip-link shows it where it has one.
func (l Link) String() string { return linkNames[l] }

// Links is how many states of a link there are.
const Links = len(linkNames)

func (l Link) awake() bool { return l == LinkUp || l == LinkErrorPassive }

// lost says that frames of a bus were lost. What they carried is as if it had
// not been sent: staleness and alive counters tell.
func (p *Program) lost(s *State, ev *Event, out *Effects) {
	s.record(out, Record{What: Dropped, Why: p.idx.why.frames[ev.Bus], Value: Value{Kind: Number, Num: float64(ev.Count)}})
}

// link makes the signals of a bus that is not awake unknown if they are never
// stale while it is: nobody would say that they have changed.
func (p *Program) link(s *State, ev *Event, out *Effects) {
	if ev.Link.awake() {
		return
	}
	for i := range p.Signals {
		switch sig := &p.Signals[i]; {
		case sig.Bus != ev.Bus || sig.StaleAfter != 0:
		case s.slots[i].known:
			p.goUnknown(s, i, p.idx.why.asleep[i], out)
		default:
			s.slots[i].quiet = true // invalid before, and silent now
		}
	}
	p.checkDrive(s, out)
}
