package drive

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.einride.tech/can/pkg/dbc"
)

// logged is one line of the drive's log.
type logged struct {
	us      int64 // since the start of the drive
	channel string
	layout  *layout
	data    []byte
}

var wholeDrive = sync.OnceValues(func() ([]byte, error) {
	var b bytes.Buffer
	err := Generate(&b, Seconds)
	return b.Bytes(), err
})

// driveFrames returns all frames of the whole drive.
func driveFrames(t *testing.T) []logged {
	t.Helper()
	text, err := wholeDrive()
	if err != nil {
		t.Fatal(err)
	}
	known := layoutsByID(t)
	var frames []logged
	for line := range strings.Lines(string(text)) {
		frames = append(frames, parseLine(t, known, strings.TrimSuffix(line, "\n")))
	}
	return frames
}

// layoutsByID are the messages of both DBCs by channel and candump id.
func layoutsByID(t *testing.T) map[string]*layout {
	t.Helper()
	traffic, err := newTraffic()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*layout{}
	for _, s := range traffic.senders {
		id, _, _ := strings.Cut(s.text(nil), "#")
		known[id] = s.layout
	}
	return known
}

func parseLine(t *testing.T, known map[string]*layout, line string) logged {
	t.Helper()
	stamp, rest, _ := strings.Cut(line, ") ")
	id, payload, found := strings.Cut(rest, "#")
	seconds, micros, dotted := strings.Cut(strings.TrimPrefix(stamp, "("), ".")
	s, err1 := strconv.ParseInt(seconds, 10, 64)
	us, err2 := strconv.ParseInt(micros, 10, 64)
	l := known[id]
	if !found || !dotted || err1 != nil || err2 != nil || len(micros) != 6 || l == nil {
		t.Fatalf("not a frame of this car: %q", line)
	}
	if fd := strings.HasPrefix(payload, "#1"); fd != l.fd {
		t.Fatalf("%s: FD is %v, the DBC says %v", line, fd, l.fd)
	} else if fd {
		payload = payload[2:]
	}
	data, err := hex.DecodeString(payload)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return logged{us: (s-Start)*1_000_000 + us, channel: id[:4], layout: l, data: data}
}

// take reads the raw bits of a signal, the way put wrote them; false if the
// frame is too short for it or its page is another one.
func (f logged) take(sig *dbc.SignalDef) (int64, bool) {
	if sig.IsMultiplexed && f.page() != sig.MultiplexerSwitch {
		return 0, false
	}
	var raw uint64
	bit := int(sig.StartBit)
	for i := range int(sig.Size) {
		if bit/8 >= len(f.data) {
			return 0, false
		}
		b := uint64(f.data[bit/8]) >> (bit % 8) & 1
		if sig.IsBigEndian {
			raw = raw<<1 | b
		} else {
			raw |= b << i
		}
		bit = nextBit(bit, sig.IsBigEndian)
	}
	if sig.IsSigned && !f.layout.floats[sig.Name] && raw>>(sig.Size-1) == 1 {
		return int64(raw) - 1<<sig.Size, true
	}
	return int64(raw), true
}

// page is the value of the multiplexer.
func (f logged) page() uint64 {
	for i := range f.layout.signals {
		if sig := &f.layout.signals[i]; sig.IsMultiplexerSwitch {
			raw, _ := f.take(sig)
			return uint64(raw)
		}
	}
	return 0
}

// physical is the value of the named signal.
func (f logged) physical(name string) (float64, bool) {
	for i := range f.layout.signals {
		sig := &f.layout.signals[i]
		if string(sig.Name) != name {
			continue
		}
		raw, fits := f.take(sig)
		if f.layout.floats[sig.Name] {
			return float64(math.Float32frombits(uint32(raw))), fits
		}
		return float64(float64(raw)*sig.Factor) + sig.Offset, fits
	}
	return 0, false
}
