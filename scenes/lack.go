package scenes

// LackKind is what a vehicle does not have that a card asks for.
type LackKind uint8

// What a vehicle may lack; NoLack: the card is wrong in any car.
const (
	NoLack LackKind = iota
	LackSignal
	LackActuator
	LackForbidden // the profile forbids cards to set it
	LackAction
	LackState
	LackValue // of a signal or actuator: a label, or a value of another kind
	LackRange // of an actuator: beyond its range, or none of its steps
	LackLease // of an actuator: longer than it may be set
	LackUnit  // of a signal or actuator
	LackEvent
	LackPower
	LackClock
)

// Lack says what a vehicle does not have, where a diagnostic is of that.
type Lack struct {
	Kind LackKind
	Name string // path, name, value or unit as the card has it
	Of   string // signal or actuator of a value, range, lease or unit
	Fit  string // the nearest that the vehicle allows of a range or a lease, in the card's unit; empty: nothing is near
}

// lacks says of the newest diagnostic that it is of something that the vehicle
// does not have.
func (b *builder) lacks(l Lack) { (*b.diags)[len(*b.diags)-1].Lack = l }
