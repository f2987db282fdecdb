// Package powercut is what both sides of the test of power losses know: what the
// guest promises on its disk while the agent works (Mark), what a later boot finds
// there (Facts), and whether that is what it must be (Judge).
package powercut

// The disk of a guest: a file system, and behind it a sector for each mark, which
// stand in the log of the disk's writes between those of the agent.
const (
	FileSystemBytes = 24 << 20
	MarkBytes       = 512
	MaxMarks        = 4096
	DiskBytes       = FileSystemBytes + MaxMarks*MarkBytes
)

// The cards of the guest's car, by what they are for.
const (
	LeaseCard   = "lease"
	HoldResume  = "resume"
	HoldRestart = "restart"
	HoldDrop    = "drop"
)

// Holds are the cards with holds, each with the on_boot of its name.
var Holds = []string{HoldDrop, HoldRestart, HoldResume}

// HoldsWentOn is the word for holds of which the one that drops is gone: the agent
// was killed while they ran, and started.
const HoldsWentOn = "went on"

// HoldSeconds is how long they hold: longer than any run.
const HoldSeconds = 20 * 60
