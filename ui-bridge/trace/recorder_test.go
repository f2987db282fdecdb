package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC) // ISO week 10

func at(seconds float64, kmh float64) Context {
	return Context{SpeedKmh: kmh, SpeedKnown: true, Now: noon.Add(time.Duration(seconds * 1e9)), ClockTrusted: true}
}

func tap(screen, element string) Interaction { return Interaction{screen, element, "tap", "ok"} }

func open(t *testing.T, dir string, o Options) *Recorder {
	t.Helper()
	r, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func consented(t *testing.T, dir string, o Options) *Recorder {
	t.Helper()
	r := open(t, dir, o)
	if err := r.GiveConsent(DemoStudy); err != nil {
		t.Fatal(err)
	}
	return r
}

func record(t *testing.T, r *Recorder, c Context, batch ...Interaction) {
	t.Helper()
	if n, err := r.Record(batch, c); err != nil || n != len(batch) {
		t.Fatalf("accepted %d of %d: %v", n, len(batch), err)
	}
}

// files lists what is below dir, with its content.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	m := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		m[d.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return m
}

// episodes reads every segment of dir.
func episodes(t *testing.T, dir string) []Episode {
	t.Helper()
	var eps []Episode
	for name, b := range files(t, dir) {
		if name == consentFile {
			continue
		}
		list, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		eps = append(eps, list...)
	}
	return eps
}

func TestNoConsentNoByte(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "traces")
	r := open(t, dir, Options{})
	for i := range 100 {
		n, err := r.Record([]Interaction{tap("climate", "fan")}, at(float64(i), 50))
		if n != 0 || err != nil {
			t.Fatalf("accepted %d, %v", n, err)
		}
	}
	if err := errors.Join(r.Tick(noon.Add(time.Hour)), r.WithdrawConsent(DemoStudy), r.Close()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 0 {
		t.Errorf("the disk has %v (%v), want nothing, not even a directory", entries, err)
	}
	if c := r.Counters(); c.Refused != 100 || c.Accepted != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestConsentHoldsOverRestartsAndStudiesAreKnown(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := open(t, dir, Options{})
	if err := r.GiveConsent("other"); !errors.Is(err, ErrUnknownStudy) {
		t.Errorf("consent to an unknown study: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("an unknown study left something on the disk")
	}
	if err := errors.Join(r.GiveConsent(DemoStudy), r.GiveConsent(DemoStudy), r.Close()); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, Options{})
	if !again.Recording() {
		t.Error("the consent is forgotten")
	}
	if err := again.WithdrawConsent(DemoStudy); err != nil {
		t.Fatal(err)
	}
	if third := open(t, dir, Options{}); third.Recording() {
		t.Error("the withdrawal is forgotten")
	}
}

func TestWithdrawalWipesAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	for i := range 20 {
		record(t, r, at(float64(i), 0), tap("climate", "fan"))
	}
	if len(episodes(t, dir)) != 2 {
		t.Fatal("the test has no episodes to wipe")
	}
	if err := r.WithdrawConsent(DemoStudy); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left after withdrawal: %v", left)
	}
	if n, err := r.Record([]Interaction{tap("climate", "fan")}, at(30, 0)); n != 0 || err != nil {
		t.Errorf("accepted %d after withdrawal, %v", n, err)
	}
	if err := r.Close(); err != nil || len(files(t, dir)) != 0 {
		t.Errorf("Close wrote after withdrawal: %v %v", files(t, dir), err)
	}
}

func TestInterruptedWithdrawalIsFinishedAtOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	record(t, r, at(0, 0), tap("climate", "fan"))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, consentFile)); err != nil { // power lost before the wipe
		t.Fatal(err)
	}
	open(t, dir, Options{})
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestUnregisteredBecomesOther(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	record(t, r, at(0, 0), Interaction{"sos", "call", "tap", "ok"}, Interaction{"home", "fan", "tap", "ok"},
		Interaction{"climate", "fan", "stare", "confused"}, Interaction{"", "", "", ""})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	eps := episodes(t, dir)
	if len(eps) != 1 || len(eps[0].Ev) != 4 {
		t.Fatalf("episodes %v", eps)
	}
	for i, want := range []Event{{1, 1, 2, DTFirst, SpeedParked, 2}, {2, 1, 2, DTUnder0s5, SpeedParked, 2},
		{3, 11, 1, DTUnder0s5, SpeedParked, 1}, {1, 1, 1, DTUnder0s5, SpeedParked, 1}} {
		if eps[0].Ev[i] != want {
			t.Errorf("event %d is %+v, want %+v", i, eps[0].Ev[i], want)
		}
	}
	if eps[0].M[MetricOther] != 3+1 {
		t.Errorf("metric other is %d", eps[0].M[MetricOther])
	}
}

func TestNoCanaryReachesTheDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	canaries := []string{"+8613800138000", "LSVAA4182E2184847", "Zhang Wei", "31.2304,121.4737", "Moonlight Sonata"}
	for i, c := range canaries {
		record(t, r, at(float64(i), 10), Interaction{c, c, c, c}, Interaction{"climate", c, "tap", "ok"}, Interaction{"home", "fan", c, c})
		if err := r.GiveConsent(c); !errors.Is(err, ErrUnknownStudy) {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	kept := files(t, dir)
	if len(kept) < 2 {
		t.Fatalf("kept %v", kept)
	}
	var shown bytes.Buffer
	if _, err := Show(&shown, dir, ShowOptions{Hex: true}); err != nil {
		t.Fatal(err)
	}
	kept["the output of Show"] = shown.Bytes()
	for name, b := range kept {
		for _, c := range canaries {
			if bytes.Contains(b, []byte(c)) || strings.Contains(name, c) {
				t.Errorf("%s has the canary %q", name, c)
			}
		}
	}
}

func TestEpisodesEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []float64
		want  []int // events of each episode
	}{
		{"after eight events", []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}, []int{8, 1}},
		{"not after 30 s", []float64{0, 30}, []int{2}},
		{"after a longer gap", []float64{0, 30.001}, []int{1, 1}},
		{"when the clock goes back", []float64{10, 9.999}, []int{1, 1}},
		{"at Close", []float64{0}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "traces")
			r := consented(t, dir, Options{})
			for _, s := range c.times {
				record(t, r, at(s, 0), tap("climate", "fan"))
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, ep := range episodes(t, dir) {
				got = append(got, len(ep.Ev))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("episodes of %v events, want %v", got, c.want)
			}
		})
	}
}

func TestTickEndsAnEpisode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	record(t, r, at(0, 0), tap("climate", "fan"))
	if err := r.Tick(noon.Add(30 * time.Second)); err != nil || len(episodes(t, dir)) != 0 {
		t.Fatalf("ended at 30 s, %v", err)
	}
	if err := r.Tick(noon.Add(31 * time.Second)); err != nil || len(episodes(t, dir)) != 1 {
		t.Errorf("not ended at 31 s, %v", err)
	}
}

func TestMetrics(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	record(t, r, at(0, 0), tap("climate", "fan"))
	record(t, r, at(0.3, 8), tap("climate", "fan"))                                                               // moving begins
	record(t, r, at(0.6, 6), tap("climate", "fan"))                                                               // rage; hysteresis: still moving
	record(t, r, at(6, 4.9), Interaction{"climate", "seat_heater", "tap", "blocked"})                             // not moving; interruption
	record(t, r, Context{Now: noon.Add(7 * time.Second)}, Interaction{"climate", "back", "tap", "back"})          // unknown
	record(t, r, at(8, 120), Interaction{"home", "nowhere", "tap", "error"}, Interaction{"home", "", "", "noop"}) // moving twice
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	ep := episodes(t, dir)[0]
	want := Metrics{7 + 1, 4 + 1, 1 + 1, DTUnder15s + 1, DTUnder15s + 1, 1 + 1, 1 + 1, 1 + 1, 1 + 1, 1 + 1, 1 + 1, 2 + 1}
	if ep.M != want {
		t.Errorf("metrics %v, want %v", ep.M, want)
	}
	if ep.V != SchemaVersion || ep.Policy != 1 || ep.Week != 2610 || ep.TOD != TODAfternoon || ep.EID == (EpisodeID{}) {
		t.Errorf("episode %+v", ep)
	}
}

func TestEpisodeIDsDiffer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	for i := range 80 {
		record(t, r, at(float64(i), 0), tap("climate", "fan"))
	}
	seen := map[EpisodeID]bool{}
	for _, ep := range episodes(t, dir) {
		seen[ep.EID] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d different ids, want 10", len(seen))
	}
}

func TestQuotaRemovesTheOldest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{SegmentBytes: 1024, SpoolBytes: 4096})
	var first string
	for i := range 8 * 200 {
		record(t, r, at(float64(i), 0), tap("climate", "fan"))
		if first == "" && len(r.spool.files) > 0 {
			first = r.spool.files[0].name
		}
	}
	total := 0
	kept := files(t, dir)
	for name, b := range kept {
		if name != consentFile {
			total += len(b)
		}
		if len(b) > 1024 {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	if c := r.Counters(); total > 4096 || c.SegmentsRemoved == 0 || c.Episodes != 200 {
		t.Errorf("%d bytes kept, counters %+v", total, c)
	}
	if _, there := kept[first]; there || first == "" {
		t.Errorf("the oldest segment %q is still there", first)
	}
	if n := len(episodes(t, dir)); n == 0 {
		t.Error("nothing is kept")
	}
}

func TestUnusableDirectories(t *testing.T) {
	parent := t.TempDir()
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(parent, "strange")
	if err := errors.Join(os.Mkdir(strange, 0o700), os.WriteFile(filepath.Join(strange, consentFile), []byte("yes"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dir  string
		o    Options
		want string
	}{
		{"", Options{}, "no directory given"},
		{file, Options{}, "is a file; name a directory"},
		{filepath.Join(file, "x"), Options{}, "not a directory"},
		{filepath.Join(parent, "no", "traces"), Options{}, "does not exist; create it first"},
		{strange, Options{}, "not a consent of this program"},
		{parent, Options{SegmentBytes: 10}, "at least 1024"},
		{parent, Options{SegmentBytes: 4096, SpoolBytes: 2048}, "smaller than one segment"},
	} {
		if _, err := Open(c.dir, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q): %v, want %q", c.dir, err, c.want)
		}
	}
}

func TestAWriteThatFailsIsToldAndCounted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := range 8 {
		_, err = r.Record([]Interaction{tap("climate", "fan")}, at(float64(i), 0))
	}
	if err == nil || r.Counters().EpisodesLost != 1 {
		t.Errorf("error %v, counters %+v", err, r.Counters())
	}
}

// TestEpisodesThatCannotBeSynced puts a pipe in the place of the segment: it
// takes writes, and cannot be synced.
func TestEpisodesThatCannotBeSynced(t *testing.T) {
	r := consented(t, filepath.Join(t.TempDir(), "traces"), Options{})
	taps := func(n int) []Interaction { return slices.Repeat([]Interaction{tap("climate", "fan")}, n) }
	if n, err := r.Record(taps(MaxEvents), at(0, 0)); n != MaxEvents || err != nil {
		t.Fatal(n, err)
	}
	_, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.spool.cur.Close(); err != nil {
		t.Fatal(err)
	}
	r.spool.cur = pipe
	if n, err := r.Record(taps(3*MaxEvents), at(1, 0)); n != 3*MaxEvents || err == nil || !strings.Contains(err.Error(), "sync episodes") {
		t.Errorf("%d taken, %v", n, err)
	}
	if n, err := r.Record(taps(2*MaxEvents), at(2, 0)); n != 2*MaxEvents || err != nil {
		t.Errorf("in the next segment: %d taken, %v", n, err)
	}
	if c := r.Counters(); c.Episodes != 3 || c.EpisodesLost != 3 {
		t.Errorf("counters %+v; want 3 episodes kept and 3 lost", c)
	}
}

func TestClosedAndTimeless(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{})
	if _, err := r.Record([]Interaction{tap("climate", "fan")}, Context{}); !errors.Is(err, ErrNoTime) {
		t.Errorf("without a time: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Record(nil, at(0, 0)); !errors.Is(err, ErrClosed) {
		t.Errorf("Record after Close: %v", err)
	}
	if err := r.GiveConsent(DemoStudy); !errors.Is(err, ErrClosed) {
		t.Errorf("GiveConsent after Close: %v", err)
	}
}
