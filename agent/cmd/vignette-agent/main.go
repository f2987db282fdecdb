// Command vignette-agent is the car's program: it reads frames, runs scene
// cards, calls the HMI over D-Bus and keeps interaction traces with consent.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"vignette/agent"
	"vignette/scenes/engine"
)

const usage = `usage: vignette-agent --config FILE [--unsigned] [--check-config]

Runs scene cards on the frames that the configuration names, until its source
ends or it is told to stop (SIGTERM, SIGINT). The vehicle profile must be signed
with a key that the configuration trusts; --unsigned is for a desk. Exit code 0:
ended or stopped; 1: something it needs is missing, broke or went away.

options:
  --config FILE    configuration file (required)
  --check-config   check the configuration, the profile, the cards and the study cards, then exit
  --unsigned       take a vehicle profile and study cards without signatures, and the recording's or machine's clock for traces: for a desk, never in a car
  --version        print the release and the engine's version
  --help           print this

examples:
  vignette-agent --config /etc/vignette/agent.yaml
  vignette-agent --config agent.yaml --unsigned --check-config
`

func main() {
	// One goroutine decides, and what it hands over is small: one processor is
	// enough, and a frame then wakes no second one, which costs more than the frame.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	// Frames leave no garbage, so collecting early costs next to nothing.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	os.Exit(run(os.Args[1:]))
}

// options are what the command line says. The package flag would do the same in
// 40 KB of the program.
type options struct {
	config                               string
	checkConfig, unsigned, version, help bool
}

func parse(args []string) (o options, err error) {
	switches := map[string]*bool{"check-config": &o.checkConfig, "unsigned": &o.unsigned, "version": &o.version, "help": &o.help, "h": &o.help}
	for len(args) > 0 {
		option := args[0]
		name, value, given := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(option, "-"), "-"), "=")
		args = args[1:]
		on := switches[name]
		switch {
		case !strings.HasPrefix(option, "-") || on == nil && name != "config":
			return o, fmt.Errorf("%s is not known; see vignette-agent --help", option)
		case on != nil && given:
			return o, fmt.Errorf("%s: the option takes no value", option)
		case on != nil:
			*on = true
			continue
		case !given && len(args) > 0:
			value, args = args[0], args[1:]
		}
		if o.config = value; value == "" {
			return o, fmt.Errorf("%s: name a file", option)
		}
	}
	return o, nil
}

func run(args []string) int {
	o, err := parse(args)
	switch {
	case err != nil:
		return failed(err)
	case o.help:
		fmt.Fprint(os.Stderr, usage)
		return 0
	case o.version:
		fmt.Printf("%s (engine %s)\n", engine.ReleasedAs, engine.Version)
		return 0
	case o.config == "":
		fmt.Fprint(os.Stderr, usage)
		return 1
	}
	if err := keepMemory(); err != nil {
		return failed(err)
	}
	c, err := agent.LoadConfig(o.config)
	if err != nil {
		return failed(err)
	}
	c.Unsigned = o.unsigned
	if o.checkConfig {
		if err := agent.Check(c); err != nil {
			return failed(err)
		}
		fmt.Printf("%s is fine\n", o.config)
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	log := agent.NewLog(os.Stderr)
	defer log.Close()
	if err := agent.Run(ctx, c, log); err != nil {
		return failed(err)
	}
	return 0
}

// failed says what went wrong, a line each.
func failed(err error) int {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(os.Stderr, "vignette-agent: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return 1
}
