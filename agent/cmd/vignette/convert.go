package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"vignette/can"
	"vignette/can/canlog"
)

func convert(args []string, out, errs io.Writer) error {
	fs := newFlags("convert", errs, "vignette convert [--format F] IN OUT", `
Converts a recording. IN is told by its content: candump, SavvyCAN GVRET CSV,
python-can or plain CSV, Vector ASC, Vector BLF or PEAK TRC, each also packed
with gzip or zstd. OUT is candump (.log), ASC, BLF or python-can's CSV, by its
extension or by --format.
OUT appears whole or not at all; but if IN is damaged, OUT has all frames up to
the damage. Exit code 3: IN is damaged, or OUT has no place for a property of
some frames.`,
		"vignette convert drive.blf drive.log",
		"vignette convert --format asc drive.log.gz drive.txt")
	format := fs.String("format", "", "write this `FORMAT`: "+canlog.Formats)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		fs.Usage()
		return errReported
	}
	if *format == "" {
		var err error
		if *format, err = canlog.FormatOf(fs.Arg(1)); err != nil {
			return err
		}
	}
	if err := apart(fs.Arg(1), fs.Arg(0)); err != nil {
		return err
	}
	log, err := canlog.Open(fs.Arg(0))
	if err != nil {
		return err
	}
	defer log.Close()
	return convertTo(log, *format, fs.Arg(1), errs)
}

// convertTo writes the log to path.
func convertTo(log *canlog.Log, format, path string, errs io.Writer) error {
	out, err := createWhole(path)
	if err != nil {
		return err
	}
	damage, err := convertFrames(log, format, out.file, path, errs)
	return cmp.Or(out.finish(err), damage)
}

// convertFrames copies frame by frame. damage is errFindings where the output
// is good and something is lost; it has been told by then.
func convertFrames(log *canlog.Log, format string, file *os.File, path string, errs io.Writer) (damage, err error) {
	w, err := canlog.NewWriter(format, file)
	if err != nil {
		return nil, err
	}
	meter := newMeter(errs, "convert", log.Offset)
	defer meter.done()
	var f can.Frame
	for {
		if err := log.Read(&f); err != nil {
			meter.done()
			return endConvert(w, log, path, errs)
		}
		if err := w.Write(&f, log.Channels()[f.Bus]); err != nil {
			return nil, fmt.Errorf("%s: frame %d: %w", path, log.Frames(), err)
		}
		meter.tick()
	}
}

// endConvert ends the output and tells what is not in it.
func endConvert(w *canlog.Writer, log *canlog.Log, path string, errs io.Writer) (damage, err error) {
	damage = judgeEnd(errs, "convert", "are in "+path, log)
	if damage != nil && damage != errFindings {
		return nil, damage
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if n := log.Ignored(); n > 0 {
		fmt.Fprintf(errs, "note: %d lines or objects that hold no frame were left out\n", n)
	}
	if n := log.Dropped(); n > 0 {
		fmt.Fprintf(errs, "note: the recorder lost %d frames\n", n)
	}
	if numbers := w.Channels(); len(numbers) > 0 {
		fmt.Fprintf(errs, "note: channels: %s\n", strings.Join(numbers, ", "))
	}
	if date := w.Start(); date != "" {
		fmt.Fprintf(errs, "note: times count from %s UTC, the date in the log\n", date)
	}
	for _, l := range w.Losses() {
		fmt.Fprintln(errs, "note:", l)
		damage = errFindings
	}
	return damage, nil
}
