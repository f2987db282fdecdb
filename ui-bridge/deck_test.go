package uibridge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func (a *agent) Install(text []byte) (Report, error) {
	if len(text) == 0 {
		return nil, fmt.Errorf("%w: no state", ErrUnsupported)
	}
	return Report{"installed": true, "text": []string{string(text)}, "touches": []Report{{"hourly": uint32(3), "states": []string{}}}}, nil
}

// TestInstallByDescriptor sends a card as a text, and as a file, a pipe and a
// socket; a pipe that never ends does not hang, and what is too long, or no file, is
// refused. That the reply carries the rows shows that reports nest.
func TestInstallByDescriptor(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	if !hmi.SupportsUnixFDs() {
		t.Fatal("the connection passes no file descriptors")
	}
	install := func(member string, card any) (text string, err error) {
		var r map[string]dbus.Variant
		if err := ask(t, hmi, AgentInterface+"."+member, card).Store(&r); err != nil {
			return "", err
		}
		rows, ok := r["touches"].Value().([]map[string]dbus.Variant)
		if !ok || len(rows) != 1 || rows[0]["hourly"].Value() != uint32(3) || r["installed"].Value() != true {
			t.Errorf("the report is %v", r)
		}
		return r["text"].Value().([]string)[0], nil
	}
	file := func(text string) *os.File {
		path := filepath.Join(t.TempDir(), "card")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	pipe := func(text string, end bool) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if t.Cleanup(func() { w.Close() }); end {
			w.Close()
		}
		return r
	}
	directory, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := install("Install", "id: a"); got != "id: a" || err != nil {
		t.Errorf("as a text: %q, %v", got, err)
	}
	for _, c := range []struct {
		name string
		f    *os.File
		want string
		err  string
	}{
		{"a file", file("id: b"), "id: b", ""},
		{"a pipe", pipe("id: c", true), "id: c", ""},
		{"a pipe that never ends", pipe("id: d", false), "", "InvalidValue: invalid value: the card did not end within 2s"},
		{"too long", file(strings.Repeat("x", maxCardText+1)), "", "LimitsExceeded: too much at once: a card has at most 65536 bytes"},
		{"as long as it may be", file(strings.Repeat("x", maxCardText)), strings.Repeat("x", maxCardText), ""},
		{"a directory", directory, "", "InvalidValue: invalid value: the file descriptor cannot be read: it is of no file, pipe or socket"},
		{"nothing", file(""), "", "NotSupported: not supported here: no state"},
	} {
		got, err := install("InstallFile", dbus.UnixFD(c.f.Fd()))
		c.f.Close()
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(errorOf(err), errorPrefix+c.err) {
			t.Errorf("%s: %.40q, %v; want %.40q, %s", c.name, got, errorOf(err), c.want, c.err)
		}
	}
	if got, err := install("Install", strings.Repeat("x", maxCardText+1)); got != "" || !strings.HasPrefix(errorOf(err), errorPrefix+"LimitsExceeded") {
		t.Errorf("a long text: %.40q, %v", got, err)
	}
}

// errorOf is a D-Bus error's name and text.
func errorOf(err error) string {
	if e, ok := err.(dbus.Error); ok {
		return e.Name + ": " + e.Error()
	}
	return fmt.Sprint(err)
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
