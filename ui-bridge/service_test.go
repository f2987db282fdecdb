package uibridge

import (
	"fmt"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"vignette/scenes/engine"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// liveMethods are the methods that are exported, as "interface.member in out",
// with signatures found by reflection.
func liveMethods(tables map[string]map[string]any) []string {
	var list []string
	for iface, methods := range tables {
		for name, f := range methods {
			typ := reflect.TypeOf(f)
			in, out := "", ""
			for i := range typ.NumIn() {
				if arg := typ.In(i); arg != reflect.TypeFor[dbus.Sender]() && arg != reflect.TypeFor[dbus.Message]() {
					in += dbus.SignatureOfType(typ.In(i)).String()
				}
			}
			for i := range typ.NumOut() - 1 {
				out += dbus.SignatureOfType(typ.Out(i)).String()
			}
			list = append(list, fmt.Sprintf("%s.%s %q %q", iface, name, in, out))
		}
	}
	slices.Sort(list)
	return list
}

var xmlTag = regexp.MustCompile(`<(/?[a-z]+)([^>]*?)(/?)>`)

// attribute returns the value of an attribute of a tag.
func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return m[1]
}

// described reads introspection text: its methods as liveMethods writes them,
// its properties as "interface.name type", its signals as "interface.name types".
func described(text string) (methods, properties, signals []string) {
	text = regexp.MustCompile(`(?s)<!--.*?-->`).ReplaceAllString(text, "")
	iface, member, in, out := "", "", "", ""
	for _, m := range xmlTag.FindAllStringSubmatch(text, -1) {
		switch tag := m[1]; tag {
		case "interface":
			iface = attribute(m[2], "name")
		case "method", "signal":
			member, in, out = attribute(m[2], "name"), "", ""
			if m[3] == "/" {
				methods = append(methods, fmt.Sprintf("%s.%s %q %q", iface, member, in, out))
			}
		case "arg":
			if attribute(m[2], "direction") == "in" {
				in += attribute(m[2], "type")
			} else {
				out += attribute(m[2], "type")
			}
		case "/method":
			methods = append(methods, fmt.Sprintf("%s.%s %q %q", iface, member, in, out))
		case "/signal":
			signals = append(signals, fmt.Sprintf("%s.%s %q", iface, member, out))
		case "property":
			properties = append(properties, iface+"."+attribute(m[2], "name")+" "+attribute(m[2], "type"))
		}
	}
	slices.Sort(methods)
	slices.Sort(properties)
	slices.Sort(signals)
	return methods, properties, signals
}

// filesOf puts the files of interfaces together.
func filesOf(t *testing.T, interfaces []string) string {
	t.Helper()
	var files strings.Builder
	for _, name := range interfaces {
		b, err := Interfaces.ReadFile("dbus/" + name + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		if of := attribute(regexp.MustCompile(`<interface[^>]*>`).FindString(string(b)), "name"); of != name {
			t.Errorf("dbus/%s.xml describes the interface of %s", name, of)
		}
		files.Write(b)
	}
	return files.String()
}

// TestFilesDescribeTheLiveObjects compares the installed files with what the
// agent's object and a card's say of themselves, do and have.
func TestFilesDescribeTheLiveObjects(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	if err := br.SetCards([]Card{{ID: "a-b"}}); err != nil {
		t.Fatal(err)
	}
	hmi := client(t, address)
	used := map[string]bool{}
	for path, o := range map[dbus.ObjectPath]struct {
		interfaces []string
		methods    map[string]map[string]any
	}{AgentPath: {agentInterfaces, br.methods(nil)}, cardPath("a-b"): {cardInterfaces, br.cardMethods()}} {
		for _, name := range o.interfaces {
			used["dbus/"+name+".xml"] = true
		}
		methods, properties, signals := described(filesOf(t, o.interfaces))
		if live := liveMethods(o.methods); !slices.Equal(methods, live) {
			t.Errorf("%s: the files describe\n%s\nthe object has\n%s", path, strings.Join(methods, "\n"), strings.Join(live, "\n"))
		}
		var text string
		if err := askAt(t, hmi, path, introspectable+".Introspect").Store(&text); err != nil {
			t.Fatal(err)
		}
		m, p, s := described(text)
		if !slices.Equal(m, methods) || !slices.Equal(p, properties) || !slices.Equal(s, signals) {
			t.Errorf("%s: Introspect gives %v %v %v, the files %v %v %v", path, m, p, s, methods, properties, signals)
		}
		var live []string
		for _, iface := range o.interfaces {
			var all map[string]dbus.Variant
			if err := askAt(t, hmi, path, propertiesOf+".GetAll", iface).Store(&all); err != nil {
				t.Fatal(err)
			}
			for name, v := range all {
				live = append(live, iface+"."+name+" "+v.Signature().String())
			}
		}
		slices.Sort(live)
		for i := range properties {
			properties[i] = asRead(properties[i])
		}
		if !slices.Equal(properties, live) {
			t.Errorf("%s: the files have the properties %v, the object %v", path, properties, live)
		}
	}
	names, err := fs.Glob(Interfaces, "dbus/*.xml")
	if err != nil || len(names) != len(used) {
		t.Errorf("files %v are installed, %v are used; %v", names, used, err)
	}
}

func TestProperties(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	var all map[string]dbus.Variant
	if err := ask(t, hmi, "org.freedesktop.DBus.Properties.GetAll", AgentInterface).Store(&all); err != nil {
		t.Fatal(err)
	}
	if all["Version"].Value() != "1.2.3" || all["Session"].Value() != uint64(7) || all["Vehicle"].Value() != "vignette-ev" {
		t.Errorf("GetAll: %v", all)
	}
	if c := all["Counters"].Value().(map[string]uint64); c["frames"] != 42 {
		t.Errorf("Counters: %v", c)
	}
	var on dbus.Variant
	if err := ask(t, hmi, "org.freedesktop.DBus.Properties.Get", TraceInterface, "Recording").Store(&on); err != nil || on.Value() != false {
		t.Errorf("Recording: %v %v", on, err)
	}
	for _, c := range []struct {
		method string
		args   []any
		want   string
	}{
		{"Get", []any{AgentInterface, "Colour"}, "org.freedesktop.DBus.Error.UnknownProperty"},
		{"Get", []any{"org.example.X", "Colour"}, "org.freedesktop.DBus.Error.UnknownInterface"},
		{"GetAll", []any{"org.example.X"}, "org.freedesktop.DBus.Error.UnknownInterface"},
		{"Set", []any{AgentInterface, "Version", dbus.MakeVariant("2")}, "org.freedesktop.DBus.Error.PropertyReadOnly"},
		{"Set", []any{AgentInterface, "Colour", dbus.MakeVariant("2")}, "org.freedesktop.DBus.Error.UnknownProperty"},
	} {
		if err := ask(t, hmi, "org.freedesktop.DBus.Properties."+c.method, c.args...).Err; errorName(err) != c.want {
			t.Errorf("%s%v: %v, want %s", c.method, c.args, err, c.want)
		}
	}
}

func TestWrongCallsAreNamedErrors(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	hmi := client(t, address)
	many := make([]interaction, maxInteractions+1)
	long := strings.Repeat("x", maxTextBytes+1)
	for _, c := range []struct {
		name, method string
		args         []any
		want         string
	}{
		{"no such method", AgentInterface + ".Fly", nil, "org.freedesktop.DBus.Error.UnknownMethod"},
		{"too few arguments", AgentInterface + ".Watch", nil, "org.freedesktop.DBus.Error.InvalidArgs"},
		{"wrong type", AgentInterface + ".Watch", []any{"Vehicle.Speed"}, "org.freedesktop.DBus.Error.InvalidArgs"},
		{"unknown signal", AgentInterface + ".Watch", []any{[]string{"Vehicle.Nothing"}}, "org.vignette.Error.UnknownSignal"},
		{"too many paths", AgentInterface + ".Watch", []any{make([]string, maxWatchedPaths+1)}, "org.vignette.Error.LimitsExceeded"},
		{"unknown card", AgentInterface + ".EnableCard", []any{"unknown", true}, "org.vignette.Error.UnknownCard"},
		{"long card", AgentInterface + ".RunCard", []any{long}, "org.vignette.Error.LimitsExceeded"},
		{"unknown event", AgentInterface + ".Occur", []any{"unknown", true}, "org.vignette.Error.UnknownEvent"},
		{"unknown actuator", AgentInterface + ".Override", []any{"unknown", dbus.MakeVariant(1.0)}, "org.vignette.Error.UnknownActuator"},
		{"array as value", AgentInterface + ".Override", []any{"x", dbus.MakeVariant([]string{"a"})}, "org.vignette.Error.InvalidValue"},
		{"too great a value", AgentInterface + ".Override", []any{"x", dbus.MakeVariant(uint64(1<<53 + 1))}, "org.vignette.Error.InvalidValue"},
		{"long actuator", AgentInterface + ".Override", []any{long, dbus.MakeVariant(1.0)}, "org.vignette.Error.LimitsExceeded"},
		{"unknown study", TraceInterface + ".GiveConsent", []any{"other"}, "org.vignette.Error.UnknownStudy"},
		{"unknown study withdrawn", TraceInterface + ".WithdrawConsent", []any{"other"}, "org.vignette.Error.UnknownStudy"},
		{"too many interactions", TraceInterface + ".Record", []any{many}, "org.vignette.Error.LimitsExceeded"},
		{"long name", TraceInterface + ".Record", []any{[]interaction{{Screen: long}}}, "org.vignette.Error.LimitsExceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := ask(t, hmi, c.method, c.args...).Err
			if errorName(err) != c.want {
				t.Errorf("error %s (%v), want %s", errorName(err), err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), long) {
				t.Error("the error repeats the long name")
			}
		})
	}
}

func TestOverrideTypes(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	for _, c := range []struct {
		value any
		want  string
	}{
		{21.5, `x 1 21.5 ""`}, {uint8(5), `x 1 5 ""`}, {int16(-5), `x 1 -5 ""`}, {uint16(5), `x 1 5 ""`}, {int32(-7), `x 1 -7 ""`},
		{uint32(7), `x 1 7 ""`}, {int64(-9), `x 1 -9 ""`}, {uint64(9), `x 1 9 ""`}, {true, `x 2 1 ""`}, {false, `x 2 0 ""`}, {"AUTO", `x 3 0 "AUTO"`},
	} {
		if err := ask(t, hmi, AgentInterface+".Override", "x", dbus.MakeVariant(c.value)).Err; err != nil {
			t.Errorf("%v: %v", c.value, err)
			continue
		}
		if got := receive(t, a.overrides, "override"); got != c.want {
			t.Errorf("%T %v: got %s, want %s", c.value, c.value, got, c.want)
		}
	}
}

func TestConsentAndRecord(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	connect(t, address, a)
	hmi := client(t, address)
	batch := []interaction{{"climate", "fan", "tap", "ok"}, {"home", "climate_tile", "tap", "ok"}}
	record := func(want uint32) {
		t.Helper()
		var n uint32
		if err := ask(t, hmi, TraceInterface+".Record", batch).Store(&n); err != nil || n != want {
			t.Errorf("Record: %d, %v; want %d", n, err, want)
		}
	}
	record(0)
	if err := ask(t, hmi, TraceInterface+".GiveConsent", demoStudy).Err; err != nil {
		t.Fatal(err)
	}
	record(2)
	if err := ask(t, hmi, TraceInterface+".WithdrawConsent", demoStudy).Err; err != nil {
		t.Fatal(err)
	}
	record(0)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.recorded) != 2 || a.recorded[0] != (trace.Interaction{Screen: "climate", Element: "fan", Gesture: "tap", Outcome: "ok"}) {
		t.Errorf("the agent got %v", a.recorded)
	}
}

func TestFloodIsTurnedAway(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	a.block = make(chan struct{})
	release := sync.OnceFunc(func() { close(a.block) })
	br := connect(t, address, a)
	t.Cleanup(release)            // before Close, which waits for handlers
	const programs, each = 5, 100 // a bus allows each program 128 open calls
	const flood = programs * each
	done := make(chan *dbus.Call, flood)
	for i := range programs {
		obj := client(t, address).Object(AgentName, AgentPath)
		for range each {
			obj.Go(AgentInterface+".Override", 0, done, "x", dbus.MakeVariant(1.0))
		}
		if i > 1 {
			continue
		}
		receive(t, a.overrides, "override") // one of each runs
		for range each - maxOfOne {
			if call := receive(t, done, "busy error"); errorName(call.Err) != "org.vignette.Error.Busy" {
				t.Fatalf("error %v, want busy", call.Err)
			}
		}
	}
	for range (programs - 2) * each { // two have taken all places
		if call := receive(t, done, "busy error"); errorName(call.Err) != "org.vignette.Error.Busy" {
			t.Fatalf("error %v, want busy", call.Err)
		}
	}
	release()
	for range maxIncoming {
		if call := receive(t, done, "reply"); call.Err != nil {
			t.Error(call.Err)
		}
	}
	if c := br.Counters(); c["incoming_busy"] != flood-maxIncoming || c["incoming_unanswered"] != 0 {
		t.Errorf("incoming_busy is %d, want %d, incoming_unanswered %d", c["incoming_busy"], flood-maxIncoming, c["incoming_unanswered"])
	}
}

func TestRecordKeys(t *testing.T) {
	full := engine.Record{T: -1_500_000_000, N: 3, Card: "a", What: engine.Acted, Why: "w", Action: "set", Actuator: "x",
		Value: engine.Value{Kind: engine.Number, Num: 60}, Lease: 38_500_000_000, Cause: 2}
	got := dictionary(&full)
	want := map[string]any{"t": "-1.500000000", "n": uint64(3), "card": "a", "what": "acted", "why": "w", "action": "set",
		"actuator": "x", "value": 60.0, "lease": 38.5, "cause": uint64(2)}
	if len(got) != len(want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	for k, v := range want {
		if got[k].Value() != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
	bare := dictionary(&engine.Record{T: 12_000_000_345, N: 1, What: engine.Known})
	if len(bare) != 3 || bare["t"].Value() != "12.000000345" || bare["what"].Value() != "known" {
		t.Errorf("a bare record gives %v", bare)
	}
}
