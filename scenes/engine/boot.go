package engine

// OnBoot says what a card's holds do after a reboot, if the first valid sample
// does not re-arm them (*Meaning* 15).
type OnBoot uint8

// The words of on_boot.
const (
	RestartHold OnBoot = iota // hold the whole time from there
	ResumeHold                // hold what was left at the last write
	DropHold                  // the first sample only arms
)
