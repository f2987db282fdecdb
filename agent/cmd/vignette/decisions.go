package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"vignette/scenes/drive"
)

func decisions(args []string, out, errs io.Writer) error {
	fs := newFlags("decisions", errs, "vignette decisions FILE", `
Shows a decision log that the car wrote in MessagePack as JSON Lines: the bytes
that vignette replay --decisions writes for the same run.`,
		"vignette decisions decisions.msgp | grep fired")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	f, err := os.Open(fs.Arg(0))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := drive.ToJSONLines(out, bufio.NewReader(f)); err != nil {
		return fmt.Errorf("%s: %w", fs.Arg(0), err)
	}
	return nil
}
