package uibridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"testing/iotest"

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
	f := frames{in: bufio.NewReader(iotest.HalfReader(&stream)), begun: true, skip: func() { skipped++ }}
	for i, want := range []struct {
		text any
		over bool
	}{{"small", false}, {whole, false}, {byte(0), true}, {byte(0), true}, {whole + "x", false}, {byte(0), true}, {"last", false}} {
		m, err := dbus.DecodeMessage(&f)
		if err != nil {
			t.Fatal(i, err)
		}
		if len(m.Body) != 1 || m.Body[0] != want.text || f.over != want.over || m.Serial() != 7 {
			t.Errorf("message %d has %d values, over %v, serial %d", i, len(m.Body), f.over, m.Serial())
		}
	}
	if skipped != 1 || stream.Len() != 0 {
		t.Errorf("%d messages skipped, %d bytes left", skipped, stream.Len())
	}
}

// FuzzFrames: whatever a daemon sends, reading ends, and what follows a whole
// message is read whole.
func FuzzFrames(f *testing.F) {
	f.Add(message(f, dbus.TypeMethodCall, "/a", "x", binary.LittleEndian))
	f.Add(message(f, dbus.TypeMethodCall, "/a", strings.Repeat("x", maxCallBytes), binary.BigEndian))
	f.Add([]byte("l\x01\x00\x01\xff\xff\xff\xff\x07\x00\x00\x00\xff\xff\xff\xff"))
	last := message(f, dbus.TypeSignal, "/last", "last", binary.LittleEndian)
	f.Fuzz(func(t *testing.T, first []byte) {
		r := frames{in: bufio.NewReader(bytes.NewReader(append(bytes.Clone(first), last...))), begun: true, skip: func() {}}
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
