package reference

import "slices"

// signal is what is known of a signal.
type signal struct {
	Signal
	known   bool
	ever    bool // has been valid once since start
	value   Value
	sampled int64 // time of the last valid sample

	asleep   bool // its bus was, since that sample
	recovers bool // the sample of this step is the first after being stale
}

// signal finds a signal that is followed; nil: it is not.
func (in *Interpreter) signal(path string) *signal {
	for _, s := range in.signals {
		if s.Path == path {
			return s
		}
	}
	return nil
}

// frame takes all samples of a frame together (rule 2): first what is known,
// then the drive state, then readbacks (choice 17), then the detectors, of
// signals that became unknown before others.
func (in *Interpreter) frame(samples []Sample) {
	slices.SortFunc(samples, func(a, b Sample) int {
		if a.Signal < b.Signal {
			return -1
		}
		return 1
	})
	samples = slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return in.signal(s.Signal) == nil })
	for _, sample := range samples {
		in.know(in.signal(sample.Signal), sample)
	}
	in.lookAtState()
	for _, sample := range samples {
		for _, a := range in.actuators {
			if sample.Valid && sample.Signal == a.Readback && in.isSet(a) {
				in.readBack(a, sample.Value)
			}
		}
	}
	for _, sample := range samples {
		if !sample.Valid {
			in.forget(sample.Signal)
		}
	}
	for _, sample := range samples {
		if sample.Valid {
			in.detect(sample)
		}
	}
}

// know notes one sample (rule 4, choice 2).
func (in *Interpreter) know(s *signal, sample Sample) {
	if !sample.Valid {
		if s.known {
			s.known = false
			in.write(Record{What: "unknown", Why: "invalid:" + s.Path})
		}
		return
	}
	if !s.known {
		why := "first:"
		if s.ever {
			why = "recovered:"
		}
		in.write(Record{What: "known", Why: why + s.Path})
	}
	s.recovers = s.ever && (s.asleep || s.StaleAfter > 0 && in.now >= s.sampled+s.StaleAfter)
	s.asleep = false
	s.known, s.ever, s.value, s.sampled = true, true, sample.Value, in.now
}

// stale makes a signal unknown that was not sampled in time (rule 4).
func (in *Interpreter) stale(s *signal) {
	s.known = false
	in.write(Record{What: "unknown", Why: "stale:" + s.Path})
	in.lookAtState()
	in.forget(s.Path)
}

// link notes the state of a bus's link. At every report that the bus is asleep
// its signals that are never stale are unknown at once (choice 17).
func (in *Interpreter) link(bus, link string) {
	if link != "absent" && link != "down" && link != "bus-off" {
		return
	}
	var gone []*signal
	for _, s := range in.signals {
		s.asleep = s.asleep || s.Bus == bus && s.StaleAfter == 0
		if s.Bus == bus && s.StaleAfter == 0 && s.known {
			s.known = false
			in.write(Record{What: "unknown", Why: "asleep:" + s.Path})
			gone = append(gone, s)
		}
	}
	in.lookAtState()
	for _, s := range gone {
		in.forget(s.Path)
	}
}

// driveState is the first true state; one unknown before it, or none, is
// moving (*Vehicle profile*, choice 11).
func (in *Interpreter) driveState() string {
	for _, s := range in.states {
		switch in.holds(s.When) {
		case yes:
			return s.Name
		case unknown:
			return Moving
		}
	}
	return Moving
}

// lookAtState ends the leases whose actuator's states no longer hold (rule 10).
func (in *Interpreter) lookAtState() {
	in.state = in.driveState()
	for _, a := range in.actuators {
		if !a.booting && !slices.Contains(a.States, in.state) {
			in.endAll(a, "state:"+in.state)
		}
	}
}

// truth is Kleene's (rule 4); no < unknown < yes.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// holds evaluates a condition (rule 4).
func (in *Interpreter) holds(c Cond) truth {
	switch c.Op {
	case "all":
		t := yes
		for _, of := range c.Of {
			t = min(t, in.holds(of))
		}
		return t
	case "any":
		t := no
		for _, of := range c.Of {
			t = max(t, in.holds(of))
		}
		return t
	case "not":
		return yes - in.holds(c.Of[0])
	case "fresh": // choice 34
		return truthOf(in.signal(c.Signal).known)
	case "expr":
		result := in.evaluate(*c.Expr)
		if !result.ok {
			return unknown
		}
		return truthOf(result.x != 0)
	case "time":
		return in.timeOfDay(c.From, c.To)
	case "state":
		return truthOf(in.state == c.State)
	}
	s := in.signal(c.Signal)
	if !s.known {
		return unknown
	}
	switch c.Op {
	case "above":
		return truthOf(s.value.Num > c.A.Num)
	case "below":
		return truthOf(s.value.Num < c.A.Num)
	case "between":
		return truthOf(c.A.Num <= s.value.Num && s.value.Num <= c.B.Num)
	case "is":
		return truthOf(s.value == c.A)
	case "is_not":
		return truthOf(s.value != c.A)
	}
	panic("no condition is called " + c.Op)
}

// signals lists the signals that a condition names.
func (c Cond) signals() (paths []string) {
	if c.Signal != "" {
		paths = append(paths, c.Signal)
	}
	paths = append(paths, c.Expr.signals()...)
	for _, of := range c.Of {
		paths = append(paths, of.signals()...)
	}
	return paths
}
