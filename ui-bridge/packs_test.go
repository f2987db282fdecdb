package uibridge

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/godbus/dbus/v5"
)

func (a *agent) ImportPack(data []byte) (Report, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: nothing in it", ErrBadPack)
	}
	return Report{"imported": true, "title": map[string]string{"en": "A"}, "missing": []string{}, "bytes": uint32(len(data)), "cards": []Report{{"card": "a"}}}, nil
}

func (a *agent) PreviewPack(data []byte) (Report, error) { return Report{"imported": false}, nil }
func (a *agent) AcceptAuthor(pack, author string) error  { return a.deed("accept %s %s", pack, author) }
func (a *agent) RefuseAuthor(pack string) error          { return a.deed("refuse %s", pack) }
func (a *agent) RemovePack(pack string) error            { return a.deed("remove pack %s", pack) }
func (a *agent) Packs() ([]Report, error) {
	return []Report{{"pack": "a", "cards": []string{"b"}}}, nil
}

// TestPacks sends packs as bytes and what a driver says of them; reports come back.
func TestPacks(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	var r map[string]dbus.Variant
	data := bytes.Repeat([]byte{0, 255, 'x'}, 80<<10)
	if err := ask(t, hmi, AgentInterface+".ImportPack", data).Store(&r); err != nil {
		t.Fatal(err)
	}
	rows, _ := r["cards"].Value().([]map[string]dbus.Variant)
	if r["bytes"].Value() != uint32(len(data)) || len(rows) != 1 || rows[0]["card"].Value() != "a" || r["title"].Value().(map[string]string)["en"] != "A" {
		t.Errorf("the report is %v", r)
	}
	if err := ask(t, hmi, AgentInterface+".ImportPack", []byte{}).Err; errorOf(err) != errorPrefix+"BadPack: no sound pack: nothing in it" {
		t.Errorf("an empty one: %v", err)
	}
	if err := ask(t, hmi, AgentInterface+".ImportPack", bytes.Repeat(data, 4)).Err; err == nil || errorOf(err)[:len(errorPrefix)+14] != errorPrefix+"LimitsExceeded" {
		t.Errorf("a large one: %v", err)
	}
	var list []map[string]dbus.Variant
	if err := ask(t, hmi, AgentInterface+".Packs").Store(&list); err != nil || len(list) != 1 || list[0]["cards"].Value().([]string)[0] != "b" {
		t.Errorf("the packs are %v, %v", list, err)
	}
	if err := ask(t, hmi, AgentInterface+".PreviewPack", data).Store(&r); err != nil || r["imported"].Value() != false {
		t.Errorf("the preview is %v, %v", r, err)
	}
	for _, c := range []struct {
		member string
		args   []any
		want   string
	}{
		{"AcceptAuthor", []any{"a", "RWkey"}, "accept a RWkey"},
		{"RefuseAuthor", []any{"a"}, "refuse a"},
		{"RemovePack", []any{"a"}, "remove pack a"},
	} {
		if err := ask(t, hmi, AgentInterface+"."+c.member, c.args...).Err; err != nil {
			t.Fatal(err)
		}
		if got := receive(t, a.overrides, "deed"); got != c.want {
			t.Errorf("%s: %q, want %q", c.member, got, c.want)
		}
	}
	long := string(bytes.Repeat([]byte("x"), maxTextBytes+1))
	for member, args := range map[string][]any{"AcceptAuthor": {"a", long}, "RefuseAuthor": {long}, "RemovePack": {long}} {
		if err := ask(t, hmi, AgentInterface+"."+member, args...).Err; err == nil || errorOf(err)[:len(errorPrefix)+14] != errorPrefix+"LimitsExceeded" {
			t.Errorf("%s of a long name: %v", member, err)
		}
	}
}
