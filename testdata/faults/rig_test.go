package faults

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vignette/agent"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/ui-bridge/privatebus"
)

// The shipped programs, built once by TestMain.
var agentBinary, deskBinary string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // what runs here waits, and computes little
		panic(err)
	}
	if role := os.Getenv(roleKey); role != "" {
		play(role, os.Getenv(busKey))
		return
	}
	dir, err := os.MkdirTemp("", "faults")
	if err == nil {
		agentBinary, deskBinary = filepath.Join(dir, "vignette-agent"), filepath.Join(dir, "vignette")
		build := exec.Command("go", "build", "-trimpath", "-o", dir, "vignette/agent/cmd/...")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, "building the programs:", err)
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// rig is the shipped agent on a bus of its own, in a car that writes frames into
// its pipe, beside a service that holds leases.
type rig struct {
	t       testing.TB
	dir     string
	address string
	stopBus func()
	config  *agent.Config
	prog    *scenes.Program
	service *service
	car     *car
	agent   *running // nil: none runs
}

// newRig readies all but the agent. Format is of the decision log.
func newRig(t testing.TB, seed uint64, cards []string, format string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.startBus()
	dbc, err := os.ReadFile("../meaning/bench.dbc")
	r.must(err)
	r.write("bench.dbc", string(dbc))
	r.write("vehicle.yaml", profile)
	r.must(os.Mkdir(filepath.Join(r.dir, "cards"), 0o700))
	for i, card := range cards {
		r.write(fmt.Sprintf("cards/%02d.yaml", i), card)
	}
	r.write("agent.yaml", fmt.Sprintf(configuration, r.address, format))
	r.must(syscall.Mkfifo(filepath.Join(r.dir, "frames"), 0o600))
	r.config, err = agent.LoadConfig(filepath.Join(r.dir, "agent.yaml"))
	r.must(err)
	r.config.Unsigned = true
	r.prog, err = agent.Load(r.config)
	r.must(err)
	r.service = newService(t, r.address)
	r.car = newCar(t, r.config.Source.Pipe, r.service, seed)
	return r
}

const configuration = `vehicle: vehicle.yaml
cards: [cards]
bus: %q
source: {pipe: frames}
state: state
decisions: {file: decisions, format: %s}
journal: journal
`

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	r.must(os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

func (r *rig) startBus() {
	r.t.Helper()
	address, stop, err := privatebus.Start(r.t.Context(), r.dir)
	r.must(err)
	r.address, r.stopBus = address, stop
	r.t.Cleanup(func() { r.stopBus() })
}

// running is one process of the agent.
type running struct {
	cmd   *exec.Cmd
	lines chan string   // what it says; closed at its end
	ended chan struct{} // closed when it has been waited for

	mu   sync.Mutex
	said []string
}

// start starts the agent, and kills it with the test.
func (r *rig) start() *running {
	r.t.Helper()
	a := &running{cmd: exec.Command(agentBinary, "--unsigned", "--config", filepath.Join(r.dir, "agent.yaml")),
		lines: make(chan string, 1<<16), ended: make(chan struct{})}
	stderr, err := a.cmd.StderrPipe()
	r.must(err)
	r.must(a.cmd.Start())
	go a.listen(stderr)
	r.t.Cleanup(func() { a.kill() })
	r.agent = a
	return a
}

// listen passes on what the agent says, until it ends.
func (a *running) listen(stderr io.Reader) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		a.mu.Lock()
		a.said = append(a.said, lines.Text())
		a.mu.Unlock()
		select {
		case a.lines <- lines.Text():
		default: // nobody awaits so much
		}
	}
	close(a.lines)
	_ = a.cmd.Wait() // its state is looked at where it counts
	close(a.ended)
}

// hear waits for a line that holds a text, and tells whether it came before the
// agent ended, and soon enough.
func (a *running) hear(text string) (line string, ok bool) {
	soon := time.After(10 * time.Second)
	for {
		select {
		case line, more := <-a.lines:
			if !more || strings.Contains(line, text) {
				return line, more
			}
		case <-soon:
			return "", false
		}
	}
}

// told is all that the agent has said.
func (a *running) told() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.said, "\n")
}

// kill is kill -9, and waits until the process is gone.
func (a *running) kill() {
	_ = a.cmd.Process.Kill() // it may be gone already
	<-a.ended
}

// killed reports whether the process died of kill -9 and not by itself.
func (a *running) killed() bool {
	status, ok := a.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// stop tells the agent to stop and waits for its end.
func (r *rig) stop() {
	r.t.Helper()
	r.must(r.agent.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-r.agent.ended:
	case <-time.After(10 * time.Second):
		r.t.Fatalf("told to stop, the agent goes on:\n%s", r.agent.told())
	}
	if code := r.agent.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Fatalf("told to stop, the agent ended with %d:\n%s", code, r.agent.told())
	}
}

// await polls for what no event tells, and fails the test when it does not come.
func (r *rig) await(what string, within time.Duration, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !is(); <-tick.C {
		if time.Now().After(end) {
			r.t.Fatalf("within %v: not %s\nagent:\n%s", within, what, r.agent.told())
		}
	}
}

// gone waits until the bus has passed on all that the agent that was killed has
// sent, and knows that it is gone.
func (r *rig) gone() {
	r.t.Helper()
	r.await("forgotten by the bus", 5*time.Second, func() (owned bool) {
		r.must(r.service.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.vignette.Agent1").Store(&owned))
		return !owned
	})
}

// outputs are the decision log as JSON Lines and what the journal's replay makes
// of it, each without what is cut at its end.
func (r *rig) outputs() (decisions, replayed []string, err error) {
	file, err := os.Open(r.config.Decisions.File)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	var text strings.Builder
	if r.config.Decisions.Format == "jsonl" {
		_, err = io.Copy(&text, file)
	} else if err = drive.ToJSONLines(&text, bufio.NewReader(file)); err != nil && strings.Contains(err.Error(), "is cut after") {
		err = nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the decision log is not readable to its cut: %w", err)
	}
	replayed, err = r.replay()
	return whole(text.String()), replayed, err
}

// replay is the decision log that the journal's replay makes.
func (r *rig) replay() ([]string, error) {
	file, err := os.Open(r.config.Journal)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	j, err := drive.NewJournalReader("journal", bufio.NewReader(file), r.prog)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	log, err := drive.NewDecisionLog(&text, drive.JSONLines, &j.Header)
	if err != nil {
		return nil, err
	}
	pump, err := j.NewPump(drive.Output{Decisions: log})
	if err != nil {
		return nil, err
	}
	err = drive.Run(j, pump)
	var damage *drive.JournalDamage
	if errors.As(err, &damage) && damage.What == nil {
		err = nil // cut
	}
	return whole(text.String()), err
}

// whole splits a text into its whole lines.
func whole(text string) []string {
	return strings.Split(text[:strings.LastIndexByte(text, '\n')+1], "\n")
}
