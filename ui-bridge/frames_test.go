package uibridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// message is the bytes of a call or a signal with one text.
func message(t testing.TB, typ dbus.Type, path, text string, order binary.ByteOrder) []byte {
	t.Helper()
	m := &dbus.Message{Type: typ, Body: []any{text}, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(path)), dbus.FieldInterface: dbus.MakeVariant(AgentInterface),
		dbus.FieldMember: dbus.MakeVariant("Said"), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(text))}}
	var b bytes.Buffer
	if err := m.EncodeTo(&b, order); err != nil {
		t.Fatal(err)
	}
	order.PutUint32(b.Bytes()[8:], 7) // a serial, which a message must have
	return b.Bytes()
}

func TestFramesKeepMessagesSmall(t *testing.T) {
	little, big := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
	empty := len(message(t, dbus.TypeMethodCall, "/a", "", little))
	whole := strings.Repeat("x", maxCallBytes-empty)
	var stream bytes.Buffer
	for _, m := range [][]byte{
		message(t, dbus.TypeMethodCall, "/a", "small", little),
		message(t, dbus.TypeMethodCall, "/a", whole, little),
		message(t, dbus.TypeMethodCall, "/a", whole+"x", little),
		message(t, dbus.TypeMethodCall, "/a", whole+"x", big),
		message(t, dbus.TypeSignal, "/a", whole+"x", big),
		message(t, dbus.TypeMethodCall, "/"+strings.Repeat("a", maxCallBytes), "long path", little),
		message(t, dbus.TypeSignal, "/a", strings.Repeat("x", maxOtherBytes), little),
		message(t, dbus.TypeMethodCall, "/a", "last", big),
	} {
		stream.Write(m)
	}
	skipped := 0
	f := frames{in: bufio.NewReader(iotest.HalfReader(&stream)), begun: true, skip: func() { skipped++ }, calls: map[string]bool{"s": true}}
	for i, want := range []struct {
		text any
		over bool
	}{{"small", false}, {whole, false}, {dbus.Signature{}, true}, {dbus.Signature{}, true}, {whole + "x", false}, {dbus.Signature{}, true}, {"last", false}} {
		m, err := dbus.DecodeMessage(&f)
		if err != nil {
			t.Fatal(i, err)
		}
		if len(m.Body) != 1 || m.Body[0] != want.text || (f.refused != nil) != want.over || m.Serial() != 7 {
			t.Errorf("message %d has %d values, refused %v, serial %d", i, len(m.Body), f.refused, m.Serial())
		}
	}
	if skipped != 1 || stream.Len() != 0 {
		t.Errorf("%d messages skipped, %d bytes left", skipped, stream.Len())
	}
}

// TestFramesThatTheLibraryCannotRead: a dictionary whose keys are booleans or signatures,
// as a bus lets it through, costs its own message and no connection.
func TestFramesThatTheLibraryCannotRead(t *testing.T) {
	encode := func(m *dbus.Message) []byte {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(m.Body...))
		var b bytes.Buffer
		if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	headers := func() map[dbus.HeaderField]dbus.Variant {
		return map[dbus.HeaderField]dbus.Variant{dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/a")),
			dbus.FieldInterface: dbus.MakeVariant(propertiesOf), dbus.FieldMember: dbus.MakeVariant("PropertiesChanged")}
	}
	dictionary := map[byte]string{1: "x"} // has the bytes that one of booleans has
	signal := encode(&dbus.Message{Type: dbus.TypeSignal, Headers: headers(), Body: []any{"org.example.A", dictionary, dbus.MakeVariant(dictionary)}})
	said := message(t, dbus.TypeSignal, "/a", "a{bs}, a{gs}", binary.LittleEndian)
	field := []byte("\x14\x05a{bs}\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00x\x00") // of a header, of no known code
	header := encode(&dbus.Message{Type: dbus.TypeSignal, Headers: headers(), Body: []any{uint64(1)}})
	end := len(header) - 8
	long := binary.LittleEndian.Uint32(header[12:])
	header = slices.Concat(header[:end], field, make([]byte, (8-len(field)%8)%8), header[end:])
	binary.LittleEndian.PutUint32(header[12:], (long+7)&^7+uint32(len(field)))
	for name, c := range map[string]struct {
		sent    []byte
		values  []any // nil: nothing is passed on
		skipped int
	}{
		"keys in the signature": {bytes.Replace(signal, []byte("a{ys}"), []byte("a{bs}"), 1), make([]any, 7), 0},
		"keys in a variant":     {bytes.Replace(signal, []byte("\x05a{ys}"), []byte("\x05a{bs}"), 1), make([]any, 7), 0},
		"keys in the header":    {header, nil, 1},
		"a text about them":     {said, []any{"a{bs}, a{gs}"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			skipped := 0
			last := message(t, dbus.TypeSignal, "/last", "last", binary.LittleEndian)
			f := frames{in: bufio.NewReader(bytes.NewReader(append(c.sent, last...))), begun: true, skip: func() { skipped++ }}
			for _, want := range [][]any{c.values, {"last"}} {
				if want == nil {
					continue
				}
				m, err := dbus.DecodeMessage(&f)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range m.Body {
					if len(m.Body) != len(want) || v != want[i] && (want[i] != nil || ValueOf(v) != engine.Value{}) {
						t.Errorf("got %v, want %v", m.Body, want)
					}
				}
			}
			if skipped != c.skipped {
				t.Errorf("%d skipped, want %d", skipped, c.skipped)
			}
		})
	}
}

// TestFramesOfForeignTypes: no type that a call brings reaches the library but those of
// methods, since it would never give back what Go's types of it take.
func TestFramesOfForeignTypes(t *testing.T) {
	for _, c := range []struct {
		body         []any
		types, fault string
		values       int // empty signatures; 0: the body as it was sent
	}{
		{[]any{"x"}, "s", "", 0},
		{[]any{map[string]map[int16]string{}}, "a{sa{ns}}", "", 9},
		{[]any{"texts", dbus.MakeVariant(1.5)}, "sv", "", 0},
		{[]any{"texts", dbus.MakeVariant([]string{})}, "sv", "type as; send a number", 2},
		{[]any{"", "even", dbus.MakeVariant(dbus.MakeVariant(map[uint64]int32{}))}, "ssv", "type v; send a number", 3},
	} {
		m := &dbus.Message{Type: dbus.TypeMethodCall, Body: c.body, Headers: map[dbus.HeaderField]dbus.Variant{dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/a")),
			dbus.FieldMember: dbus.MakeVariant("Say"), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(c.body...))}}
		var b bytes.Buffer
		if err := m.EncodeTo(&b, binary.BigEndian); err != nil {
			t.Fatal(err)
		}
		f := frames{in: bufio.NewReader(&b), begun: true, skip: func() {}, calls: map[string]bool{"s": true, "sv": true, "ssv": true}}
		got, err := dbus.DecodeMessage(&f)
		if err != nil {
			t.Fatal(err)
		}
		want := c.body
		if c.values > 0 {
			want = slices.Repeat([]any{dbus.Signature{}}, c.values)
		}
		if f.types != c.types || (f.refused == nil) != (c.fault == "") || f.refused != nil && !strings.Contains(f.refused.Error(), c.fault) || !slices.Equal(got.Body, want) {
			t.Errorf("%s: types %q, refused %v, %v is passed on, want %v", c.types, f.types, f.refused, got.Body, want)
		}
	}
}

// FuzzFrames: whatever a daemon sends, reading ends, and what follows a whole
// message is read whole.
func FuzzFrames(f *testing.F) {
	f.Add(message(f, dbus.TypeMethodCall, "/a", "x", binary.LittleEndian))
	f.Add(message(f, dbus.TypeMethodCall, "/a", strings.Repeat("x", maxCallBytes), binary.BigEndian))
	f.Add(bytes.Replace(message(f, dbus.TypeMethodCall, "/a", "x", binary.LittleEndian), []byte("\x01s\x00"), []byte("\x02sv"), 1))
	f.Add([]byte("l\x01\x00\x01\xff\xff\xff\xff\x07\x00\x00\x00\xff\xff\xff\xff"))
	last := message(f, dbus.TypeSignal, "/last", "last", binary.LittleEndian)
	f.Fuzz(func(t *testing.T, first []byte) {
		r := frames{in: bufio.NewReader(bytes.NewReader(append(bytes.Clone(first), last...))), begun: true, skip: func() {}, calls: map[string]bool{"s": true, "sv": true}}
		rest := new(bytes.Buffer)
		if n, err := rest.ReadFrom(&r); n > int64(len(first)+len(last)+maxHeaderBytes+255) {
			t.Fatalf("%d bytes became %d, error %v", len(first)+len(last), n, err)
		}
		if m, err := dbus.DecodeMessage(bytes.NewReader(first)); err == nil && len(m.Body) > 0 && wholeMessage(first) && !bytes.HasSuffix(rest.Bytes(), last) {
			t.Error("the message after a whole one is not read whole")
		}
	})
}

// wholeMessage tells whether bytes are as long as their message says.
func wholeMessage(b []byte) bool {
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'B' {
		order = binary.BigEndian
	}
	return uint64(len(b)) == 16+(uint64(order.Uint32(b[12:]))+7)&^7+uint64(order.Uint32(b[4:]))
}
