package powercut

import (
	"fmt"
	"slices"
	"strings"
)

// Facts are what a boot after a power loss has found.
type Facts struct {
	Failed   string            // what went wrong at all; empty: nothing
	Found    map[string]string // registers as the files and the agent have them
	Problems []string          // the agent's property
	Trace    string            // Trace1's Problem
	Aside    []string          // files that were set aside or left half written
	Log      []string          // what the agent has warned of
	Ended    []string          // registers of leases whose end was called after the boot
	States   map[string]string // of the cards with holds, after the boot
	Left     map[string]float64
	Kept     float64 // s that were left of the holds in the state that was found
	Clean    bool    // the agent ended with 0 when told to stop
}

// Judge tells what of the facts is not as it must be after a power loss.
func Judge(f *Facts, promised map[string][]string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if f.Failed != "" {
		say("%s", f.Failed)
		return wrong
	}
	for _, r := range registers(promised) {
		if !slices.Contains(promised[r], f.Found[r]) {
			say("%s is %q, and was promised to be %s", r, f.Found[r], strings.Join(promised[r], " or "))
		}
	}
	if len(f.Problems) > 0 || f.Trace != "" {
		say("problems %q, of traces %q", f.Problems, f.Trace)
	}
	if len(f.Aside) > 0 {
		say("set aside or left over: %q", f.Aside)
	}
	for _, line := range f.Log {
		say("the agent warned: %s", line)
	}
	if !f.Clean {
		say("told to stop the agent did not end well")
	}
	f.judgeLeases(say)
	f.judgeHolds(say)
	return wrong
}

// judgeLeases holds that every lease ends after a reboot.
func (f *Facts) judgeLeases(say func(string, ...any)) {
	for _, r := range registers(f.Found) {
		if strings.HasPrefix(r, "lease") && f.Found[r] != "none" && !slices.Contains(f.Ended, r) {
			say("%s %s was kept, and its end was not called after the boot", r, f.Found[r])
		}
	}
}

// judgeHolds holds that holds go on as their on_boot says.
func (f *Facts) judgeHolds(say func(string, ...any)) {
	ran := f.Found["hold"] == "on" || f.Found["hold"] == HoldsWentOn
	for _, card := range Holds {
		goesOn := ran && card != HoldDrop
		if got := f.States[card] == "holding"; got != goesOn {
			say("a hold that ran: %t; after the boot card %s is %s", ran, card, f.States[card])
		}
	}
	if !ran {
		return
	}
	if left := f.Left[HoldResume]; left > f.Kept || left <= 0 {
		say("of %.1f s that were left of a hold %.1f s are left after the boot", f.Kept, left)
	}
	if left := f.Left[HoldRestart]; left > HoldSeconds || left <= f.Kept && f.Kept < HoldSeconds-10 {
		say("a hold of %d s that begins anew has %.1f s left", HoldSeconds, left)
	}
}
