// Command vignette-agent is the car's program: it reads frames, runs scene
// cards, calls the HMI over D-Bus and keeps interaction traces with consent.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"vignette/agent"
	"vignette/scenes/engine"
)

const about = `usage: vignette-agent --config FILE [--unsigned] [--check-config]

Runs scene cards on the frames that the configuration names, until its source
ends or it is told to stop (SIGTERM, SIGINT). The vehicle profile must be signed
with a key that the configuration trusts; --unsigned is for a desk. Exit code 0:
ended or stopped; 1: something it needs is missing, broke or went away.

options:
`

const examples = `
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
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	fs := flag.NewFlagSet("vignette-agent", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), about)
		fs.VisitAll(func(f *flag.Flag) {
			arg, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(fs.Output(), "  --%-16s %s\n", f.Name+" "+arg, usage)
		})
		fmt.Fprint(fs.Output(), examples)
	}
	config := fs.String("config", "", "configuration `FILE` (required)")
	checkOnly := fs.Bool("check-config", false, "check the configuration, the profile, the cards and the study cards, then exit")
	unsigned := fs.Bool("unsigned", false, "take a vehicle profile and study cards without signatures, and the recording's or machine's clock for traces: for a desk, never in a car")
	version := fs.Bool("version", false, "print the release and the engine's version")
	switch err := fs.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 1
	case *version:
		fmt.Printf("%s (engine %s)\n", engine.ReleasedAs, engine.Version)
		return 0
	case *config == "" || fs.NArg() > 0:
		fs.Usage()
		return 1
	}
	if err := keepMemory(); err != nil {
		fmt.Fprintln(os.Stderr, "vignette-agent:", err)
		return 1
	}
	c, err := agent.LoadConfig(*config)
	if err == nil {
		c.Unsigned = *unsigned
	}
	if err == nil && *checkOnly {
		if err = agent.Check(c); err == nil {
			fmt.Printf("%s is fine\n", *config)
			return 0
		}
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = agent.Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(os.Stderr, "vignette-agent: %s\n", strings.TrimSuffix(line, "\n"))
		}
		return 1
	}
	return 0
}
