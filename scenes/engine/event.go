package engine

// EventKind is the kind of an event.
type EventKind uint8

// The events of the stream.
const (
	EvFrame    EventKind = iota // samples of one frame, decoded
	EvTick                      // nothing but time
	EvReply                     // a service answered the call of record Ref
	EvOverride                  // the HMI reports the driver's hand on an actuator
	EvStop                      // the agent stops in good order
	EvLost                      // frames of a bus were lost before they could be read
	EvLink                      // the link of a bus has another state
	EvOccur                     // an occurrence of the profile
	EvClock                     // what is known of the wall clock from now on
)

// Sample is one signal of a frame. A signal absent from the frame has none.
type Sample struct {
	Slot  int
	Valid bool    // false: the frame says that the value is not available
	Num   float64 // in the VSS unit; a label's index; 0 or 1
}

// MaxTime bounds an event's time either way, so that no deadline overflows:
// the year 2116 for a stream in Unix time.
const MaxTime = 1<<62 - 1

// Event is one entry of the stamped stream.
type Event struct {
	T        int64 // ns on the stream's time base, within MaxTime either way
	Kind     EventKind
	Samples  []Sample  // EvFrame: ascending by slot, at most one for each
	Session  uint64    // EvReply, EvAnswer: session of the record
	Ref      uint64    // EvReply: n of the `acted` record that was answered; EvAnswer: of the `asked`
	OK       bool      // EvReply: the service accepted; EvAnswer: the driver agrees; EvOccur: it happened now, not only found to be so
	Actuator int       // EvOverride
	Value    Value     // EvOverride
	Bus      int       // EvLost, EvLink
	Count    uint64    // EvLost: frames
	Link     Link      // EvLink
	Occur    int       // EvOccur: index into Program.Occurs
	Clock    *Clocking // EvClock; the engine keeps a copy
	Card     int       // EvEnable, EvRun, EvFree
	On       bool      // EvEnable: enabled from now on
	User     uint64    // EvUser: 0 is the guest
}

// What is the kind of a record of the decision log.
type What uint8

// The kinds of record; names are those of the decision log.
const (
	Live What = iota
	Fired
	Blocked
	Held
	Cancelled
	Acted
	Replied
	Failed
	Denied
	Lost
	Ended
	Override
	Quarantined
	Unknown
	Known
	Clock
	Dropped
	Asked
	Confirmed
	Declined
	Released
	Boot
	Reload
	User

	KindsOfRecord = iota // how many there are
)

var whatNames = [...]string{"live", "fired", "blocked", "held", "cancelled", "acted", "replied", "failed",
	"denied", "lost", "ended", "override", "quarantined", "unknown", "known", "clock", "dropped",
	"asked", "confirmed", "declined", "released", "boot", "reload", "user"}

// String returns the name in the decision log.
func (w What) String() string { return whatNames[w] }

// Record is one line of the decision log. Its strings belong to the Program.
type Record struct {
	T        int64  // ns
	N        uint64 // 1, 2, 3 … within the session
	Card     string // empty for the agent itself
	What     What
	Why      string
	Action   string
	Actuator string
	Value    Value
	Lease    int64  // ns; 0: absent
	Cause    uint64 // N of the record that led here; 0: none
}

// CallKind is the kind of a call.
type CallKind uint8

// The calls.
const (
	CallSet CallKind = iota // set an actuator under a lease
	CallEnd                 // a lease's last word: base value or {set: v}
	CallDo                  // a do action
)

// Call asks the shell to call a service. Only actuators and actions with a
// binding (HasCall) produce calls.
type Call struct {
	N        uint64 // N of the `acted` record; a reply names it
	Kind     CallKind
	Card     int    // an index beyond the program's cards is one of a card that is gone
	CardID   string // its id
	Step     int    // CallDo: index into the card's Then, whose texts are its arguments
	Actuator int    // CallSet, CallEnd
	Action   int    // CallDo
	Value    Value
	LeaseMS  int64 // CallSet: time left + the call's limit + the readback's time, for {lease_ms}; CallEnd: 0
	NotAfter int64 // ns of the stream after which it must not be sent
}

// Effects collects what Step decided. The caller resets and reuses it.
type Effects struct {
	Records []Record
	Calls   []Call
}

// Reset empties the effects and keeps their memory.
func (e *Effects) Reset() {
	e.Records = e.Records[:0]
	e.Calls = e.Calls[:0]
}
