//go:build oracle

package dbc

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"vignette/can/canlog/candump"
	"vignette/testdata/oracle"
)

// theirMessage and theirSignal are what cantools_dump.py prints.
type theirMessage struct {
	Name     string
	ID       uint32
	Extended bool
	Length   int
	Cycle    float64 // ms
	FD       bool
	Signals  []theirSignal
}

type theirSignal struct {
	Name                     string
	Start, Length            int
	BigEndian, Signed, Float bool
	Factor, Offset, Min, Max string
	Unit                     string
	Multiplexer              bool
	MuxIDs                   []uint64
	Values                   map[string]string
}

type theirFile struct {
	File, Error string
	Messages    []theirMessage
}

// dirs are for files that this package has not seen:
//
//	go test -tags oracle ./can/dbc -args -dbc.dirs /tmp/opendbc:/tmp/others
//
// What the shared files are known to lose is committed; what these lose is
// logged, and must be told by a diagnostic.
var dirs = flag.String("dbc.dirs", "", "further `DIRECTORIES` of DBC files, parted by colons")

// corpus lists the DBC files: the shared ones and those of dirs.
func corpus(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, dir := range append(filepath.SplitList(*dirs), oracle.Data(t, "dbc")) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.EqualFold(filepath.Ext(path), ".dbc") {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sort.Strings(paths)
	return paths
}

// shared says whether a file is one of the shared ones.
func shared(t *testing.T, path string) bool {
	t.Helper()
	return strings.HasPrefix(path, oracle.Data(t, "dbc"))
}

// dumpCorpus returns what cantools makes of the files, in their order.
func dumpCorpus(t *testing.T, paths []string) []theirFile {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(oracle.Python(t, append([]string{"testdata/cantools_dump.py"}, paths...)...)), []byte("\n"))
	if len(lines) != len(paths) {
		t.Fatalf("cantools gave %d lines for %d files", len(lines), len(paths))
	}
	files := make([]theirFile, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal(line, &files[i]); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Every definition of every shared file that both load is the same.
func TestCorpusAgainstCantools(t *testing.T) {
	paths := corpus(t)
	accepted, theirs, both, signals := 0, 0, 0, 0
	for i, their := range dumpCorpus(t, paths) {
		text, err := os.ReadFile(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		db, err := Parse(filepath.Base(paths[i]), text)
		if err == nil {
			accepted++
		}
		if their.Error == "" {
			theirs++
		}
		if err == nil && their.Error == "" {
			both++
			signals += compareDefinitions(t, db, their)
		}
	}
	t.Logf("%d files: this package parses %d, cantools %d, both %d with %d signals", len(paths), accepted, theirs, both, signals)
	if accepted < 75 || signals < 18000 {
		t.Errorf("%d of %d files parsed, %d signals compared; want 75 and 18000 at least", accepted, len(paths), signals)
	}
}

// compareDefinitions returns the number of signals that were compared.
func compareDefinitions(t *testing.T, db *Database, their theirFile) int {
	t.Helper()
	if len(db.Messages) != len(their.Messages) {
		t.Errorf("%s: %d messages, cantools has %d", db.Name, len(db.Messages), len(their.Messages))
	}
	signals := 0
	for _, want := range their.Messages {
		m := db.Lookup(want.ID, want.Extended)
		if m == nil {
			t.Errorf("%s: no message %s", db.Name, want.Name)
			continue
		}
		got := theirMessage{Name: m.Name, ID: m.ID, Extended: m.Extended, Length: m.Length,
			Cycle: float64(m.Cycle) / float64(time.Millisecond), FD: m.FD}
		for _, s := range m.Signals {
			got.Signals = append(got.Signals, asTheirs(s))
		}
		sort.Slice(got.Signals, func(i, j int) bool { return got.Signals[i].Name < got.Signals[j].Name })
		signals += compareMessage(t, db, got, want)
	}
	return signals
}

func compareMessage(t *testing.T, db *Database, got, want theirMessage) int {
	t.Helper()
	g, w := got, want
	g.Signals, w.Signals = nil, nil
	w.FD = w.FD || hasFDLength(db.Message(got.Name)) // cantools goes by VFrameFormat alone
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s: message %+v\ncantools has %+v", db.Name, g, w)
	}
	if len(got.Signals) != len(want.Signals) {
		t.Errorf("%s: message %s has %d signals, cantools has %d", db.Name, got.Name, len(got.Signals), len(want.Signals))
		return 0
	}
	for i := range got.Signals {
		g, w := got.Signals[i], want.Signals[i]
		ours := db.Message(got.Name).Signal(g.Name)
		refused := ours.Refused != ""
		w.Multiplexer = w.Multiplexer || ours.Multiplexer && ours.bare // cantools takes a bare m for nothing
		if !refused && !reflect.DeepEqual(g, w) {
			t.Errorf("%s: %s signal %+v\ncantools has %+v", db.Name, got.Name, g, w)
		}
	}
	return len(got.Signals)
}

func asTheirs(s *Signal) theirSignal {
	their := theirSignal{Name: s.Name, Start: s.Start, Length: s.Length, BigEndian: s.BigEndian, Signed: s.Signed,
		Float: s.Float, Factor: signedHex(s.Factor), Offset: signedHex(s.Offset), Min: signedHex(s.Min), Max: signedHex(s.Max),
		Unit: s.Unit, Multiplexer: s.Multiplexer, MuxIDs: []uint64{}, Values: map[string]string{}}
	if s.Multiplexed {
		for _, r := range s.MuxRanges {
			for v := r.First; v <= r.Last; v++ {
				their.MuxIDs = append(their.MuxIDs, v)
			}
		}
		slices.Sort(their.MuxIDs)
	}
	for raw, name := range s.Values {
		their.Values[strconv.FormatInt(raw, 10)] = name
	}
	return their
}

// signedHex is Python's float.hex.
func signedHex(v float64) string {
	if v == 0 {
		return "0x0.0p+0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'x', 13, 64), "p")
	n, _ := strconv.Atoi(exponent)
	if n >= 0 {
		return mantissa + "p+" + strconv.Itoa(n)
	}
	return mantissa + "p" + strconv.Itoa(n)
}

// Random frames of every message of the shared files decode as in cantools.
func TestCorpusFramesAgainstCantools(t *testing.T) {
	paths := corpus(t)
	var pairs []string // DBC and log by turns
	for i, their := range dumpCorpus(t, paths) {
		text, err := os.ReadFile(paths[i])
		if err != nil {
			t.Fatal(err)
		}
		db, err := Parse(filepath.Base(paths[i]), text)
		if err != nil || their.Error != "" {
			continue
		}
		logPath := filepath.Join(t.TempDir(), "frames.log")
		if randomLog(t, db, logPath) > 0 {
			pairs = append(pairs, paths[i], logPath)
		}
	}
	outputs := bytes.SplitAfter(oracle.Python(t, append([]string{"testdata/cantools_decode.py"}, pairs...)...), []byte("end\n"))
	files := len(pairs) / 2
	if len(outputs) != files+1 { // nothing follows the last end
		t.Fatalf("cantools decoded %d of %d files", len(outputs)-1, files)
	}
	var total tally
	for i := range files {
		n := compareWith(t, pairs[2*i], pairs[2*i+1], bytes.TrimSuffix(outputs[i], []byte("end\n")))
		total.frames += n.frames
		total.samples += n.samples
		total.absent += n.absent
		total.pieces += n.pieces
		total.unknown += n.unknown
		for d := range n.differences {
			total.difference(d)
		}
	}
	if *dirs != "" {
		t.Logf("%d signals differ", len(total.differences))
	} else {
		checkDifferences(t, total.differences)
	}
	t.Logf("%d files: %d frames, %d of them in pieces, %d samples, %d absent", files, total.frames, total.pieces, total.samples, total.absent)
	if files < 70 || total.samples < 200000 || total.unknown > 0 {
		t.Errorf("compared only %+v of %d files", total, files)
	}
}

// checkDifferences holds the differences against the committed list, both ways.
func checkDifferences(t *testing.T, found map[string]bool) {
	t.Helper()
	list, err := os.ReadFile("testdata/cantools-differences.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(list), "\n") {
		if item, ok := strings.CutPrefix(line, "- "); ok {
			if !found[item] {
				t.Errorf("cantools-differences.md lists %q, which is no difference", item)
			}
			delete(found, item)
		}
	}
	for item := range found {
		t.Errorf("cantools-differences.md lacks %q", item)
	}
}

var boundaries = []byte{0x00, 0xFF, 0x80, 0x7F, 0x01, 0xFE}

// randomLog writes frames of every message that a frame can carry.
func randomLog(t *testing.T, db *Database, path string) int {
	t.Helper()
	rng := rand.New(rand.NewPCG(8, 9))
	var log bytes.Buffer
	w := candump.NewWriter(&log)
	count := 0
	for _, m := range db.Messages {
		for i := range 14 {
			f := randomFrame(rng, m.ID, m.Extended, min(m.Length, 64))
			if i < len(boundaries) { // whole frames of one byte
				f.Len = uint8(min(m.Length, 64))
				for j := range f.Payload() {
					f.Data[j] = boundaries[i]
				}
			}
			if err := w.Write(&f, "can0"); err != nil { // a length that CAN FD lacks
				break
			}
			count++
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return count
}
