package main

import (
	"fmt"
	"io"
	"os"

	"vignette/ui-bridge/trace"
)

func tracesGather(args []string, out, errs io.Writer) error {
	fs := newFlags("traces gather", errs, "vignette traces gather --to FILE DIR…", `
Writes the episodes of all segments in directories into one new segment, in an
order drawn by chance. A million files are slow to open, one is not; vignette
review and vignette audit read either. All must be of one study, which segments
do not name. An episode that was delivered twice is kept once. Files that are
damaged or no segments are named; the exit code is then 3. Where there is no
episode at all, no file is made.`,
		"vignette traces gather --to all.seg delivered/")
	to := fs.String("to", "", "new `FILE` for the segment (required)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *to == "" {
		fs.Usage()
		return errReported
	}
	g, err := gatherTo(*to, fs.Args())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d episodes of %d files, %d more came twice\n", *to, g.Episodes, g.Files, g.Twice)
	if len(g.Bad) > 0 {
		fmt.Fprintf(errs, "vignette traces: %v\n", trace.Few(g.Bad))
		return errFindings
	}
	return nil
}

// gatherTo writes a new file, whole or not at all.
func gatherTo(path string, dirs []string) (g trace.Gathered, err error) {
	if _, err := os.Lstat(path); err == nil {
		return g, fmt.Errorf("%s: file exists; name a new one", path)
	}
	for _, dir := range dirs {
		if err := outside(dir, path); err != nil {
			return g, err
		}
	}
	f, err := createWhole(path)
	if err != nil {
		return g, err
	}
	f.mode = 0o600
	g, err = trace.Gather(dirs, f)
	return g, f.finish(err)
}
