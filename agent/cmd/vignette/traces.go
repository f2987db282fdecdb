package main

import (
	"io"

	"vignette/ui-bridge/trace"
)

func traces(args []string, out, errs io.Writer) error {
	fs := newFlags("traces", errs, "vignette traces show [--bytes] DIR", `
Shows the interaction traces in a directory: every released field of every
episode and, with --bytes, the very bytes.`,
		"vignette traces show traces/",
		"vignette traces show --bytes traces/")
	if len(args) == 0 || args[0] != "show" {
		fs.Usage()
		if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
			return nil
		}
		return errReported
	}
	raw := fs.Bool("bytes", false, "print the exact bytes of each record too")
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	_, err := trace.Show(out, fs.Arg(0), trace.ShowOptions{Hex: *raw})
	return err
}
