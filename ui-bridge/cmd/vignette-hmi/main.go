// Command vignette-hmi is a stand-in for a head unit's HMI: a process of its own
// that does over D-Bus what a real one would. It takes the calls that the demo
// vehicle profile binds, watches the agent, gives consent to the demo study,
// shows and dismisses its answers, reports touches, and shows on the terminal what the head unit would show. It is
// for demonstrations and tests, and no part of the car.
//
// It ends with status 0 when the agent has come and gone, 1 when something went
// wrong, 2 for a wrong command line, and 3 when --die-after made it die.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// options are the flags of the command line.
type options struct {
	bus      string
	summary  string
	lang     string
	dieAfter int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		fmt.Fprintln(stderr, "vignette-hmi:", err)
		return 2
	}
	h := newHMI(o, newPanel(stdout, o.lang))
	err = h.run(ctx)
	if o.summary != "" {
		err = errors.Join(err, h.writeSummary(o.summary))
	}
	if err != nil {
		fmt.Fprintln(stderr, "vignette-hmi:", err)
	}
	switch {
	case errors.Is(err, errDied):
		return 3
	case err != nil:
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("vignette-hmi", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.bus, "bus", "", "`address` of the D-Bus daemon, such as unix:path=/tmp/bus")
	fs.StringVar(&o.summary, "summary", "", "`file` that gets a JSON summary at the end")
	fs.StringVar(&o.lang, "lang", "en", "language of the labels: en or zh")
	fs.IntVar(&o.dieAfter, "die-after", 0, "die with status 3 after this `number` of calls; 0: do not")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("%q is not wanted; there are flags only", fs.Arg(0))
	case o.bus == "":
		return o, errors.New("give --bus, the address of the D-Bus daemon")
	case labels[o.lang] == nil:
		return o, fmt.Errorf("--lang %q: use en or zh", o.lang)
	case o.dieAfter < 0:
		return o, fmt.Errorf("--die-after %d: give a number of calls, or 0", o.dieAfter)
	}
	return o, nil
}
