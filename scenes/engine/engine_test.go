package engine

import (
	"fmt"
	"strings"
	"testing"
)

// bench is a one-actuator program as in the contract's worked example.
func bench(t *testing.T) *Program {
	t.Helper()
	p := &Program{
		Signals: []Signal{
			{Path: "A", Type: Number},
			{Path: "B", Type: Number},
			{Path: "F", Type: Number},
		},
		Actuators: []Actuator{{Path: "F", Step: 10, Slew: 20, MinInterval: 2e9, States: 1, EndStates: 1,
			Holdoff: 600e9, HasCall: true, Within: 5e8, Readback: 2, ReadWithin: 2e9}},
		Cards: []Card{
			{ID: "a", When: []Trigger{{Op: Becomes, Slot: 0, X: 1}}, Names: []int{0},
				Then: []Step{{Kind: Set, Value: Value{Kind: Number, Num: 60}, Lease: 60e9}}},
			{ID: "b", When: []Trigger{{Op: Becomes, Slot: 1, X: 1}}, Names: []int{1}, Priority: 5,
				Then: []Step{{Kind: Set, Value: Value{Kind: Number, Num: 30}, Lease: 20e9}}},
		},
	}
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	return p
}

func brief(r Record) string {
	return strings.Join(strings.Fields(fmt.Sprint(float64(r.T)/1e9, " ", r.Card, " ", r.What, " ", r.Why, " ", r.Action, " ", r.Value.Num, " ", r.Lease/1e9)), " ")
}

// TestWorkedExample runs the contract's worked example; testdata/meaning holds
// it again, with the rest of *Meaning*, through the whole pump.
func TestWorkedExample(t *testing.T) {
	p := bench(t)
	s := p.NewState(1, true)
	var out Effects
	var got []string
	last := map[string]uint64{}
	frame := func(at float64, slot int, v float64) {
		p.Step(s, &Event{T: int64(at * 1e9), Kind: EvFrame, Samples: []Sample{{slot, true, v}}}, &out)
	}
	answer := func(at float64, card string) {
		p.Step(s, &Event{T: int64(at * 1e9), Kind: EvReply, Session: 1, Ref: last[card], OK: true}, &out)
	}
	take := func() {
		for _, r := range out.Records {
			if r.What == Live || r.What == Known {
				continue
			}
			if r.What == Acted {
				last[r.Card] = r.N
			}
			got = append(got, brief(r))
		}
		out.Reset()
	}
	edge := func(at float64, slot int) { frame(at-0.05, slot, 0); frame(at, slot, 1); take() }
	frame(0, 0, 0)
	frame(0, 1, 0)
	frame(0, 2, 20)
	edge(10, 0)
	answer(10.1, "a")
	frame(12, 2, 50)
	edge(12.05, 1)
	answer(12.1, "b")
	frame(12.2, 2, 55)
	frame(13.6, 2, 30)
	edge(25, 0)
	frame(32.06, 0, 0)
	take()
	answer(32.1, "a")
	frame(33.6, 2, 60)
	frame(50, 2, 20)
	edge(55, 1)
	edge(660, 0)
	answer(660.1, "a")
	frame(662, 2, 60)
	take()
	want := []string{
		"10 a fired trigger[0] 0 0", "10 a acted set 60 60",
		"10.1 a replied set 0 0",
		"12.05 b fired trigger[0] 0 0", "12.05 a lost winner:b set 60 0", "12.05 b acted set 30 20",
		"12.1 b replied set 0 0",
		"25 a fired trigger[0] 0 0", "25 a lost winner:b set 60 0",
		"32.05 b ended duration 0 0", "32.05 a acted set 60 37",
		"32.1 a replied set 0 0",
		"50 override 20 0", "50 a ended override 0 0",
		"55 b fired trigger[0] 0 0", "55 b lost winner:driver set 30 0",
		"660 a fired trigger[0] 0 0", "660 a acted set 60 60",
		"660.1 a replied set 0 0",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}
