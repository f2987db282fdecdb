//go:build oracle

package dbc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/canlog/candump"
	"vignette/testdata/oracle"
)

// tally counts what a comparison has seen.
//   - frames: of the log; unknown: of no message of the DBC
//   - pieces: that cantools decodes only signal by signal
//   - samples: signals present and compared; absent: short or multiplexed out
//   - differences: signals that a known fault of cantools touches
type tally struct {
	frames, unknown, pieces, samples, absent int
	differences                              map[string]bool
}

func (n *tally) difference(what string) {
	if n.differences == nil {
		n.differences = map[string]bool{}
	}
	n.differences[what] = true
}

// compare decodes a log with this package and with cantools.
func compare(t *testing.T, dbcPath, logPath string) tally {
	t.Helper()
	out := oracle.Python(t, "testdata/cantools_decode.py", dbcPath, logPath)
	return compareWith(t, dbcPath, logPath, bytes.TrimSuffix(out, []byte("end\n")))
}

// compareWith decodes a log with this package and holds every sample against
// what cantools printed: the same signals present, the same raw, the same
// physical value bit for bit.
func compareWith(t *testing.T, dbcPath, logPath string, theirs []byte) tally {
	t.Helper()
	text, err := os.ReadFile(dbcPath)
	if err != nil {
		t.Fatal(err)
	}
	db, err := Parse(filepath.Base(dbcPath), text)
	if err != nil {
		t.Fatal(err)
	}
	log, err := canlog.Open(logPath)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	out := bufio.NewScanner(bytes.NewReader(theirs))
	out.Buffer(nil, 1<<20)
	var n tally
	var f can.Frame
	for {
		err := log.Read(&f)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !out.Scan() {
			t.Fatalf("cantools decoded only %d frames", n.frames)
		}
		compareFrame(t, db, &f, strings.Fields(out.Text()), &n)
		n.frames++
	}
	if out.Scan() {
		t.Fatalf("cantools decoded more than %d frames", n.frames)
	}
	return n
}

func compareFrame(t *testing.T, db *Database, f *can.Frame, want []string, n *tally) {
	t.Helper()
	if want[0] != strconv.Itoa(n.frames) {
		t.Fatalf("frame %d: cantools' line begins with %s", n.frames, want[0])
	}
	m := db.Lookup(f.ID, f.Flags&can.Extended != 0)
	if (m == nil) != (want[1] == "unknown") {
		t.Fatalf("frame %d, id %X: message %v, cantools says %s", n.frames, f.ID, m, want[1])
	}
	if m == nil {
		n.unknown++
		return
	}
	first := 3
	if len(want) > 3 && want[3] == "~" {
		n.pieces++
		first++
	}
	theirs := map[string][2]string{}
	for i := first; i+2 < len(want); i += 3 {
		theirs[want[i]] = [2]string{want[i+1], want[i+2]}
	}
	for _, s := range m.Signals {
		if s.Refused != "" {
			delete(theirs, s.Name)
			continue
		}
		field := mustField(t, m, s)
		raw, ok := field.Raw(f.Payload())
		sample, present := theirs[s.Name]
		if difference := differs(m, s, sample[0]); difference != "" {
			n.difference(db.Name + " " + m.Name + " " + s.Name + ": " + difference)
			delete(theirs, s.Name)
			continue
		}
		if ok != present {
			t.Errorf("frame %d (%X): %s.%s present %v, cantools says %v", n.frames, f.Payload(), m.Name, s.Name, ok, present)
			continue
		}
		if !ok {
			n.absent++
			continue
		}
		if got := rawText(s, raw); got != sample[0] {
			t.Errorf("frame %d (%X): %s.%s raw %s, cantools says %s", n.frames, f.Payload(), m.Name, s.Name, got, sample[0])
		}
		if got := field.Physical(raw); !sameFloat(t, got, sample[1]) {
			t.Errorf("frame %d: %s.%s physical %v, cantools says %s", n.frames, m.Name, s.Name, got, sample[1])
		}
		n.samples++
		delete(theirs, s.Name)
	}
	if len(theirs) > 0 {
		t.Errorf("frame %d: cantools has more signals of %s: %v", n.frames, m.Name, theirs)
	}
}

// differs names the known faults of cantools, which cantools-differences.md
// explains; every signal that they touch is listed there.
func differs(m *Message, s *Signal, raw string) string {
	switch up := s.Selector(); {
	case up != nil && up.bare:
		return "multiplexer marked m"
	case up != nil && up.Name != up.Short:
		return "long multiplexer"
	case raw == "?":
		return "unpacking failed"
	}
	return ""
}

// rawText gives a raw value the form of cantools_decode.py. Python quiets
// signalling NaNs, so a NaN has no bits there.
func rawText(s *Signal, raw int64) string {
	switch {
	case s.Float && (s.Length == 32 && math.IsNaN(float64(math.Float32frombits(uint32(raw)))) ||
		s.Length == 64 && math.IsNaN(math.Float64frombits(uint64(raw)))):
		return "nan"
	case s.Float && s.Length == 32:
		return strconv.FormatUint(uint64(uint32(raw)), 10)
	case s.Signed && !s.Float:
		return strconv.FormatInt(raw, 10)
	}
	return strconv.FormatUint(uint64(raw), 10)
}

// sameFloat compares with a value of Python's float.hex, bit for bit; all NaNs
// are the same.
func sameFloat(t *testing.T, got float64, hex string) bool {
	t.Helper()
	switch hex {
	case "nan":
		return math.IsNaN(got)
	case "inf":
		return math.IsInf(got, 1)
	case "-inf":
		return math.IsInf(got, -1)
	}
	if !strings.Contains(hex, "p") {
		t.Fatalf("not a float of Python: %s", hex)
	}
	want, err := strconv.ParseFloat(hex, 64)
	if err != nil {
		t.Fatal(err)
	}
	return math.Float64bits(got) == math.Float64bits(want)
}

func TestRealDriveAgainstCantools(t *testing.T) {
	dbcPath := oracle.Data(t, "dbc", "opendbc", "tesla_powertrain.dbc")
	for _, name := range []string{"gvret.csv", "candump.log"} {
		n := compare(t, dbcPath, oracle.Data(t, "logs", "tesla-model-s", name))
		t.Logf("%s: %+v", name, n)
		if n.frames != 12974 || n.samples < 20000 {
			t.Errorf("%s: compared %+v, want 12974 frames and their samples", name, n)
		}
	}
}

// dbcWriter makes random definitions that DBC allows. Signals that can be
// present together do not overlap: cantools cannot unpack those that do.
type dbcWriter struct {
	rng      *rand.Rand
	text     strings.Builder
	floats   strings.Builder
	messages int

	// of the message being written
	number uint64
	length int             // bytes
	taken  [8][64 * 8]bool // bits in use for each multiplexer value
}

// addMessage writes a message with plain signals, float signals, and in one of
// three cases a multiplexer with its signals; some values may select nothing.
func (w *dbcWriter) addMessage() (id uint32, extended bool, length int) {
	w.messages++
	lengths := []int{1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 12, 16, 32, 64}
	w.length = lengths[w.rng.IntN(len(lengths))]
	w.taken = [8][64 * 8]bool{}
	extended = w.rng.IntN(2) == 0
	w.number = uint64(w.messages)
	if extended {
		w.number |= 1 << 31
	}
	fmt.Fprintf(&w.text, "BO_ %d M%d: %d X\n", w.number, w.messages, w.length)
	muxBits := 0
	if w.rng.IntN(3) == 0 {
		muxBits = 1 + w.rng.IntN(3)
		w.addSignal("Mux", "M ", muxBits, "+")
	}
	for i := range 1 + w.rng.IntN(6) {
		w.addRandomSignal(fmt.Sprintf("S%d", i), "")
	}
	for i := 0; muxBits > 0 && i < 8; i++ {
		w.addRandomSignal(fmt.Sprintf("D%d", i), fmt.Sprintf("m%d ", w.rng.IntN(1<<muxBits)))
	}
	w.text.WriteString("\n")
	return uint32(w.messages), extended, w.length
}

// addRandomSignal adds an integer or an IEEE float.
func (w *dbcWriter) addRandomSignal(name, mux string) {
	bits, kind := 1+w.rng.IntN(min(64, w.length*8)), 0
	switch w.rng.IntN(6) {
	case 0:
		bits, kind = 32, 1
	case 1:
		bits, kind = 64, 2
	case 2, 3:
		bits = 1 + w.rng.IntN(8)
	}
	sign := "+"
	if w.rng.IntN(2) == 0 {
		sign = "-"
	}
	if w.addSignal(name, mux, bits, sign) && kind > 0 {
		fmt.Fprintf(&w.floats, "SIG_VALTYPE_ %d %s : %d;\n", w.number, name, kind)
	}
}

// addSignal looks for a free place and reports whether it found one.
func (w *dbcWriter) addSignal(name, mux string, bits int, sign string) bool {
	for range 20 {
		if bits > w.length*8 {
			return false
		}
		from, order := w.rng.IntN(w.length*8-bits+1), w.rng.IntN(2)
		if !w.take(mux, from, bits, order == 0) {
			continue
		}
		if order == 0 {
			from = sawtooth(from)
		}
		factors := []string{"1", "0.1", "0.01", "-0.5", "3", "0.0009765625", "1e-05", "7.3"}
		offsets := []string{"0", "-40", "0.3", "1000", "-0.125"}
		factor, offset := factors[w.rng.IntN(len(factors))], offsets[w.rng.IntN(len(offsets))]
		if mux == "M " { // cantools, when it scales, selects by the scaled value; DBC means the raw one
			factor, offset = "1", "0"
		}
		fmt.Fprintf(&w.text, " SG_ %s %s: %d|%d@%d%s (%s,%s) [0|0] \"\" X\n", name, mux, from, bits, order, sign, factor, offset)
		return true
	}
	return false
}

// take marks the bits of a signal if they are free.
func (w *dbcWriter) take(mux string, from, bits int, big bool) bool {
	first, last := 0, 7
	if strings.HasPrefix(mux, "m") {
		first = int(mux[1] - '0')
		last = first
	}
	bit := func(i int) int {
		if big {
			return sawtooth(from + i)
		}
		return from + i
	}
	for v := first; v <= last; v++ {
		for i := range bits {
			if w.taken[v][bit(i)] {
				return false
			}
		}
	}
	for v := first; v <= last; v++ {
		for i := range bits {
			w.taken[v][bit(i)] = true
		}
	}
	return true
}

func TestRandomDatabasesAgainstCantools(t *testing.T) {
	var total tally
	for seed := range uint64(8) {
		n := compareRandom(t, rand.New(rand.NewPCG(seed, 7)))
		total.frames += n.frames
		total.samples += n.samples
		total.absent += n.absent
		total.pieces += n.pieces
	}
	t.Logf("random databases: %+v", total)
	if len(total.differences) > 0 || total.samples < 50000 || total.absent == 0 || total.pieces == 0 {
		t.Errorf("compared only %+v", total)
	}
}

// compareRandom writes a database of 100 messages and a log of 5000 frames of
// them, whole and short, and compares.
func compareRandom(t *testing.T, rng *rand.Rand) tally {
	t.Helper()
	w := &dbcWriter{rng: rng}
	w.text.WriteString("VERSION \"\"\n\nNS_ :\n\nBS_:\n\nBU_: X\n\n")
	var log bytes.Buffer
	frames := candump.NewWriter(&log)
	for range 100 {
		id, extended, length := w.addMessage()
		for i := range 50 {
			f := randomFrame(rng, id, extended, length)
			f.Time = int64(i) * 1000
			if err := frames.Write(&f, "can0"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := frames.Flush(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	dbcPath, logPath := filepath.Join(dir, "random.dbc"), filepath.Join(dir, "random.log")
	if err := os.WriteFile(dbcPath, []byte(w.text.String()+w.floats.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(logPath, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return compare(t, dbcPath, logPath)
}

// randomFrame is a frame of the message with random data; one in four is
// shorter than the message.
func randomFrame(rng *rand.Rand, id uint32, extended bool, length int) can.Frame {
	f := can.Frame{ID: id}
	if extended {
		f.Flags |= can.Extended
	}
	if length > 8 {
		f.Flags |= can.FD
	}
	if rng.IntN(4) == 0 {
		length = rng.IntN(min(length, 8) + 1)
	}
	f.Len = uint8(length)
	for i := range f.Payload() {
		f.Data[i] = byte(rng.Uint32())
	}
	return f
}
