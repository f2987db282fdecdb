//go:build oracle

package agent

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// marker is a text that an HMI lets slip into every field that it reports.
const marker = "canary13800138000"

// straced are the system calls that can leave something on a disk: those that take
// a path, and those that write to what is open.
const straced = "trace=%file,write,pwrite64,writev,pwritev,pwritev2,sendfile,splice,tee,copy_file_range,ftruncate,fallocate,fchmod,fchown,mmap,memfd_create,io_uring_setup,process_vm_writev"

// TestNoConsentNoSystemCall runs the agent under strace on ten minutes of our drive,
// with an HMI that reports what is touched all the time, and gives feedback. The
// contract's line 1: without consent no system call makes, opens for writing, renames
// or writes anything but the decision log, the journal, the state and its log; and no
// file has the marker. The same check must see the recording of a driver who said yes.
func TestNoConsentNoSystemCall(t *testing.T) {
	for _, consented := range []bool{false, true} {
		t.Run(map[bool]string{false: "no", true: "yes"}[consented], func(t *testing.T) {
			s := newStraced(t)
			touches, sayings := s.drive(consented)
			strange, calls := s.strangeCalls()
			t.Logf("%d touches told, %d system calls looked at, %d strange", touches, calls, len(strange))
			if touches < 500 || calls < 500 {
				t.Errorf("%d touches, %d system calls: the test sees too little", touches, calls)
			}
			if sayings > 0 != consented {
				t.Errorf("feedback was taken %d times", sayings)
			}
			if !consented && len(strange) > 0 {
				t.Errorf("without consent: %d system calls write elsewhere, the first ones\n%s", len(strange), strings.Join(strange[:min(8, len(strange))], "\n"))
			}
			if _, err := os.Stat(filepath.Join(s.dir, "traces")); consented != (err == nil) {
				t.Errorf("the traces directory: %v", err)
			}
			if consented {
				s.seen(strange)
			}
			s.noMarker()
		})
	}
}

// stracedAgent is an agent's program under strace, and its bus.
type stracedAgent struct {
	*bench
	program, trace string
}

func newStraced(t *testing.T) *stracedAgent {
	t.Helper()
	b := newBench(t, 600)
	s := &stracedAgent{b, buildAgent(t, b.dir), filepath.Join(b.dir, "strace.out")}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(b.dir, "agent.yaml"), fmt.Appendf(nil, `vehicle: %[1]s/testdata/drive/vehicle.yaml
cards: [%[1]s/testdata/drive/cards]
source: {log: drive.log, speed: 120x, replies: events}
bus: %[2]q
decisions: {file: d.jsonl, format: jsonl}
journal: j.msgp
state: state
traces: traces
studies: {cards: [%[1]s/testdata/drive/studies]}
`, root, b.config.Bus))
	if err := os.Mkdir(filepath.Join(b.dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

// drive runs the agent to the end of its recording. An HMI says who drives, gives
// consent or not, and all the time reports touches and gives feedback; it returns how
// many touches it told, and how often feedback was taken.
func (s *stracedAgent) drive(consented bool) (touches, sayings int) {
	s.t.Helper()
	conn, err := dbus.Connect(s.config.Bus)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	up := make(chan *dbus.Signal, 16)
	conn.Signal(up)
	if err := conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, uibridge.AgentName)); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(s.t.Context(), "strace", "-f", "-qq", "-y", "-s", "256", "-e", straced, "-o", s.trace, s.program, "--config", "agent.yaml", "--unsigned")
	cmd.Dir, cmd.Stderr = s.dir, log
	if err := cmd.Start(); err != nil {
		s.t.Fatal("strace:", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for came := false; !came; {
		select {
		case signal := <-up:
			came = len(signal.Body) == 3 && signal.Body[0] == uibridge.AgentName
		case err := <-ended:
			s.t.Fatalf("the agent ended: %v\n%s", err, readFile(s.t, log.Name()))
		}
	}
	agent := conn.Object(uibridge.AgentName, uibridge.AgentPath)
	if consented {
		err = consent(agent)
	} else {
		err = agent.Call(uibridge.AgentInterface+".SetUser", 0, uint64(1)).Err
	}
	if err != nil {
		s.t.Fatal(err)
	}
	sayings = say(agent) // the car is still parked
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				s.t.Error("the agent:", err)
			}
			return touches, sayings
		case <-pace.C:
			touches += report(agent)
			sayings += say(agent)
		}
	}
}

// report tells of touches at a task, and of some that carry the marker.
func report(agent dbus.BusObject) int {
	batch := []trace.Interaction{{Screen: "home", Element: "navigation_tile", Gesture: "tap", Outcome: "ok"}, {Screen: "navigation", Element: "zoom", Gesture: "swipe", Outcome: "ok"},
		{Screen: marker, Element: marker, Gesture: marker, Outcome: marker}, {Screen: "navigation", Element: marker, Gesture: "tap", Outcome: marker},
		{Screen: "navigation", Element: "back", Gesture: "tap", Outcome: "back"}}
	if agent.Call(uibridge.TraceInterface+".Record", 0, batch).Err != nil {
		return 0 // it has ended, or is about to
	}
	return len(batch)
}

// say gives feedback, some with the marker instead of a question or a choice, and
// returns how much of it was taken.
func say(agent dbus.BusObject) (taken int) {
	for _, said := range [][2]string{{"climate_opinion", marker}, {marker, "good"}, {"climate_opinion", "too_slow"}} {
		if agent.Call(uibridge.TraceInterface+".GiveFeedback", 0, "demo", said[0], said[1]).Err == nil {
			taken++
		}
	}
	return taken
}

var (
	straceLine = regexp.MustCompile(`^\d+ +(\w+)\((.*)$`)
	straceDir  = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<([^>]*)>`)
	straceText = regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`)
	makesOrCut = regexp.MustCompile(`^(?:creat|mkdir|rename|link|symlink|unlink|rmdir|mknod|truncate|chmod|chown|utime|setxattr|removexattr|mount|acct|swapon|fchmodat|fchownat)`)
	writesFile = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE`)
	noFile     = regexp.MustCompile(`^(?:socket|pipe|anon_inode|UNIX|TCP|NETLINK)|^/dev/(?:null|urandom|pts/)`)
)

// strangeCalls are the system calls that write elsewhere than they may, of so many.
func (s *stracedAgent) strangeCalls() (strange []string, calls int) {
	s.t.Helper()
	f, err := os.Open(s.trace)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := straceLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue // the rest of a call whose beginning was looked at, an end of a thread
		}
		calls++
		if slices.ContainsFunc(written(m[1], m[2]), func(path string) bool { return !s.may(path) }) {
			strange = append(strange, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	return strange, calls
}

// written are the paths that a system call may change.
func written(call, args string) (paths []string) {
	dir := straceDir.FindStringSubmatch(args)
	switch {
	case call == "memfd_create", call == "io_uring_setup", call == "process_vm_writev":
		return []string{call}
	case call == "mmap":
		if strings.Contains(args, "PROT_WRITE") && strings.Contains(args, "MAP_SHARED") && strings.Contains(args, "<") {
			return []string{args}
		}
		return nil
	case makesOrCut.MatchString(call), strings.HasPrefix(call, "open") && writesFile.MatchString(args):
		for _, text := range straceText.FindAllStringSubmatch(args, -1) {
			path := text[1]
			if dir != nil && !filepath.IsAbs(path) {
				path = filepath.Join(dir[1], path)
			}
			paths = append(paths, path)
		}
		return paths
	case strings.HasPrefix(call, "open"), dir == nil:
		return nil // reads, or asks of a path
	}
	switch call {
	case "write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile", "ftruncate", "fallocate", "fchmod", "fchown":
		return []string{dir[1]}
	case "splice", "tee", "copy_file_range":
		return []string{args}
	}
	return nil
}

// may reports whether the agent may write a path without consent: it is no file, or
// one of those that its configuration names.
func (s *stracedAgent) may(path string) bool {
	path = strings.TrimSuffix(path, " (deleted)")
	below := func(file string) bool {
		rest, ok := strings.CutPrefix(path, filepath.Join(s.dir, file))
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '/')
	}
	relative := slices.Contains([]string{"d.jsonl", "j.msgp"}, path)
	return noFile.MatchString(path) || below("d.jsonl") || below("j.msgp") || below("state") || below("log") || relative
}

// seen holds that the check sees a recording: a decision, its directory, and a
// segment that is made, written, renamed.
func (s *stracedAgent) seen(strange []string) {
	s.t.Helper()
	all := strings.Join(strange, "\n")
	for _, want := range []string{"mkdir", "consents.new", "feedback-given", "/traces/spool/demo", "write", "rename", ".seg"} {
		if !strings.Contains(all, want) {
			s.t.Errorf("a recording shows no %q among %d system calls:\n%s", want, len(strange), all)
		}
	}
}

// noMarker holds that no file has the marker, in its name or in its text.
func (s *stracedAgent) noMarker() {
	s.t.Helper()
	n := 0
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		n++
		if text := readFile(s.t, path); strings.Contains(string(text), marker) || strings.Contains(path, marker) {
			s.t.Errorf("%s has the marker", path)
		}
		return nil
	})
	if err != nil || n < 5 {
		s.t.Errorf("%d files, %v", n, err)
	}
}
