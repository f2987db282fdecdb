// Command vignette is the desk's program: it checks cards, replays recordings
// against them with the decisions of the car, and shows what a recording or a
// trace directory holds.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/explain"
)

// Exit codes, the same for every command.
const (
	exitOK     = 0
	exitFailed = 1
	exitLosses = 3 // usable, with findings
)

// command is one of vignette's commands.
type command struct {
	name  string
	short string
	run   func(args []string, out, errs io.Writer) error
}

var commands = []command{
	{"replay", "replay recordings against cards: the decisions of the car", replay},
	{"check", "check a vehicle profile and cards", checks},
	{"explain", "put cards into plain words, in English or Chinese", explainCards},
	{"reach", "say what cards can touch in a car, and what has changed", reach},
	{"test", "tell scenarios to cards, and say whether they did what is expected", tests},
	{"adapt", "say what a vehicle lacks that cards ask for, and take what it has instead", adapts},
	{"signals", "decode a recording into signals", signals},
	{"dbc", "say what is in a DBC and what could not be used", dbcs},
	{"convert", "convert a recording into another format", convert},
	{"decisions", "show a decision log written by the car as JSON Lines", decisions},
	{"pack", "make, sign, show, remix, merge and install packs of cards, and as QR codes", packCommand},
	{"trust", "say whose packs are trusted, and call keys and packs back", trust},
	{"study", "check, sign and explain study cards", studies},
	{"fleet-sim", "simulate cars and drivers, as a dataset with its truth", fleetSim},
	{"answer", "check, sign and explain answer cards, and list what is owed one", answers},
	{"traces", "show recorded interaction traces", traces},
	{"review", "make a report for designers from what cars have released", reviews},
	{"cocreate", "report how drivers take part: cards shared and adopted, remixes, answers", cocreates},
	{"audit", "attack a dataset of traces, with a certificate of what came out", audits},
	{"schema", "print the JSON Schema of cards, packs, profiles, studies, reports and the rest", schema},
	{"catalog", "make a site of packs of cards for drivers, with a signed index, and check it", catalogs},
	{"sign", "sign files, check signatures, make keys", signFiles},
	{"demo", "run the agent and a stand-in HMI on a recorded drive", demo},
	{"version", "print the release and the engine's version", version},
}

// errFindings ends a command with exit code 3: its output says why.
var errFindings = errors.New("findings")

// errReported ends a command with exit code 1: the message was printed.
var errReported = errors.New("reported")

func main() {
	scenes.PipeTime = 0 // what writes into a pipe may take its time
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		usage(errs)
		return exitFailed
	}
	said := &heard{Writer: out}
	switch args[0] {
	case "help", "-h", "--help":
		if args[0] == "help" && len(args) > 1 {
			return run(append(args[1:], "--help"), out, errs)
		}
		usage(said)
		return code(said.err, "help", errs)
	case "--version":
		args[0] = "version"
	}
	for _, c := range commands {
		if c.name == args[0] {
			err := c.run(args[1:], said, errs)
			if said.err != nil && (err == nil || errors.Is(err, errFindings)) {
				err = said.err
			}
			return code(err, c.name, errs)
		}
	}
	fmt.Fprintf(errs, "vignette: unknown command %q; see vignette --help\n", args[0])
	return exitFailed
}

// heard is standard output, which keeps its first error: a command whose results
// did not arrive has failed.
type heard struct {
	io.Writer
	err error
}

func (h *heard) Write(b []byte) (int, error) {
	n, err := h.Writer.Write(b)
	h.err = cmp.Or(h.err, err)
	return n, err
}

// code turns a command's error into its exit code and prints it.
func code(err error, name string, errs io.Writer) int {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errFindings):
		return exitLosses
	case errors.Is(err, errReported):
		return exitFailed
	}
	fmt.Fprintf(errs, "vignette %s: %s\n", name, err)
	return exitFailed
}

func usage(w io.Writer) {
	fmt.Fprint(w, `vignette: scene cards on the desk

usage: vignette COMMAND [options] …

commands:
`)
	for _, c := range commands {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.short)
	}
	fmt.Fprint(w, `
Each command explains itself with --help; its options may stand before and after
the rest, up to a --. Exit codes: 0 fine, 1 failed, 3 usable with findings.
Messages go to standard error, results to standard output.

examples:
  vignette check --vehicle testdata/drive/vehicle.yaml testdata/drive/cards
  vignette replay --vehicle testdata/drive/vehicle.yaml --cards testdata/drive/cards drive.log
  vignette signals --dbc powertrain.dbc --signal 'Vehicle*' drive.log
`)
}

func version(args []string, out, errs io.Writer) error {
	fs := newFlags("version", errs, "vignette version", "Prints the release, and the version of the engine as decision logs name it.", "vignette version")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		fs.Usage()
		return errReported
	}
	fmt.Fprintf(out, "%s (engine %s)\n", engine.ReleasedAs, engine.Version)
	return nil
}

// newFlags makes a command's flag set with its help text.
func newFlags(name string, errs io.Writer, synopsis, about string, examples ...string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Usage = func() {
		fmt.Fprintf(errs, "usage: %s\n\n%s\n", synopsis, strings.TrimSpace(about))
		fmt.Fprintln(errs, "\noptions:")
		printFlags(errs, fs)
		if len(examples) > 0 {
			fmt.Fprintln(errs, "\nexamples:")
			for _, e := range examples {
				fmt.Fprintln(errs, "  "+e)
			}
		}
	}
	return fs
}

// printFlags lists flags as GNU programs do.
func printFlags(w io.Writer, fs *flag.FlagSet) {
	fs.VisitAll(func(f *flag.Flag) {
		arg, usage := flag.UnquoteUsage(f)
		if arg != "" {
			arg = " " + arg
		}
		fmt.Fprintf(w, "  --%s%s\n        %s", f.Name, arg, usage)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
			fmt.Fprintf(w, " (default %s)", f.DefValue)
		}
		fmt.Fprintln(w)
	})
}

// parse parses a command's flags, which may stand before, between and after what
// else is given; after -- there are none. The flag package has printed what is wrong.
func parse(fs *flag.FlagSet, args []string) error {
	var rest []string
	for len(args) > 0 {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return errReported
		}
		if parsed := len(args) - fs.NArg(); parsed > 0 && args[parsed-1] == "--" {
			rest = append(rest, fs.Args()...)
			break
		}
		if args = fs.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return fs.Parse(append([]string{"--"}, rest...))
}

// language is a flag that takes en or zh.
type language explain.Language

func (l *language) String() string { return explain.Language(*l).Tag() }

func (l *language) Set(tag string) error {
	of, err := explain.ParseLanguage(tag)
	*l = language(of)
	return err
}

// langFlag is the flag --lang; English is usual.
func langFlag(fs *flag.FlagSet) *language {
	l := language(explain.English)
	fs.Var(&l, "lang", "`TAG` of the language, en or zh")
	return &l
}

// listFlag collects a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, ",") }
func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }
