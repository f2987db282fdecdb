package reference_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"vignette/testdata/reference"
)

// coverage counts the records of all cases by what, the class of why and what
// they are about.
type coverage struct {
	mu   sync.Mutex
	seen map[string]int
}

// add counts the log of a session.
func (c *coverage) add(log []reference.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for i := range log {
		c.seen[class(&log[i])+sinceBoot(log, i)]++
	}
}

// sinceBoot marks what a restart brings: acts and holds that have the `boot` as
// their cause, and the driver's hand on what this session has not commanded yet.
func sinceBoot(log []reference.Record, i int) string {
	r := &log[i]
	switch {
	case log[0].What != "boot":
	case r.Cause == 1 && (r.What == "acted" || r.What == "held"):
		return " at boot"
	case r.What == "override" && !slices.ContainsFunc(log[:i], func(o reference.Record) bool { return o.What == "acted" && o.Actuator == r.Actuator }) &&
		i+1 < len(log) && log[i+1].Cause == r.N:
		return " at boot"
	}
	return ""
}

// class names a record's kind: indexes and paths left out, cards that win are
// `card`, actions `do`.
func class(r *reference.Record) string {
	why, detail, _ := strings.Cut(r.Why, ":")
	why, _, _ = strings.Cut(why, "[")
	if why == "winner" && detail != "driver" {
		detail = "card"
	}
	if why == "winner" {
		why += ":" + detail
	}
	if r.What == "boot" || r.What == "reload" {
		why = r.Why
	}
	action := r.Action
	if action != "" && r.Actuator == "" {
		action = "do"
	}
	return strings.Join(strings.Fields(r.What+" "+why+" "+action), " ")
}

// classes are the kinds of record that this vocabulary has.
var classes = strings.Split(strings.TrimSpace(`
asked set
confirmed set
declined disabled set
declined changed set
declined no set
declined profile set
declined quarantined set
declined removed set
declined restart set
declined sleep set
declined stop set
declined timeout set
declined user set
denied lease set
denied only_if set
denied policy set
denied range set
dropped answer
dropped free
dropped guest
dropped manual
dropped user
ended disabled
ended release
ended sleep
ended user
fired manual
released driver
released ignition
user disabled
user enabled
user guest
user user
blocked disabled
acted do
acted end
acted end at boot
acted set at boot
acted set
blocked cooldown
boot boot:other
boot boot:same
blocked depth
blocked not_live
blocked only_if
blocked quarantined
blocked reentry
cancelled rearmed
cancelled unknown
clock back
clock lost
clock step
clock trusted
clock zone
denied base set
denied boot set
denied interval do
denied interval set
denied range end
denied state do
denied state end
denied state set
dropped actuator
dropped frames
dropped reply
ended boot
ended changed
ended duration
ended error
ended override
ended profile
ended quarantined
ended removed
ended state
ended stop
ended timeout
failed error do
failed error end
failed error set
failed readback end
failed readback set
failed timeout do
failed timeout end
failed timeout set
fired trigger
held trigger
held trigger at boot
known first
known recovered
live
lost winner:card set
lost winner:driver set
override
override at boot
quarantined fires
reload cards
reload profile
replied do
replied end
replied set
unknown asleep
unknown invalid
unknown stale
`), "\n")

// check holds that the cases saw every kind of record, and no other.
func (c *coverage) check(t *testing.T, short bool) {
	t.Helper()
	least := *cases / 10_000
	if short {
		least = 0
	}
	for _, class := range classes {
		if c.seen[class] < least {
			t.Errorf("%d records `%s`; want %d, or the cases do not try it", c.seen[class], class, least)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(c.seen)) {
		t.Logf("%8d %s", c.seen[class], class)
		if !slices.Contains(classes, class) {
			t.Errorf("`%s` is no kind of record that is expected", class)
		}
	}
}
