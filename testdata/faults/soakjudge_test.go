package faults

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// look measures the process.
func (s *soak) look() {
	pid := s.agent.cmd.Process.Pid
	s.rss[s.quarter] = append(s.rss[s.quarter], s.field("status", "VmRSS:"))
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	s.must(err)
	s.files[s.quarter] = max(s.files[s.quarter], len(list))
	s.goroutines[s.quarter] = max(s.goroutines[s.quarter], s.counters()["goroutines"])
}

// field is a number of the process in a file of /proc.
func (s *soak) field(file, name string) (n int64) {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.agent.cmd.Process.Pid, file))
	s.must(err)
	_, rest, ok := strings.Cut(string(text), name)
	if _, err := fmt.Sscan(rest, &n); !ok || err != nil {
		s.t.Fatalf("%s has no %s: %v", file, name, err)
	}
	return n
}

// soaked is what the last process came to.
type soaked struct {
	counters map[string]uint64
	written  int64 // bytes that the kernel was to bring to the disk for it
	lines    int   // of its decision log
}

// judge ends the recording, which ends the agent, and holds what the run came to
// against its bounds.
func (s *soak) judge() {
	s.t.Helper()
	s.problems("Reload")
	out := soaked{counters: s.counters(), written: s.field("io", "write_bytes:")}
	s.hmi.Close()
	s.feed.close()
	<-s.agent.ended
	line := s.agent.lastLine("msg=ended")
	if want := fmt.Sprintf("frames=%d ", s.feed.count); !strings.Contains(line, want) {
		s.t.Errorf("%s were written, and the agent says %q", want, line)
	}
	if code := s.agent.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("at the end of the recording the agent ended with %d:\n%s", code, s.agent.told())
	}
	out.lines = s.replays()
	s.bounds(&out)
}

// lastLine is the last line that holds a text; empty: there is none.
func (a *running) lastLine(text string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range slices.Backward(a.said) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

// replays holds that the journal gives the decision log byte for byte, and counts
// its records.
func (s *soak) replays() (lines int) {
	s.t.Helper()
	again := filepath.Join(s.dir, "again")
	cmd := exec.Command(deskBinary, "replay", "--versions", filepath.Join(s.dir, "state", "versions"), "--decisions", again, filepath.Join(s.dir, "journal"))
	if said, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("vignette replay: %v\n%s", err, said)
	}
	decided, err := os.ReadFile(filepath.Join(s.dir, "decisions"))
	s.must(err)
	replayed, err := os.ReadFile(again)
	s.must(err)
	if string(decided) != string(replayed) {
		at := 0
		for at < min(len(decided), len(replayed)) && decided[at] == replayed[at] {
			at++
		}
		s.t.Errorf("the journal's replay differs from the decision log at byte %d of %d and %d", at, len(decided), len(replayed))
	}
	return strings.Count(string(decided), "\n")
}

// bounds reports what the run came to and judges it.
func (s *soak) bounds(out *soaked) {
	s.t.Helper()
	c, hours := out.counters, s.driven.Hours()
	decisions, err := os.Stat(filepath.Join(s.dir, "decisions"))
	s.must(err)
	// A record of the state is synced once at most, which writes a page beside it.
	flash := float64(c["state_bytes"]+4096*c["state_records"]+uint64(decisions.Size())) / hours
	state, traces := s.size("state"), s.size("traces")
	s.report("%d simulated days in %v: %d frames, %d decisions of the last process, %d calls to services, %d calls of the HMI", *soakDays, time.Since(s.began).Round(time.Second),
		s.frames+s.feed.count, out.lines, s.service.count(), s.asked)
	s.report("%d restarts of the agent, half of them kill -9; %d of the bus daemon; %d times asleep; %d edits of the deck", s.restarts, s.buses, s.sleeps, s.edits)
	s.report("flash, an hour of driving: at most %.2f MB: state %.2f MB in %.0f records, decision log %.2f MB; the kernel counted %.2f MB with the journal",
		flash/1e6, float64(c["state_bytes"])/hours/1e6, float64(c["state_records"])/hours, float64(decisions.Size())/hours/1e6, float64(out.written)/hours/1e6)
	s.report("kept at the end: state %d bytes, traces %d bytes", state, traces)
	if flash > mostFlash || state > mostState || traces > mostTraces {
		s.t.Errorf("flash %.0f bytes an hour, state %d, traces %d: at most %d, %d, %d", flash, state, traces, mostFlash, mostState, mostTraces)
	}
	if out.lines < 100 || c["attempts"] == 0 || s.service.count() == 0 {
		s.t.Errorf("too little happened: %d decisions, %d attempts", out.lines, c["attempts"])
	}
	s.growth()
}

// growth holds that nothing grows between the second quarter and the last, which
// are of one process.
func (s *soak) growth() {
	s.t.Helper()
	second, last := middle(s.rss[1]), middle(s.rss[3])
	s.report("resident, KiB, by quarter: %d %d %d %d; descriptors %v; goroutines %v", middle(s.rss[0]), second, middle(s.rss[2]), last, s.files, s.goroutines)
	allowed := 1.05
	if *soakDays < 10 {
		allowed = 1.25 // a drive is no quarter of a life
	}
	if float64(last) > allowed*float64(second) {
		s.t.Errorf("the last quarter has %d KiB resident, the second %d: more than %.2f times that", last, second, allowed)
	}
	if s.files[3] > s.files[1]+1 || s.goroutines[3] > s.goroutines[1]+2 {
		s.t.Errorf("descriptors %v and goroutines %v grow", s.files, s.goroutines)
	}
}

// report says a line of the result.
func (s *soak) report(format string, args ...any) {
	s.t.Logf(format, args...)
	if *soakReport == "" {
		return
	}
	f, err := os.OpenFile(*soakReport, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	s.must(err)
	_, err = io.WriteString(f, fmt.Sprintf(format, args...)+"\n")
	s.must(errors.Join(err, f.Close()))
}

// size is what the files below a directory take.
func (s *soak) size(dir string) (n int64) {
	s.must(filepath.Walk(filepath.Join(s.dir, dir), func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return err
	}))
	return n
}

// middle is the median.
func middle(list []int64) int64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
