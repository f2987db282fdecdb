package uibridge

import "testing"

// TestDriversDeeds calls each method that tells of the driver over the bus.
func TestDriversDeeds(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	for _, c := range []struct {
		method string
		args   []any
		want   string
	}{
		{"Answer", []any{uint64(7), true}, "answer 7 true"},
		{"EnableCard", []any{"a", false}, "enable a false"},
		{"RunCard", []any{"a"}, "run a"},
		{"FreeCard", []any{"a"}, "free a"},
		{"SetUser", []any{uint64(1) << 63}, "user 9223372036854775808"},
		{"Occur", []any{"place enter home", false}, "occur place enter home false"},
	} {
		if err := ask(t, hmi, AgentInterface+"."+c.method, c.args...).Err; err != nil {
			t.Errorf("%s: %v", c.method, err)
			continue
		}
		if got := receive(t, a.overrides, c.method); got != c.want {
			t.Errorf("%s: got %q, want %q", c.method, got, c.want)
		}
	}
}
