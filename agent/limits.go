package agent

import (
	"fmt"
	"time"
)

// Limits bound an output, which holds places and times, in size and age.
type Limits struct {
	MaxMiB int           // of a file; a full one gives way to a new one
	Keep   int           // earlier files that are kept, as NAME.1 to NAME.keep
	MaxAge time.Duration // after which what was written is gone
}

// fields are the keys of limits.
func (l *Limits) fields() []field {
	return []field{{"max_mib", &l.MaxMiB}, {"keep", &l.Keep}, {"max_age", &l.MaxAge}}
}

// The limits that a configuration leaves out, each for itself.
var (
	decisionLimits = Limits{MaxMiB: 8, Keep: 4, MaxAge: 30 * 24 * time.Hour}
	journalLimits  = Limits{MaxMiB: 64, Keep: 1, MaxAge: 24 * time.Hour}
)

const (
	mostMiB  = 4096
	mostKept = 99
	leastAge = 2 * time.Minute
)

// or fills what is left out.
func (l Limits) or(defaults Limits) Limits {
	if l.MaxMiB == 0 {
		l.MaxMiB = defaults.MaxMiB
	}
	if l.Keep == 0 {
		l.Keep = defaults.Keep
	}
	if l.MaxAge == 0 {
		l.MaxAge = defaults.MaxAge
	}
	return l
}

func (l Limits) bytes() int64 { return int64(l.MaxMiB) << 20 }

// check reports limits out of bounds; key names them in the configuration.
func (l Limits) check(key string) error {
	switch {
	case l.MaxMiB < 0 || l.MaxMiB > mostMiB:
		return fmt.Errorf("%s.max_mib: %d is not within 1 and %d", key, l.MaxMiB, mostMiB)
	case l.Keep < 0 || l.Keep > mostKept:
		return fmt.Errorf("%s.keep: %d is not within 1 and %d", key, l.Keep, mostKept)
	case l.MaxAge != 0 && l.MaxAge < leastAge:
		return fmt.Errorf("%s.max_age: %s is below %s", key, l.MaxAge, leastAge)
	}
	return nil
}
