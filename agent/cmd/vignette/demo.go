package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/ui-bridge/privatebus"
	"vignette/ui-bridge/trace"
)

// demoSpeed is how fast the demo drives, as a multiple of real time.
const demoSpeed = 10

// hmiName is the name that the stand-in HMI owns.
const hmiName = "org.vignette.DemoHmi1"

// startTime bounds the start of each process of the demo, endTime its end.
const (
	startTime = 20 * time.Second
	endTime   = 20 * time.Second
)

// demoOptions are the flags of vignette demo.
type demoOptions struct {
	log, vehicle, lang, bin, studies, answers string
	cards                                     listFlag
	seconds, dieAfter                         int
}

func demo(args []string, out, errs io.Writer) error {
	var o demoOptions
	fs := newFlags("demo", errs, "vignette demo --log F --vehicle F --cards DIR [--seconds N]", `
Runs the whole line: a private D-Bus daemon, vignette-agent on a recorded drive
at 10x, and a stand-in HMI as a process of its own, whose screen this terminal
shows. At the end it compares the agent's decision log with a replay of its
journal, the calls decided with those that reached the HMI, and looks for
traces. Exit code 0 only if all three hold.`,
		"vignette demo --log build/drive.log --vehicle testdata/drive/vehicle.yaml --cards testdata/drive/cards --seconds 15")
	fs.StringVar(&o.log, "log", "", "candump `FILE` of the drive (required)")
	fs.StringVar(&o.vehicle, "vehicle", "", "vehicle profile `FILE` (required)")
	fs.Var(&o.cards, "cards", "card `FILE or directory`; may be repeated (required)")
	fs.StringVar(&o.studies, "studies", "", "study card `FILE or directory`; default: studies beside the vehicle profile")
	fs.StringVar(&o.answers, "answers", "", "answer card `FILE or directory`; default: answers beside the vehicle profile, if there are any")
	lang := langFlag(fs)
	fs.IntVar(&o.seconds, "seconds", 0, "end after this many seconds, that is ten times as much of the drive; 0: all of it")
	fs.StringVar(&o.bin, "bin", "", "`DIR` of vignette-agent and vignette-hmi; default: beside this program")
	fs.IntVar(&o.dieAfter, "hmi-dies-after", 0, "let the HMI die after this many calls, to see the demo fail")
	if err := parse(fs, args); err != nil {
		return err
	}
	o.lang = lang.String()
	if o.log == "" || o.vehicle == "" || len(o.cards) == 0 || o.seconds < 0 {
		fs.Usage()
		return errReported
	}
	if o.studies == "" {
		o.studies = filepath.Join(filepath.Dir(o.vehicle), "studies")
	}
	if beside := filepath.Join(filepath.Dir(o.vehicle), "answers"); o.answers == "" {
		if _, err := os.Stat(beside); err == nil {
			o.answers = beside
		}
	}
	if o.bin == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.bin = filepath.Dir(self)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	dir, err := os.MkdirTemp("", "vignette-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demoRun{o: &o, dir: dir, out: out, errs: errs}
	if err := d.drive(ctx); err != nil {
		return err
	}
	return d.verdict()
}

// demoRun is one run of the demo, with its files in dir.
type demoRun struct {
	o    *demoOptions
	dir  string
	out  io.Writer
	errs io.Writer
	prog *scenes.Program
}

func (d *demoRun) path(name string) string { return filepath.Join(d.dir, name) }

// length is how much of the drive is driven; 0: all of it.
func (d *demoRun) length() time.Duration {
	return time.Duration(d.o.seconds) * demoSpeed * time.Second
}

// drive runs bus, HMI and agent until the agent has ended.
func (d *demoRun) drive(ctx context.Context) (err error) {
	if d.prog, err = load(d.o.vehicle, d.o.cards); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address, stopBus, err := privatebus.Start(ctx, d.dir)
	if err != nil {
		return err
	}
	defer stopBus()
	hmi := exec.CommandContext(ctx, filepath.Join(d.o.bin, "vignette-hmi"), "--bus", address,
		"--summary", d.path("hmi.json"), "--lang", d.o.lang)
	if d.o.dieAfter > 0 {
		hmi.Args = append(hmi.Args, "--die-after", fmt.Sprint(d.o.dieAfter))
	}
	hmi.Stdout, hmi.Stderr = d.out, d.errs
	if h, ok := d.out.(*heard); ok {
		hmi.Stdout = h.Writer // the very terminal
	}
	hmiEnd, err := start(hmi)
	if err != nil {
		return err
	}
	if err := d.ready(ctx, address, hmiEnd); err != nil {
		return err
	}
	if err := d.configure(address); err != nil {
		return err
	}
	agent := exec.CommandContext(ctx, filepath.Join(d.o.bin, "vignette-agent"), "--unsigned", "--config", d.path("agent.yaml"))
	var said bytes.Buffer
	agent.Stderr = &said
	agentEnd, err := start(agent)
	if err != nil {
		return err
	}
	return watchBoth(ctx, agentEnd, hmiEnd, &said)
}

// start starts a process and gives its end on a channel.
func start(c *exec.Cmd) (<-chan error, error) {
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = endTime
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("%w; build it with make build", err)
	}
	end := make(chan error, 1)
	go func() { end <- c.Wait() }()
	return end, nil
}

// ready waits until the HMI owns its name.
func (d *demoRun) ready(ctx context.Context, address string, hmiEnd <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	owned := make(chan error, 1)
	go func() { owned <- privatebus.WaitName(ctx, address, hmiName) }()
	select {
	case err := <-owned:
		return err
	case err := <-hmiEnd:
		return fmt.Errorf("the HMI ended before it was ready: %v", err)
	}
}

// configure writes the agent's configuration.
func (d *demoRun) configure(address string) error {
	abs := func(p string) string {
		if a, err := filepath.Abs(p); err == nil {
			return a
		}
		return p
	}
	var cards []string
	for _, c := range d.o.cards {
		cards = append(cards, abs(c))
	}
	config := map[string]any{
		"vehicle": abs(d.o.vehicle), "cards": cards, "bus": address, "language": d.o.lang,
		"source":    map[string]any{"log": abs(d.o.log), "speed": fmt.Sprintf("%dx", demoSpeed), "duration": d.length().String()},
		"decisions": map[string]any{"file": "decisions.jsonl", "format": "jsonl"},
		"traces":    "traces",
		"journal":   "journal.msgp",
	}
	studies := map[string]any{"cards": []string{abs(d.o.studies)}, "build": "1.0", "market": "demo", "display": "wide"} // the stand-in's
	if d.o.answers != "" {
		studies["answers"] = []string{abs(d.o.answers)}
	}
	config["studies"] = studies
	text, err := json.MarshalIndent(config, "", "  ") // JSON is YAML too
	if err != nil {
		return err
	}
	return os.WriteFile(d.path("agent.yaml"), text, 0o600)
}

// watchBoth waits for the ends of both processes. The HMI ends by itself when
// the agent's name goes, a moment before the agent; one that fails, or goes
// while the agent drives on, has died.
func watchBoth(ctx context.Context, agentEnd, hmiEnd <-chan error, said *bytes.Buffer) error {
	for left := 2; left > 0; left-- {
		var late <-chan time.Time
		if left == 1 {
			late = time.After(endTime)
		}
		select {
		case err := <-agentEnd:
			if err != nil {
				return fmt.Errorf("vignette-agent failed: %w\n%s", err, strings.TrimSpace(said.String()))
			}
			agentEnd = nil
		case err := <-hmiEnd:
			if err != nil {
				return fmt.Errorf("the HMI died: %w", err)
			}
			hmiEnd = nil
		case <-late:
			if agentEnd != nil {
				return errors.New("the HMI left before the drive had ended")
			}
			return errors.New("the HMI did not end when the agent had gone")
		}
	}
	return ctx.Err()
}

// hmiCall is a call as the HMI received it.
type hmiCall struct {
	Method string `json:"method"`
	Args   []any  `json:"args"`
}

// hmiSummary is what the HMI writes at its end.
type hmiSummary struct {
	Calls        []hmiCall `json:"calls"`
	Answers      []string  `json:"answers"`
	Interactions struct {
		Accepted int `json:"accepted"`
	} `json:"interactions"`
}

// verdict compares what was decided, called and kept.
func (d *demoRun) verdict() error {
	calls, fired, err := d.replayed()
	if err != nil {
		return err
	}
	var s hmiSummary
	text, err := os.ReadFile(d.path("hmi.json"))
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return fmt.Errorf("the HMI's summary: %w", err)
	}
	if err := sameCalls(calls, s.Calls); err != nil {
		return err
	}
	var kept bytes.Buffer
	episodes, err := trace.Show(&kept, d.path("traces"), trace.ShowOptions{})
	if err != nil {
		return fmt.Errorf("traces: %w", err)
	}
	if episodes == 0 {
		return errors.New("no traces were kept")
	}
	fmt.Fprintf(d.out, "\n%d firings, the same as a replay of the car's journal, byte for byte\n", fired)
	fmt.Fprintf(d.out, "%d calls decided, and all arrived in the HMI in order\n", len(calls))
	if d.o.answers != "" {
		fmt.Fprintf(d.out, "%d answers shown to the driver, and dismissed\n", len(s.Answers))
	}
	fmt.Fprintf(d.out, "%d interactions recorded with consent, %d episodes kept (unsigned study, not for release)\n", s.Interactions.Accepted, episodes)
	return nil
}

// replayed replays the agent's journal in this process and compares the decision
// log with the agent's. It returns the calls that were decided and the firings.
func (d *demoRun) replayed() (calls []string, fired int, err error) {
	f, err := os.Open(d.path("journal.msgp"))
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	journal, err := drive.NewJournalReader("journal.msgp", f, d.prog)
	if err != nil {
		return nil, 0, err
	}
	var log bytes.Buffer
	decisions, err := drive.NewDecisionLog(&log, drive.JSONLines, &journal.Header)
	if err != nil {
		return nil, 0, err
	}
	pump := drive.NewPump(d.prog, journal.Header.Session, journal.Judged, drive.Output{
		Decisions: decisions,
		Records: func(records []engine.Record) {
			for i := range records {
				if records[i].What == engine.Fired {
					fired++
				}
			}
		},
		Calls: func(list []engine.Call) {
			for i := range list {
				calls = append(calls, d.method(&list[i]))
			}
		},
	})
	if err := drive.Run(journal, pump); err != nil {
		return nil, 0, err
	}
	agents, err := os.ReadFile(d.path("decisions.jsonl"))
	if err != nil {
		return nil, 0, err
	}
	if !bytes.Equal(agents, log.Bytes()) {
		return nil, 0, fmt.Errorf("the agent's decision log differs from the replay's: %s", firstDifference(agents, log.Bytes()))
	}
	return calls, fired, nil
}

// method is the D-Bus method that a call goes to.
func (d *demoRun) method(c *engine.Call) string {
	if c.Kind == engine.CallDo {
		return d.prog.Vehicle.Actions[c.Action].Call.Member
	}
	return d.prog.Vehicle.Actuators[c.Actuator].Call.Member
}

// firstDifference shows the first line in which two decision logs differ.
func firstDifference(agent, replay []byte) string {
	a, b := strings.Split(string(agent), "\n"), strings.Split(string(replay), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d: agent %s, replay %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines against %d", len(a)-1, len(b)-1)
}

// sameCalls compares the methods decided with those received, in order.
func sameCalls(decided []string, received []hmiCall) error {
	for i := range min(len(decided), len(received)) {
		if decided[i] != received[i].Method {
			return fmt.Errorf("call %d was %s, but the HMI received %s", i+1, decided[i], received[i].Method)
		}
	}
	if len(decided) != len(received) {
		return fmt.Errorf("%d calls were decided, the HMI received %d", len(decided), len(received))
	}
	if len(decided) == 0 {
		return errors.New("no call was decided: the stretch is too short to show anything")
	}
	return nil
}
