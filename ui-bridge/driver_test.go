package uibridge

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

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
		{"SetPlace", []any{"home", 52.5, -13.25, 100.0}, "place {home 52.5 -13.25 100}"},
		{"ForgetPlace", []any{"home"}, "forget home"},
		{"SetHabits", []any{true}, "habits true"},
		{"DismissDraft", []any{"habit-1"}, "dismiss habit-1"},
		{"Places", nil, "places"},
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

// TestPlacesOverTheBus: a place that is none is refused without repeating where it
// is, and those that there are come as (sddd).
func TestPlacesOverTheBus(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	for _, bad := range [][3]float64{{52.5, 181, 100}, {-90.5, 13, 100}, {52.5, 13, 24}, {52.5, 13, 100_001}, {math.NaN(), 13, 100}, {52.5, 13, math.Inf(1)}} {
		err := ask(t, hmi, AgentInterface+".SetPlace", "home", bad[0], bad[1], bad[2]).Err
		if err == nil || !strings.Contains(err.Error(), "invalid value") || strings.Contains(err.Error(), "52.5") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	var list []Place
	if err := ask(t, hmi, AgentInterface+".Places").Store(&list); err != nil || len(list) != 1 || list[0] != (Place{"home", 1, 2, 100}) {
		t.Errorf("places are %v, %v", list, err)
	}
}

// TestDraftsOverTheBus: a draft comes with its words in both languages and the
// card as a text.
func TestDraftsOverTheBus(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	var list []map[string]dbus.Variant
	if err := ask(t, hmi, AgentInterface+".Drafts").Store(&list); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	want := map[string]any{"id": "habit-1", "title": map[string]string{"en": "Set", "zh": "设"}, "why": map[string]string{"en": "On"},
		"times": uint32(5), "of": uint32(6), "days": uint32(3), "text": "schema: 1\n"}
	for key, v := range want {
		if got := list[0][key].Value(); !reflect.DeepEqual(got, v) {
			t.Errorf("%s is %v, want %v", key, got, v)
		}
	}
	if len(list[0]) != len(want) {
		t.Errorf("draft %v", list[0])
	}
	if err := ask(t, hmi, AgentInterface+".DismissDraft", "unknown").Err; errorName(err) != "org.vignette.Error.UnknownDraft" {
		t.Errorf("an unknown draft: %v", err)
	}
}
