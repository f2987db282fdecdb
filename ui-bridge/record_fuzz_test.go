package uibridge

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// recordingAgent is a Handler whose recorder is a real one.
type recordingAgent struct {
	*agent
	recorder *trace.Recorder
	now      trace.Context
}

func (a *recordingAgent) Interactions(batch []trace.Interaction) (int, error) {
	return a.recorder.Record(batch, a.now)
}

// newRecordingAgent has a driver's consent to the demo's study.
func newRecordingAgent(t testing.TB) *recordingAgent {
	t.Helper()
	s, err := scenes.LoadStudy("../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := trace.Open(filepath.Join(t.TempDir(), "traces"), trace.Options{Studies: []*scenes.Study{s}})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	a := &recordingAgent{agent: newAgent(), recorder: r, now: trace.Context{Now: noon, Wall: noon, Parked: true}}
	r.SetUser(1)
	if err := r.GiveConsent(demoStudy, a.now); err != nil {
		t.Fatal(err)
	}
	return a
}

// recordCall is a call of Record with a batch, as it is on the wire: what comes
// before its body, and its body.
func recordCall(t testing.TB, batch []interaction) (head, body []byte) {
	t.Helper()
	m := &dbus.Message{Type: dbus.TypeMethodCall, Body: []any{batch}, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(AgentPath)), dbus.FieldInterface: dbus.MakeVariant(TraceInterface),
		dbus.FieldMember: dbus.MakeVariant("Record"), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(batch))}}
	var b bytes.Buffer
	if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	text := b.Bytes()
	binary.LittleEndian.PutUint32(text[8:], 7)
	at := len(text) - int(binary.LittleEndian.Uint32(text[4:]))
	return text[:at:at], text[at:]
}

// TestBatchesOverTheirBoundAreRefused holds that a batch is taken or refused as a
// whole, by its length and that of its texts; what was taken is `other` or counted.
func TestBatchesOverTheirBoundAreRefused(t *testing.T) {
	a := newRecordingAgent(t)
	record := newMethod((&Bridge{opt: Options{Handler: a}}).onRecord)
	tile := interaction{"home", "climate_tile", "tap", "ok"}
	stranger := interaction{"13800138000", "Zhang Wei", strings.Repeat("x", maxTextBytes), "\xff\x00"}
	for _, c := range []struct {
		name    string
		batch   []interaction
		refused bool
	}{
		{"none", nil, false},
		{"one", []interaction{tile}, false},
		{"as many as fit", slices.Repeat([]interaction{stranger}, maxInteractions), false},
		{"one more", slices.Repeat([]interaction{tile}, maxInteractions+1), true},
		{"10,000", slices.Repeat([]interaction{tile}, 10_000), true},
		{"a long text at the end", []interaction{tile, {Outcome: strings.Repeat("x", maxTextBytes+1)}}, true},
	} {
		before := a.recorder.Counters()
		var body [][]any
		for _, in := range c.batch {
			body = append(body, []any{in.Screen, in.Element, in.Gesture, in.Outcome})
		}
		out, failed := record.call(&dbus.Message{Body: []any{body}})
		n := a.recorder.Counters()
		taken := n.Accepted - before.Accepted
		switch {
		case c.refused && (failed == nil || failed.Name != "org.vignette.Error.LimitsExceeded" || taken != 0):
			t.Errorf("%s: %v, %v, %d taken", c.name, out, failed, taken)
		case !c.refused && (failed != nil || out[0].(uint32) != uint32(len(c.batch)) || taken != uint64(len(c.batch))):
			t.Errorf("%s: %v, %v, %d taken", c.name, out, failed, taken)
		}
		if c.name == "as many as fit" && n.Other-before.Other != maxInteractions {
			t.Errorf("%s: %d are other", c.name, n.Other-before.Other)
		}
	}
}

// FuzzRecord: whatever bytes the body of a call of Record has, it is refused as a
// whole or each of its touches is counted once by a real recorder. What comes before
// the body is as a daemon lets it pass: of an array of empty structs, which none
// does, the library would read for ever.
func FuzzRecord(f *testing.F) {
	tile, fan := interaction{"home", "climate_tile", "tap", "ok"}, interaction{"climate", "fan", "turn", "ok"}
	flood := make([]interaction, 10_000)
	for _, batch := range [][]interaction{{}, {tile, fan}, {tile, {"13800138000", "Zhang Wei", "LSVAA4182E2100001", "31.2304N"}, fan},
		flood[:maxInteractions], flood[:maxInteractions+1], flood, {{Screen: strings.Repeat("x", maxTextBytes)}}, {{Screen: strings.Repeat("x", maxTextBytes+1)}}} {
		_, body := recordCall(f, batch)
		f.Add(body, int64(time.Second))
	}
	head, body := recordCall(f, []interaction{tile, fan})
	f.Add(body, -int64(10*365*24*time.Hour))
	a := newRecordingAgent(f)
	record := newMethod((&Bridge{opt: Options{Handler: a}}).onRecord)
	f.Fuzz(func(t *testing.T, body []byte, step int64) {
		call := append(head, body...)
		binary.LittleEndian.PutUint32(call[4:], uint32(len(body)))
		m, err := dbus.DecodeMessage(bytes.NewReader(call))
		if err != nil || len(m.Body) != 1 {
			return
		}
		a.now.Now = a.now.Now.Add(time.Duration(step))
		sent := len(m.Body[0].([][]any))
		before := a.recorder.Counters()
		out, failed := record.call(m)
		c := a.recorder.Counters()
		counted := c.Accepted + c.Refused + c.Outside - before.Accepted - before.Refused - before.Outside
		switch {
		case failed != nil && failed.Name != "org.vignette.Error.LimitsExceeded":
			t.Errorf("%s: %v", failed.Name, failed.Body)
		case failed != nil && counted != 0 || failed == nil && counted != uint64(sent):
			t.Errorf("%d of %d touches are counted: %v", counted, sent, failed)
		case failed == nil && uint64(out[0].(uint32)) != c.Accepted-before.Accepted:
			t.Errorf("replied %v, counters %+v", out, c)
		}
	})
}
