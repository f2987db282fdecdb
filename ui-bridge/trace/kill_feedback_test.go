package trace

import (
	"bufio"
	"errors"
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

// killedGivingDir is as killedDir, of a process that gives feedback.
const killedGivingDir = "VIGNETTE_FEEDBACK_TO_BE_KILLED"

// yearLong is the demo's study for a whole year.
func yearLong() (*scenes.Study, error) {
	s, err := scenes.LoadStudy("../../testdata/drive/studies/demo.yaml")
	if err == nil {
		s.Until = s.From.AddDate(1, 0, 0)
	}
	return s, err
}

// giveUntilKilled gives feedback in the first week in which it is taken, and tells
// of each.
func giveUntilKilled(dir string) error {
	s, err := yearLong()
	if err != nil {
		return err
	}
	r, err := Open(dir, Options{Studies: []*scenes.Study{s}})
	if err != nil {
		return err
	}
	r.SetUser(driver)
	fmt.Println("ready")
	for {
		for n := range 40 {
			c := weeks(n)
			if err := r.GiveConsent(demo, c); err != nil {
				return err
			}
			err := r.GiveFeedback(demo, "climate_opinion", "too_slow", c)
			if err != nil && !errors.Is(err, ErrGiven) {
				return err
			} else if err == nil {
				fmt.Println(n)
			}
		}
	}
}

// TestKilledFeedbackCountsOnce kills a recorder with SIGKILL while feedback is
// given: what was told of as taken is not taken again, and whatever was written, a
// week has one episode at most. The contract's lines 5 and 10.
func TestKilledFeedbackCountsOnce(t *testing.T) {
	total := 0
	for range 20 {
		dir := filepath.Join(t.TempDir(), "traces")
		taken := killGiving(t, dir, 1+rand.IntN(3), time.Duration(rand.Int64N(int64(20*time.Millisecond))))
		total += len(taken)
		s, err := yearLong()
		if err != nil {
			t.Fatal(err)
		}
		r := open(t, dir, Options{Studies: []*scenes.Study{s}})
		r.SetUser(driver)
		for week := range taken {
			c := weeks(week)
			if err := r.GiveConsent(demo, c); err != nil {
				t.Fatal(err)
			}
			if err := r.GiveFeedback(demo, "climate_opinion", "good", c); !errors.Is(err, ErrGiven) {
				t.Errorf("feedback of week %d is taken twice: %v", week, err)
			}
		}
		seen := map[uint16]bool{}
		for _, ep := range episodes(t, dir) {
			if seen[ep.Week] || ep.Variant != 34 {
				t.Errorf("episode %+v beside another of its week", ep)
			}
			seen[ep.Week] = true
		}
	}
	if total < 20 {
		t.Errorf("%d feedbacks were given before the kills: the test sees nothing", total)
	}
}

// killGiving runs a recorder, kills it some time after it told of its nth feedback,
// and returns the weeks of all that it told of.
func killGiving(t *testing.T, dir string, n int, after time.Duration) map[int]bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), killedGivingDir+"="+dir)
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
	taken := map[int]bool{}
	for lines.Scan() {
		week := 0
		if _, err := fmt.Sscan(lines.Text(), &week); err != nil {
			t.Fatalf("the recorder said %q", lines.Text())
		}
		taken[week] = true
		if len(taken) == n {
			timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
			defer timer.Stop()
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the recorder ended by itself: %v", err)
	}
	return taken
}
