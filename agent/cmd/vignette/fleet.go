package main

import (
	"encoding/json"
	"fmt"
	"io"

	"vignette/scenes"
	"vignette/ui-bridge/fleet"
	"vignette/ui-bridge/panel"
	"vignette/ui-bridge/trace"
)

func fleetSim(args []string, out, errs io.Writer) error {
	fs := newFlags("fleet-sim", errs, "vignette fleet-sim --study FILE --out DIR [options]", `
Simulates cars and drivers with habits, each with the real recorder, and writes
what leaves them as a manufacturer's server has it: study.yaml and segments/.
Beside it are truth.jsonl, which says whose each episode is, and fleet.json, which
says what was put in; no server has these. A study of mode panel gives what a
panel of test drivers records. What drivers do follows from the seed; ids, delays
and which attempt of a week leaves are drawn anew each time.
With --weakness the recorders lack one protection, so that an audit can be seen
to fail: persistent-id, no-gate, raw-times, no-bound or unpadded.`,
		"vignette fleet-sim --study testdata/fleet/study.yaml --out build/fleet",
		"vignette fleet-sim --study testdata/fleet/study.yaml --cars 200 --weakness no-gate --out build/weak")
	var o fleet.Options
	study := fs.String("study", "", "study card `FILE` that the drivers are asked (required)")
	to := fs.String("out", "", "new `DIR` for the dataset (required)")
	fs.IntVar(&o.Cars, "cars", 2000, "how many cars, `N`")
	fs.IntVar(&o.Weeks, "weeks", 10, "how many weeks, `N`, from the study's first Monday on")
	fs.Uint64Var(&o.Seed, "seed", 1, "`N` that what drivers do follows from")
	weakness := fs.String("weakness", "", "`NAME` of a protection that the recorders lack")
	fs.BoolVar(&o.Canaries, "canaries", false, "some interactions hold a phone number, a VIN, a name, a position, a media title or a PIN")
	asJSON := fs.Bool("json", false, "print fleet.json too")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 || *study == "" || *to == "" {
		fs.Usage()
		return errReported
	}
	var err error
	if o.Study, err = scenes.LoadStudy(*study); err != nil {
		return err
	}
	o.Weakness = trace.Weakness(*weakness)
	done := 0
	m := newMeter(errs, "fleet-sim", func() (int64, int64) { return int64(done), int64(o.Cars) })
	o.Progress = func(cars int) {
		done = cars
		m.show()
	}
	facts, err := fleet.Simulate(*to, o)
	m.done()
	if err != nil {
		return err
	}
	return printFacts(out, *to, facts, *asJSON)
}

// printFacts says what a simulated fleet has given.
func printFacts(out io.Writer, dir string, facts *fleet.Facts, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(facts)
	}
	for _, b := range facts.Builds {
		fmt.Fprintf(out, "build %q: %d cars, %d yes, %d taken back; %d attempts: %d whole, %d cut, %d dropped; %d episodes have left\n",
			b.Build.Build, b.Cars, b.Consents, b.Withdrawals, b.Did.Attempts+b.Did.Firings(), b.Recorded.Whole, b.Recorded.Cut, b.Recorded.Dropped, b.Recorded.Released)
	}
	fmt.Fprintf(out, "%s: %d cars, %d weeks\n", dir, facts.Cars, facts.Weeks)
	return nil
}

func studyDictionary(args []string, out, errs io.Writer) error {
	fs := newFlags("study dictionary", errs, "vignette study dictionary --study FILE [options] PANEL_DIR…", `
Makes the dictionary of a study from what a panel of test drivers recorded, and
prints it as a study card has it: the whole attempts, with their order, gaps and
speeds, that were seen with k drivers or more, and pairs of touches likewise. A
driver who consented counts as a vehicle, so a panel has one driver a car.
Segments of a panel are personal data; the dictionary is not.`,
		"vignette study dictionary --study panel.yaml panel/segments >dictionary.yaml",
		"vignette study dictionary --study panel.yaml --k 100 --whole 16 --pairs 4 panel/segments")
	var o panel.Options
	study := fs.String("study", "", "study card `FILE` that the panel took part in (required)")
	fs.IntVar(&o.K, "k", 0, "the least number `N` of drivers; that of the study, if not given")
	fs.IntVar(&o.Whole, "whole", 16, "the most whole attempts of a task, `N`")
	fs.IntVar(&o.Pairs, "pairs", 8, "the most pairs of a task, `N`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *study == "" {
		fs.Usage()
		return errReported
	}
	var err error
	if o.Study, err = scenes.LoadStudy(*study); err != nil {
		return err
	}
	switch {
	case o.K == 0:
		o.K = o.Study.K
	case o.K < o.Study.K:
		return fmt.Errorf("--k %d is below k = %d of %s; k is never lowered in silence: change the study", o.K, o.Study.K, *study)
	}
	d, err := panel.Make(fs.Args(), o)
	if err != nil {
		return err
	}
	text, err := d.YAML(o.Study)
	if err != nil {
		return err
	}
	fmt.Fprint(out, text)
	fmt.Fprintf(errs, "%d sequences of %d drivers; of their %d attempts %d leave whole, %d as a pair\n", len(d.Sequences), d.Drivers, d.Attempts, d.Kept, d.Cut)
	return nil
}
