// Package engine is the core of Vignette: an immutable Program of scene cards,
// a State, and Step, which turns one event into records and calls. It has no
// clock, no input or output, no goroutine and no map: the same events give the
// same bytes on every processor. It follows docs/scene-cards.md, *Meaning*.
package engine

// Program is a vehicle profile and its cards, compiled. It is immutable after
// Build and may be shared. Every index in it refers to a slice of it.
type Program struct {
	Buses      []string     // names of the profile's buses, in its order
	Signals    []Signal     // slots, ordered by path
	States     []DriveState // tested in order; none true, or one unknown before it, is "moving"
	Cards      []Card       // ordered by id
	Occurs     []Occurrence // what the profile's `events` bind, in its order
	Actuators  []Actuator   // ordered by path
	Actions    []Action     // ordered by name
	Quarantine Quarantine
	Hash       string // names the profile and its DBCs by their contents, for reloads

	idx index // filled by Build
}

// Signal is one slot: a VSS path whose samples the engine follows.
type Signal struct {
	Path       string
	Bus        int       // that carries it
	StaleAfter int64     // ns without a valid sample after which it is unknown; 0: never, while its bus is awake
	Type       ValueKind // Number, Bool or Label
	Labels     []string  // for Label: Sample.Num is an index into it
}

// ValueKind tells how a value's number is to be read.
type ValueKind uint8

// The kinds of value.
const (
	None   ValueKind = iota // absent
	Number                  // Num is the value, in the VSS unit
	Bool                    // Num is 0 or 1
	Label                   // Num is an index, Text the label
)

// Value is a physical value, a boolean or a label. The zero Value is absent.
type Value struct {
	Kind ValueKind
	Num  float64
	Text string // the label, for Label
}

// CondOp is the operator of one node of a condition.
type CondOp uint8

// The operators. All, Any and Not combine the nodes that follow them.
const (
	Above   CondOp = iota // value > A
	Below                 // value < A
	Between               // A <= value <= B
	Is                    // value == A
	IsNot                 // value != A
	InState               // the drive state is State
	All
	Any
	Not
	Fresh     // the slot is known; never unknown itself
	TimeOfDay // the local time is in [A, B), in minutes after midnight, over midnight where A > B
	Computed  // Expr holds
)

// Clause is one node of a condition in prefix order.
type Clause struct {
	Op    CondOp
	Slot  int     // for the comparisons
	A, B  float64 // in the slot's unit, or label index, or 0 and 1
	State int     // for InState: index into Program.States, len(States) is moving
	Size  int     // nodes in this subtree, this one included
	Expr  Expr    // for Computed
}

// Cond is a condition tree in prefix order; it is true, false or unknown
// (Kleene). An empty Cond is true.
type Cond []Clause

// DriveState is a named state of the vehicle, such as parked.
type DriveState struct {
	Name string
	When Cond // may not contain InState
}

// StateSet is a set of drive states: bit i is Program.States[i], bit
// len(States) is moving.
type StateSet uint64

// Has reports whether the set contains state i.
func (s StateSet) Has(i int) bool { return s>>uint(i)&1 != 0 }

// TriggerOp is the kind of a trigger's detector.
type TriggerOp uint8

// The detectors.
const (
	RisesAbove TriggerOp = iota // armed at value <= Rearm, completes at value > X
	FallsBelow                  // armed at value >= Rearm, completes at value < X
	Becomes                     // was known and not X, now X
	Leaves                      // was X, now not X
	Changes                     // differs from the last value
	Recovered                   // a valid sample after the signal was stale
	StaleFor                    // no valid sample for Over
	Rate                        // the change over the window Over, per second, is beyond X
	Avg                         // the window's time-weighted mean is beyond X
	Min                         // the window's least value is beyond X
	Max                         // the window's greatest value is beyond X
	Count                       // the edge that makes N edges in (t-Over, t]
	Sequence                    // the second edge at most Over after the latest first one
	Occurs                      // the occurrence Occur
	WallTime                    // the local time reaches At on one of Days
	Sunrise                     // Offset after sunrise
	Sunset                      // Offset after sunset
)

// hasSlot reports whether a detector follows one signal.
func (op TriggerOp) hasSlot() bool { return op <= Max }

// Follows reports whether a detector completes by the values of its signal.
func (op TriggerOp) Follows() bool { return op.hasSlot() && op != Recovered && op != StaleFor }

// Trigger is a detector: on one slot, on an occurrence, on the wall clock, or
// on the edges of other triggers of its card, which name it by Into.
type Trigger struct {
	Op     TriggerOp
	Slot   int // RisesAbove to Max
	X      float64
	Rearm  float64
	Hold   int64 // ns that the detector must not re-arm after its edge; 0: completes at the edge
	Below  bool  // Rate to Max: beyond is below X, else above
	Over   int64 // ns of the window, of silence, or between edges
	N      int   // Count: 1 to 8
	Occur  int   // Occurs: index into Program.Occurs
	At     int64 // WallTime: ns after local midnight
	Days   uint8 // WallTime: bit 0 is Sunday; at least one
	Offset int64 // Sunrise and Sunset: ns, at most 12 h either way
	Into   int   // 1 + index of the Count or Sequence that this is an edge of; 0: starts the card itself
	Second bool  // the second edge of a Sequence
}

// Occurrence is something that happens outside the bus, such as `phone near`.
type Occurrence struct {
	Name     string
	Opposite int  // index of what ends it, such as `phone far`; -1: none
	OfUser   bool // another user's is not known: a place
	Frees    bool // after its opposite it completes an ignition cycle, which frees cards from quarantine
}

// Card is one scene card.
type Card struct {
	ID       string
	When     []Trigger // at least one
	OnlyIf   []Cond    // top-level clauses, all must be true
	Then     []Step    // at least one
	Cooldown int64     // ns from a firing during which it may not fire again
	Priority int       // -10 to 10
	Restart  bool      // reentry: a completion drops what is left of the queue
	Manual   bool      // the driver may run it by hand
	OnBoot   OnBoot    // what its holds do after a reboot
	Hash     string    // names its content, for reloads and state files
	Off      bool      // disabled for every user until he enables this very version
	Names    []int     // every slot that the card names, ascending, without repeats (boot gate)
}

// StepKind is the kind of one entry in a card's then.
type StepKind uint8

// The kinds of step.
const (
	Set StepKind = iota
	Do
	Wait
	Release // ends the card's own lease
)

// EndKind says what an ended lease does to its actuator.
type EndKind uint8

// The endings of a lease.
const (
	Restore EndKind = iota // back to the base value
	Leave                  // no call; the value becomes the base
	SetTo                  // a last value, which becomes the base
)

// Step is one entry of a card's then, in the order of the card.
type Step struct {
	Kind     StepKind
	Actuator int   // Set: index into Program.Actuators; Release too
	Value    Value // Set: in the actuator's unit
	Lease    int64 // Set: ns
	AtEnd    EndKind
	EndValue Value // Set with SetTo
	Action   int   // Do: index into Program.Actions
	Wait     int64 // Wait: ns, above 0
	Continue bool  // on_error: continue
}

// Actuator is what a card may set, with the limits of the profile.
type Actuator struct {
	Path        string
	Min, Max    float64  // of a number that an end may send
	Step        float64  // least distance between two settings; 0: any value
	Slew        float64  // units per second that the ECU ramps; 0: at once
	MinInterval int64    // ns between granted requests
	States      StateSet // where a card may set it
	EndStates   StateSet // where a lease's end may be sent
	Holdoff     int64    // ns that every card loses after the driver's hand
	Confirm     int64    // ns within which the driver must agree to a set; 0: need not
	MaxLease    int64    // ns, the longest lease
	Forbidden   bool     // never to be set, whatever a card says
	Survives    bool     // its leases outlive sleep and a clean stop
	HasCall     bool     // false: decided and logged, goes nowhere
	Within      int64    // ns within which the call must be answered
	Readback    int      // slot that reads it back; -1: none
	ReadWithin  int64    // ns for the readback, before slew
}

// Action is what a card may do besides setting an actuator.
type Action struct {
	Name        string
	States      StateSet
	MinInterval int64
	HasCall     bool
	Within      int64
}

// Quarantine is the profile's bound on firings: the one that would exceed
// Fires within (t-Within, t] quarantines its card. Fires 0: no bound.
type Quarantine struct {
	Fires  int
	Within int64
}

// Version is the engine's version, as decision logs and journals name it.
const Version = "0.1.0"

// ReleasedAs is the release that the program was built as (.ci/version). The linker
// sets it: -X vignette/scenes/engine.ReleasedAs=VERSION.
var ReleasedAs = "devel"
