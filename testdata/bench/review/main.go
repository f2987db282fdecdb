// Command review draws millions of touches and times vignette review on them: one
// segment of many episodes, as vignette traces gather writes it, and the report
// as text, numbers and page.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"vignette/testdata/bench/process"
	"vignette/testdata/review"
	"vignette/ui-bridge/trace"
)

// The most that a report of 10 million touches may take. Other programs on the
// machine make the time longer, so the processor's is held, which is longer than
// that of a machine with two cores and nothing else to do.
const (
	mostTime   = 10 * time.Second
	mostMemory = 500 << 10 // KiB
)

func main() {
	vignette := flag.String("vignette", "bin/vignette", "the `program` to time")
	touches := flag.Int("touches", 10_000_000, "at least `N` touches")
	keep := flag.String("keep", "", "make the dataset and the reports in `DIR`, and leave them there")
	flag.Parse()
	if err := run(*vignette, *touches, *keep, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "review: %v\n", err)
		os.Exit(1)
	}
}

// fleet is what the touches are drawn from.
var fleet = review.Truth{Seed: 1, Weeks: 12, K: 50, Tasks: 8, Ways: 120,
	Builds: []review.Build{{Name: "1.0", Share: 0.55, Abandoned: 0.08}, {Name: "1.1", Share: 0.44, Abandoned: 0.06}}}

func run(vignette string, touches int, dir string, out io.Writer) (err error) {
	if touches < 1 || flag.NArg() > 0 {
		return errors.New("usage: review [options]; touches is 1 or more")
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "vignette-review-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	episodes, drawn, size, err := makeDataset(dir, touches)
	if err != nil {
		return err
	}
	cmd := exec.Command(vignette, "review", "--html", filepath.Join(dir, "report.html"), "--csv", filepath.Join(dir, "report.csv"), dir)
	cost, err := process.Run(cmd)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| report of | episodes | bytes | time | processor time | resident at most |\n|---|---|---|---|---|---|\n| %d touches | %d | %d | %.2f s | %.2f s | %d KiB |\n",
		drawn, episodes, size, cost.Time.Seconds(), cost.Processor.Seconds(), cost.Resident)
	if cost.Processor > mostTime || cost.Resident > mostMemory {
		return fmt.Errorf("more than %v of processor time or %d KiB", mostTime, mostMemory)
	}
	return nil
}

// makeDataset draws episodes until they have so many touches.
func makeDataset(dir string, touches int) (episodes, drawn int, size int64, err error) {
	study, text, err := fleet.Study()
	if err != nil {
		return 0, 0, 0, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "segments"), 0o700); err != nil {
		return 0, 0, 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o600); err != nil {
		return 0, 0, 0, err
	}
	f, err := os.Create(filepath.Join(dir, "segments", "all.seg"))
	if err != nil {
		return 0, 0, 0, err
	}
	w := trace.NewSegmentWriter(f, true)
	enough := errors.New("enough")
	fleet.Episodes = touches
	err = fleet.Each(study, func(ep *trace.Episode) error {
		if drawn >= touches {
			return enough
		}
		episodes, drawn = episodes+1, drawn+len(ep.Ev)
		return w.Write(ep)
	})
	if err == enough {
		err = nil
	}
	info, statErr := f.Stat()
	err = errors.Join(err, w.Close(), statErr, f.Close())
	if err == nil {
		size = info.Size()
	}
	return episodes, drawn, size, err
}
