package uibridge

import (
	"fmt"
	"strings"
	"testing"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

func (a *agent) Problems() []string        { return []string{"card.yaml:2:5: it is wrong"} }
func (a *agent) Reload() ([]string, error) { return a.Problems(), a.deed("reload") }
func (a *agent) Remove(card string) error {
	if card == "car" {
		return ErrCameWithCar
	}
	return a.deed("remove %s", card)
}

func (a *agent) Preview(text []byte) (Report, error) {
	return Report{"card": string(text), "records": []engine.Record{{N: 3, What: engine.Fired}}, "covered": 1.5}, nil
}

func (a *agent) Install(text []byte) (Report, error) {
	if len(text) == 0 {
		return nil, fmt.Errorf("%w: no state", ErrUnsupported)
	}
	return Report{"installed": true, "text": []string{string(text)}, "touches": []Report{{"hourly": uint32(3), "states": []string{}}}}, nil
}

// TestInstall sends cards as texts: the reply carries a report with its rows, and
// what is too long does not reach the agent.
func TestInstall(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	for _, c := range []struct{ card, want string }{
		{"id: b", ""},
		{strings.Repeat("x", maxCardText), ""},
		{strings.Repeat("x", maxCardText+1), "LimitsExceeded: too much at once: a card has at most 65536 bytes"},
		{"", "NotSupported: not supported here: no state"},
	} {
		var r map[string]dbus.Variant
		err := ask(t, hmi, AgentInterface+".Install", c.card).Store(&r)
		if (err == nil) != (c.want == "") || err != nil && errorOf(err) != errorPrefix+c.want {
			t.Errorf("%.40q: %v, want %s", c.card, errorOf(err), c.want)
		}
		if err != nil {
			continue
		}
		rows, ok := r["touches"].Value().([]map[string]dbus.Variant)
		if !ok || len(rows) != 1 || rows[0]["hourly"].Value() != uint32(3) || r["installed"].Value() != true || r["text"].Value().([]string)[0] != c.card {
			t.Errorf("%.40q: the report is %.200v", c.card, r)
		}
	}
}

// errorOf is a D-Bus error's name and text.
func errorOf(err error) string {
	if e, ok := err.(dbus.Error); ok {
		return e.Name + ": " + e.Error()
	}
	return fmt.Sprint(err)
}

// TestPreview: records travel as those of Decisions do.
func TestPreview(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	var r map[string]dbus.Variant
	if err := ask(t, client(t, address), AgentInterface+".Preview", "id: b").Store(&r); err != nil {
		t.Fatal(err)
	}
	list, ok := r["records"].Value().([]map[string]dbus.Variant)
	if !ok || len(list) != 1 || list[0]["what"].Value() != "fired" || list[0]["n"].Value() != uint64(3) || r["covered"].Value() != 1.5 || r["card"].Value() != "id: b" {
		t.Errorf("the report is %v", r)
	}
}

// TestRemoveAndReload go to the handler, and their errors have names.
func TestRemoveAndReload(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	var problems []string
	if err := ask(t, hmi, AgentInterface+".Reload").Store(&problems); err != nil || len(problems) != 1 || <-a.overrides != "reload" {
		t.Errorf("%q, %v", problems, err)
	}
	if err := ask(t, hmi, AgentInterface+".Remove", "a").Err; err != nil || <-a.overrides != "remove a" {
		t.Error(err)
	}
	if err := ask(t, hmi, AgentInterface+".Remove", "car").Err; !strings.HasPrefix(errorOf(err), errorPrefix+"CameWithCar") {
		t.Error(err)
	}
}
