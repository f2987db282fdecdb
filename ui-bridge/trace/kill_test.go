package trace

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

var kills = flag.Int("kills", 100, "how often TestKill kills the recorder")

// killedDir names, in the environment, the directory of a process that is to be
// killed.
const killedDir = "VIGNETTE_TRACE_TO_BE_KILLED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		fmt.Println(recordUntilKilled(dir))
		os.Exit(1)
	}
	if dir := os.Getenv(killedGivingDir); dir != "" {
		fmt.Println(giveUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// recordUntilKilled records, releases, withdraws and consents without an end. It
// tells of each decision when it was made.
func recordUntilKilled(dir string) error {
	s, err := scenes.LoadStudy("../../testdata/drive/studies/demo.yaml")
	if err != nil {
		return err
	}
	s.Until = s.From.AddDate(1, 0, 0)
	r, err := Open(dir, Options{Studies: []*scenes.Study{s}})
	if err != nil {
		return err
	}
	r.SetUser(driver)
	fmt.Println("ready")
	for {
		c := weeks(rand.IntN(40))
		c.Parked = true
		if err := r.GiveConsent(demo, c); err != nil {
			return err
		}
		fmt.Println("given")
		for range rand.IntN(8) {
			if _, err := r.Record([]Interaction{tap("home", "navigation_tile"), {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"},
				tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}, {"climate", "back", "tap", "back"}}, c); err != nil {
				return err
			}
			if rand.IntN(4) == 0 {
				c.Wall = c.Wall.AddDate(0, 0, 7)
				if err := r.Tick(c); err != nil {
					return err
				}
			}
		}
		if rand.IntN(2) == 0 {
			if err := r.WithdrawConsent(demo, c); err != nil {
				return err
			}
			fmt.Println("withdrawn")
		}
	}
}

// TestKill kills a recorder with SIGKILL at random moments: no decision that was
// told of is lost, no half record is read back, and no task and week has two
// episodes.
func TestKill(t *testing.T) {
	if *kills < 1 {
		t.Fatal("-kills wants a number above 0")
	}
	told, kept := 0, 0
	var dir string
	for i := range *kills {
		if i%20 == 0 {
			dir = filepath.Join(t.TempDir(), "traces")
		}
		last := killOne(t, dir, time.Duration(rand.Int64N(int64(25*time.Millisecond))))
		if last != "" {
			told++
		}
		kept += checkKilled(t, dir, last)
	}
	if told < *kills/4 || kept == 0 {
		t.Errorf("%d kills showed %d decisions and %d episodes: the test sees nothing", *kills, told, kept)
	}
}

// killOne runs a recorder, kills it some time after it was ready, and returns the
// last decision that it told of.
func killOne(t *testing.T, dir string, after time.Duration) (last string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the recorder said %q", lines.Text())
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
		last = lines.Text()
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") || last != "" && last != "given" && last != "withdrawn" {
		t.Fatalf("the recorder ended by itself: %v, %s", err, last)
	}
	return last
}

// checkKilled opens what a killed recorder left.
func checkKilled(t *testing.T, dir, last string) (episodes int) {
	t.Helper()
	s := study(t)
	s.Until = s.From.AddDate(1, 0, 0)
	r := open(t, dir, Options{Studies: []*scenes.Study{s}})
	if err := r.Problem(); err != nil {
		t.Fatal(err)
	}
	r.SetUser(driver)
	h := r.ConsentHistory()
	if last != "" && !decidedAs(h, last) {
		t.Fatalf("it told of %q, and the record ends %+v", last, h[max(0, len(h)-2):])
	}
	type slot struct{ task, week uint16 }
	seen, ids := map[slot]string{}, map[EpisodeID]bool{}
	err := Segments(dir, func(path string) error {
		ep, err := readOne(path)
		if err != nil {
			return err
		}
		at := slot{ep.Task, ep.Week}
		if other := seen[at]; other != "" || ids[ep.EID] {
			return fmt.Errorf("a second episode of task %d in week %d, beside %s", ep.Task, ep.Week, other)
		}
		seen[at], ids[ep.EID] = path, true
		return nil
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) && !strings.Contains(err.Error(), "no such directory") {
		t.Fatal(err)
	}
	return len(ids)
}

// decidedAs reports whether a history ends with a decision, or with one more that
// was made and not told of any more. A yes given twice is one decision.
func decidedAs(h []Decision, last string) bool {
	given := last == "given"
	for _, back := range []int{1, 2} {
		if len(h) >= back && h[len(h)-back].Given == given {
			return true
		}
	}
	return false
}
