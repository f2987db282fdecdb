package reference

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Record is one record of the decision log.
type Record struct {
	T        int64
	N        uint64
	Card     string
	What     string
	Why      string
	Action   string
	Actuator string
	Value    Value
	Lease    int64
	Cause    uint64
}

// JSON is the record's line of the decision log (*Decision log*, choice 10).
func (r *Record) JSON() string {
	var b strings.Builder
	sign, t := "", r.T
	if t < 0 {
		sign, t = "-", -t
	}
	fmt.Fprintf(&b, `{"t":"%s%d.%09d","n":%d`, sign, t/1e9, t%1e9, r.N)
	for _, f := range []struct{ key, text string }{
		{"card", r.Card}, {"what", r.What}, {"why", r.Why}, {"action", r.Action}, {"actuator", r.Actuator}} {
		if f.text != "" {
			fmt.Fprintf(&b, `,"%s":%s`, f.key, quote(f.text))
		}
	}
	if r.Value.Kind != Absent {
		fmt.Fprintf(&b, `,"value":%s`, r.Value.JSON())
	}
	if r.Lease != 0 {
		fmt.Fprintf(&b, `,"lease":%s`, Num(float64(r.Lease)/1e9).JSON())
	}
	if r.Cause != 0 {
		fmt.Fprintf(&b, `,"cause":%d`, r.Cause)
	}
	return b.String() + "}\n"
}

// JSON is the value in the log: a number in its shortest form, negative zero
// as 0.
func (v Value) JSON() string {
	switch v.Kind {
	case Bool:
		return fmt.Sprint(v.Num != 0)
	case Label:
		return quote(v.Label)
	}
	if v.Num == 0 {
		return "0"
	}
	text, err := json.Marshal(v.Num)
	if err != nil {
		panic(fmt.Sprintf("%v is no number of a decision log", v.Num))
	}
	return string(text)
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// write appends a record at the time of the current step and gives its n.
func (in *Interpreter) write(r Record) uint64 {
	in.n++
	r.T, r.N = in.now, in.n
	in.log = append(in.log, r)
	return in.n
}
