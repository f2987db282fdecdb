package uibridge

import (
	"bytes"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// TestHostileCalls sends what no honest program sends. Each call is answered, by
// the error of that name, and the connection lives on.
func TestHostileCalls(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	br := connect(t, address, a)
	hmi := client(t, address)
	nested := func(depth int) (v dbus.Variant) {
		v = dbus.MakeVariant(1.0)
		for range depth {
			v = dbus.MakeVariant(v)
		}
		return v
	}
	const args, limits = "org.freedesktop.DBus.Error.InvalidArgs", "org.vignette.Error.LimitsExceeded"
	const value = "org.vignette.Error.InvalidValue"
	for _, c := range []struct {
		name, member string
		args         []any
		want         string
	}{
		{"a number as a text", "EnableCard", []any{int32(65), true}, args},
		{"a double as a whole number", "Answer", []any{3.7, true}, args},
		{"below zero", "SetUser", []any{int32(-1)}, args},
		{"a text as a list", "Watch", []any{"Vehicle.Speed"}, args},
		{"variants as a list of texts", "Watch", []any{[]dbus.Variant{dbus.MakeVariant("Vehicle.Speed")}}, args},
		{"too many", "SetUser", []any{uint64(1), uint64(2)}, args},
		{"a dictionary", "Override", []any{"x", dbus.MakeVariant(map[string]dbus.Variant{"a": dbus.MakeVariant(1.0)})}, value},
		{"nested variants", "Override", []any{"x", nested(20)}, value},
		{"deeply nested variants", "Override", []any{"x", nested(62)}, value},
		{"200 KB", "RunCard", []any{strings.Repeat("x", 200<<10)}, limits},
		{"16 MB", "RunCard", []any{strings.Repeat("x", 16<<20)}, limits},
		{"250,000 texts", "Watch", []any{make([]string, 1<<18)}, limits},
		{"500,000 numbers", "Override", []any{"x", dbus.MakeVariant(make([]int32, 1<<19))}, limits},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := ask(t, hmi, AgentInterface+"."+c.member, c.args...).Err; errorName(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	raw := newRawClient(t, address)
	keys := map[byte]string{1: "x"} // in bytes as those of booleans
	for _, c := range []struct {
		call       []byte
		name, text string
	}{
		{raw.call(AgentName, AgentPath, AgentInterface, "RunCard", 0, keys), args, `RunCard takes "s", not "a{bs}"`},
		{raw.call(AgentName, AgentPath, AgentInterface, "Override", 0, "x", dbus.MakeVariant(keys)), value, "type a{bs}; send a number"},
	} {
		raw.send(bytes.Replace(c.call, []byte("a{ys}"), []byte("a{bs}"), 1))
		if name, text := raw.refused(); name != c.name || !strings.Contains(text, c.text) {
			t.Errorf("dictionaries of booleans: %s: %s, want %s: %s", name, text, c.name, c.text)
		}
	}
	long := hmi.Object(AgentName, dbus.ObjectPath("/"+strings.Repeat("x", 300<<10)))
	long.Go(AgentInterface+".Unwatch", 0, nil)
	if err := ask(t, hmi, AgentInterface+".Unwatch").Err; err != nil {
		t.Error(err)
	}
	if c := br.Counters(); c["bus_losses"] != 0 || c["incoming_unanswered"] != 1 || len(a.overrides) != 0 {
		t.Errorf("%d losses, %d calls unanswered, %d taken; want 0, 1 (the long path), 0", c["bus_losses"], c["incoming_unanswered"], len(a.overrides))
	}
}

// TestNoFileDescriptors: what nobody would close cannot be sent.
func TestNoFileDescriptors(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	if err := ask(t, hmi, AgentInterface+".Override", "x", dbus.MakeVariant(dbus.UnixFD(0))).Err; errorName(err) != "org.freedesktop.DBus.Error.NotSupported" {
		t.Errorf("a file descriptor was sent: %v", err)
	}
}

// TestFlood has a program send calls as fast as the bus takes them, some of which
// it wants no answer to, and read nothing. Meanwhile others are served.
func TestFlood(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	br := connect(t, address, a)
	go func() {
		for range a.overrides {
		}
	}()
	t.Cleanup(func() { br.Close(); close(a.overrides) })
	serve(t, address, map[string]any{"Set": func(float64) *dbus.Error { return nil }})
	other := client(t, address)
	before := runtime.NumGoroutine()
	for _, c := range []struct {
		member string
		flags  dbus.Flags
		read   bool
	}{
		{"Override", 0, true}, {"Override", dbus.FlagNoReplyExpected, false}, {"Nonsense", 0, false}, {"Nonsense", dbus.FlagNoReplyExpected, true},
	} {
		flood := newRawClient(t, address)
		if c.read {
			go io.Copy(io.Discard, flood.conn)
		}
		call := flood.call(AgentName, AgentPath, AgentInterface, c.member, c.flags, "x", dbus.MakeVariant(1.0))
		sent := make(chan int, 1)
		go func() {
			n := 0
			for n < 10_000 && flood.send(call) {
				n++
			}
			sent <- n
		}()
		most, served := 0, 0
		for n := 0; n == 0; {
			select {
			case n = <-sent:
			default:
			}
			br.Call(1, binding("Set", "d", patience), []any{0.0})
			if got := receive(t, a.answers, "answer of a service"); !got.ok {
				t.Errorf("meanwhile a call failed: %s", got.detail)
			}
			if err := ask(t, other, propertiesOf+".Get", TraceInterface, "Study").Err; err != nil {
				t.Errorf("meanwhile another program's call failed: %v", err)
			}
			served++
			most = max(most, runtime.NumGoroutine())
		}
		flood.conn.Close()
		t.Logf("%s: 10,000 calls; meanwhile %d served, %d goroutines instead of %d at most", c.member, served, most, before)
		if most > before+maxIncoming {
			t.Errorf("%d goroutines, want %d at most", most, before+maxIncoming)
		}
	}
	until(t, "goroutines have grown in number", func() bool { return runtime.NumGoroutine() <= before })
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 8<<20 {
		t.Errorf("%d MiB are in use after the flood", m.HeapAlloc>>20)
	}
}

// TestMethodsTakeNoOtherTypes holds that every table's functions are of types that
// a call can have.
func TestMethodsTakeNoOtherTypes(t *testing.T) {
	br := &Bridge{}
	for iface, members := range newTables(br.methods(nil)) {
		for name, m := range members {
			typ := m.function.Type()
			if last := typ.NumOut() - 1; last < 0 || typ.Out(last) != reflect.TypeFor[*dbus.Error]() {
				t.Errorf("%s.%s does not end with a *dbus.Error", iface, name)
			}
		}
	}
}
