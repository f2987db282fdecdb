// Package reference is a second reading of *Meaning* (docs/scene-cards.md): an
// interpreter that takes a plain description of a vehicle, its cards and a
// stream of events, with restarts and reloads, and says what the decision log must
// be. It is slow and naive on purpose, shares no code with scenes/engine and was
// written from the text; each function names the rule it follows. Only tests use
// it.
package reference

import "time"

// Kind tells numbers, booleans and labels apart.
type Kind uint8

// The kinds of value. The zero Value is absent.
const (
	Absent Kind = iota
	Number
	Bool
	Label
)

// Value is a number in the VSS unit, a boolean (0 or 1) or a label.
type Value struct {
	Kind  Kind
	Num   float64
	Label string
}

// Num is a number as a Value.
func Num(x float64) Value { return Value{Kind: Number, Num: x} }

// Vehicle is what a vehicle profile says. Times are in ns.
type Vehicle struct {
	Version    string // tells profiles apart
	Signals    []Signal
	States     []State // tested in order
	Actuators  []Actuator
	Actions    []Action
	Occurs     []Occurrence
	Quarantine Quarantine
}

// Signal is a signal of the profile.
type Signal struct {
	Path       string
	Kind       Kind
	Bus        string
	Labels     []string
	StaleAfter int64 // 0: never, while its bus is awake
}

// Moving is the drive state when no other holds.
const Moving = "moving"

// State is a drive state.
type State struct {
	Name string
	When Cond
}

// Actuator is what a card may set.
type Actuator struct {
	Path        string
	Kind        Kind
	Labels      []string
	Min, Max    float64
	Step        float64 // 0: any value
	Slew        float64 // units per second; 0: at once
	MinInterval int64
	States      []string
	EndStates   []string
	Holdoff     int64
	Confirm     int64 // within which the driver must agree; 0: need not
	MaxLease    int64 // 0: any
	Forbidden   bool
	Survives    bool // its leases outlive sleep and a clean stop
	Call        bool
	Within      int64 // the call's limit
	Readback    string
	ReadWithin  int64
}

// Action is what a card may do.
type Action struct {
	Name        string
	States      []string
	MinInterval int64
	Call        bool
	Within      int64
}

// Quarantine is the bound on firings within (t-Within, t]; Fires 0: none.
type Quarantine struct {
	Fires  int
	Within int64
}

// Card is one scene card.
type Card struct {
	ID       string
	Version  string // tells cards of one id apart
	When     []Trigger
	OnlyIf   []Cond
	Then     []Step
	Cooldown int64
	Priority int
	Restart  bool // reentry: restart
	Manual   bool
	OnBoot   string // restart, resume, drop
	Off      bool   // disabled for each user until he enables this version
}

// Trigger is one entry of `when`, or an edge of one. Op is the card's own word:
// rises_above, falls_below, becomes, leaves, changes, stale_for, recovered,
// rate, avg, min, max, count, sequence, at, sunrise, sunset; or occurs, for what
// the profile's `events` bind.
type Trigger struct {
	Op      string
	Signal  string
	X       Value
	Rearm   float64 // of rises_above and falls_below; X where the card gives none
	HeldFor int64
	Below   bool      // of rate, avg, min, max: below X, else above
	Over    int64     // stale_for, over and within
	Reaches int       // count
	Of      []Trigger // edges of count (one) and sequence (two)
	Occur   string
	At      int64          // at: ns after local midnight
	Days    []time.Weekday // at
	Offset  int64          // sunrise, sunset
}

// Cond is a condition. Op is the card's own word: above, below, between, is,
// is_not, fresh, time, expr, state, all, any, not. A `power` is given by the labels
// that it means, Unnamed.
type Cond struct {
	Op       string
	Signal   string
	Unnamed  bool // does not hold the card back from live (choice 39)
	A, B     Value
	From, To int // time: minutes after midnight
	Expr     *Expr
	State    string
	Of       []Cond
}

// Step is one entry of `then`. Do names the action of a `do`, Actuator that of
// a `set`, Release the actuator of a `release`, Wait is the time of a `wait`;
// exactly one is given.
type Step struct {
	Actuator string
	To       Value
	Lease    int64
	AtEnd    string // restore, leave, set
	EndValue Value
	Do       string
	Release  string
	Wait     int64
	Continue bool // on_error: continue
}

// Occurrence is what the profile's `events` bind.
type Occurrence struct {
	Name     string
	Opposite string // the name of what ends it; "": none
	Frees    bool   // it completes an ignition cycle
	OfUser   bool   // a place: with another user it is not known
}

// Clock is what is known of the wall clock, in ns since 1970 and s east of UTC.
type Clock struct {
	Trusted    bool
	Wall       int64
	Offset     int64
	Next       int64 // 0: none
	NextOffset int64
	Rise, Set  [2]int64 // the latest and the next; 0: none
}

// Event is one entry of the stream. Kind is frame, tick, reply, override, stop,
// lost, link, answer, user, sleep, enable, disable, run, free,
// occur, found or clock.
type Event struct {
	T        int64
	Kind     string
	Samples  []Sample // frame
	Session  uint64   // reply, answer
	Ref      uint64   // reply, answer: n of the record that was answered
	OK       bool     // reply, answer
	Actuator string   // override
	Value    Value    // override; lost: how many frames
	Bus      string   // lost, link
	Link     string   // link: absent, down, bus-off, error-passive, up …
	Card     string   // enable, disable, run, free
	User     uint64   // user; 0 is the guest
	Occur    string   // occur, found
	Clock    Clock    // clock
}

// Sample is one signal of a frame.
type Sample struct {
	Signal string
	Valid  bool
	Value  Value
}
