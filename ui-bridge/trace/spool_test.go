package trace

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

// known is an attempt that is in the dictionary at any speed.
func known(t testing.TB, r *Recorder, c Context) {
	t.Helper()
	record(t, r, c, tap("home", "navigation_tile"), Interaction{"navigation", "zoom", "swipe", "ok"})
	c.Now = c.Now.Add(31 * time.Second)
	if err := r.Tick(c); err != nil {
		t.Fatal(err)
	}
}

// TestOneEpisodeATaskAndWeek holds the bound of what a car gives away: whatever
// is done, with restarts between, one episode of a task and week leaves.
func TestOneEpisodeATaskAndWeek(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	for week := range 3 {
		for i := range 50 {
			c := weeks(week)
			c.Now, c.Wall = c.Now.Add(time.Duration(i)*time.Minute), c.Wall.Add(time.Duration(i)*time.Minute)
			known(t, r, c)
			if i%10 == 9 {
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				r = open(t, dir, options(t))
				r.SetUser(driver)
			}
		}
		if n := len(episodes(t, filepath.Join(dir, "spool"))); n > 2 {
			t.Errorf("%d episodes wait", n)
		}
	}
	if err := r.Tick(weeks(4)); err != nil {
		t.Fatal(err)
	}
	seen := map[uint16]int{}
	for _, ep := range episodes(t, dir) {
		seen[ep.Week]++
	}
	if len(seen) != 3 || seen[2610] != 1 || seen[2611] != 1 || seen[2612] != 1 {
		t.Errorf("episodes by week %v, want one each", seen)
	}
	if left := episodes(t, filepath.Join(dir, "spool")); len(left) != 0 {
		t.Errorf("%d episodes still wait", len(left))
	}
	// The clock goes back: the week has left, and nothing of it leaves again.
	before := r.Counters().Episodes
	known(t, r, weeks(1))
	if r.Counters().Episodes != before {
		t.Error("a second episode of a week that has left")
	}
}

// TestSamplingIsUniform holds that each attempt of a week has the same chance:
// five attempts at five speeds, again and again from an empty spool.
func TestSamplingIsUniform(t *testing.T) {
	const attempts, runs = 5, 400
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	var kept [attempts]int
	s := 0.0
	for range runs {
		for i := range attempts {
			s++
			record(t, r, at(s, []float64{0, 5, 20, 50, 90}[i]), tap("home", "navigation_tile"), Interaction{"navigation", "zoom", "swipe", "ok"},
				Interaction{"navigation", "back", "tap", "back"})
		}
		kept[r.spools[0].list[0].ep.Ev[0].Speed-SpeedParked]++
		if err := r.spools[0].remove(func(*entry) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range kept { // a binomial of 400 with p = 1/5: five sigma are 40
		if n < 40 || n > 120 {
			t.Errorf("attempt %d was kept %d times of %d: %v", i, n, runs, kept)
		}
	}
}

// TestFlashWear holds that the segments written for a task and week grow with
// the logarithm of the attempts: 9.8 are expected for 10,000.
func TestFlashWear(t *testing.T) {
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	s := 0.0
	for range 10_000 {
		s += 10
		if _, err := r.Record([]Interaction{tap("home", "navigation_tile"), {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"}}, at(s, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if c := r.Counters(); c.Attempts != 10_000 || c.Episodes == 0 || c.Episodes > 40 {
		t.Errorf("counters %+v; want at most 40 segments, 20 KiB", c)
	}
}

// TestSegmentsTellNothing holds that ids and names never repeat, and that sizes
// and times are all the same.
func TestSegmentsTellNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{Studies: []*scenes.Study{study(t, "from: 2026-01-01", "from: 2026-03-01", "until: 2026-03-31", "until: 2027-02-28")}})
	for week := range 40 {
		if week%10 == 9 {
			if err := errors.Join(r.WithdrawConsent(demo, weeks(week)), r.GiveConsent(demo, weeks(week))); err != nil {
				t.Fatal(err)
			}
		}
		known(t, r, weeks(week))
		if week%2 == 0 {
			record(t, r, weeks(week), tap("home", "climate_tile"), Interaction{"climate", "fan", "turn", "ok"})
			if err := r.Tick(at(float64(week)*7*86400+60, 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	box := filepath.Join(dir, "outbox")
	ids := map[EpisodeID]bool{}
	for _, ep := range episodes(t, box) {
		ids[ep.EID] = true
	}
	kept := files(t, box)
	if len(ids) != len(kept) || len(ids) < 20 {
		t.Errorf("%d ids in %d segments", len(ids), len(kept))
	}
	for name, b := range kept {
		info, err := os.Stat(filepath.Join(box, name))
		if err != nil || len(b) != sizeClass || !info.ModTime().Equal(time.Unix(0, 0)) || info.Mode().Perm() != 0o600 || !isSegmentName(name) {
			t.Errorf("%s: %d bytes, %v, %v", name, len(b), info, err)
		}
	}
}

// TestDelayIsRandom holds that segments leave at a random time of the 72 hours
// after their week, not before, and only by a clock that is vouched for.
func TestDelayIsRandom(t *testing.T) {
	end := weekEnd(noon)
	early, late := 0, 0
	for range 60 {
		dir := filepath.Join(t.TempDir(), "traces")
		r := consented(t, dir, options(t))
		known(t, r, at(0, 0))
		due := r.Traces()[0].Due
		if due.Before(end) || !due.Before(end.Add(maxDelay)) {
			t.Fatalf("due at %v, the week ends at %v", due, end)
		}
		if due.Before(end.Add(maxDelay / 2)) {
			early++
		} else {
			late++
		}
		left := func(wall time.Time) int {
			if err := r.Tick(Context{Now: noon, Wall: wall}); err != nil {
				t.Fatal(err)
			}
			return len(episodes(t, filepath.Join(dir, "outbox")))
		}
		if left(due.Add(-time.Second)) != 0 || left(time.Time{}) != 0 || left(due) != 1 {
			t.Fatal("it left at another time than it was due")
		}
	}
	if early < 10 || late < 10 {
		t.Errorf("%d in the first half, %d in the second", early, late)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	o := Options{Studies: []*scenes.Study{study(t, "from: 2026-01-01", "from: 2026-03-01", "until: 2026-03-31", "until: 2027-02-28")}, OutboxSegments: 3}
	r := consented(t, dir, o)
	for week := range 11 {
		known(t, r, weeks(week))
	}
	if n, c := len(files(t, filepath.Join(dir, "outbox"))), r.Counters(); n != 3 || c.Removed != c.Released-3 || c.Released < 9 {
		t.Errorf("%d in the outbox, counters %+v", n, c)
	}
}

// TestPowerLossAtAnyByte stops the writing of a segment at every byte, before
// and after its name is right, and between a segment and the one it replaces.
func TestPowerLossAtAnyByte(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	known(t, r, at(0, 0))
	spool := filepath.Join(dir, "spool", demo)
	first := files(t, spool)
	var name string
	for name = range first {
	}
	e, _ := parseEntry(name)
	e.key ^= 1 << 63 // the other half: replaces it, or is replaced
	text, o := first[name], options(t)
	for cut := range len(text) + 1 {
		for _, n := range []string{e.name(), e.name() + newSuffix} {
			if err := os.WriteFile(filepath.Join(spool, n), text[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			r := open(t, dir, o)
			whole := cut == len(text) && n == e.name()
			if got := len(episodes(t, dir)); got != 1 || len(files(t, spool)) != 1 {
				t.Fatalf("%s cut at %d: %d episodes, %d files", n, cut, got, len(files(t, spool)))
			}
			if torn := r.Counters().Torn; torn != 1 != whole {
				t.Fatalf("%s cut at %d: %d torn", n, cut, torn)
			}
		}
		if err := errors.Join(os.RemoveAll(spool), os.Mkdir(spool, 0o700), os.WriteFile(filepath.Join(spool, name), text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnUnreadableClosedWeekClosesAll holds that nothing leaves twice after the
// memory of what has left was damaged.
func TestAnUnreadableClosedWeekClosesAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	known(t, r, at(0, 0))
	if err := r.Tick(weeks(2)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "spool", demo, closedFile)
	good, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(good, closedText(2610)) {
		t.Fatalf("%q, %v", good, err)
	}
	for cut := range len(good) {
		if err := os.WriteFile(path, good[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		r := open(t, dir, options(t))
		r.SetUser(driver)
		known(t, r, weeks(3))
		if n := r.Counters().Episodes; n != 0 {
			t.Fatalf("cut at %d: %d episodes", cut, n)
		}
	}
}

func TestMyTraces(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	air(t, r, 0)
	known(t, r, at(100, 0))
	list := r.Traces()
	if len(list) != 2 || list[0].Study != demo || list[0].Week != "2026-W10" || list[0].Task == list[1].Task {
		t.Fatalf("traces %+v", list)
	}
	for _, trace := range list {
		text, segment, err := r.ShowTrace(trace.ID)
		if err != nil || !strings.Contains(text, "task "+trace.Task) || !strings.Contains(text, "home/") {
			t.Errorf("%s, %v", text, err)
		}
		found := false
		for _, b := range files(t, filepath.Join(dir, "spool")) {
			found = found || bytes.Equal(b, segment)
		}
		if !found {
			t.Error("what is shown is not what is kept")
		}
	}
	r.SetUser(8)
	if got := r.Traces(); got != nil {
		t.Errorf("another driver sees %+v", got)
	}
	if err := r.DeleteTrace(list[0].ID); !errors.Is(err, ErrUnknownTrace) {
		t.Errorf("another driver deletes: %v", err)
	}
	r.SetUser(driver)
	if err := r.DeleteTrace(list[0].ID); err != nil || len(r.Traces()) != 1 || len(episodes(t, dir)) != 1 {
		t.Errorf("%v, left %+v", err, r.Traces())
	}
	if _, _, err := r.ShowTrace(list[0].ID); !errors.Is(err, ErrUnknownTrace) {
		t.Errorf("deleted and shown: %v", err)
	}
}
