// Command gen writes Vignette's own drive as a candump log, the same bytes on
// every machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	"vignette/testdata/drive"
)

func main() {
	out := flag.String("o", "", "write to this `file` instead of standard output")
	seconds := flag.Int("seconds", drive.Seconds, "length of the drive, counted from its start")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "gen: unexpected argument %q; usage: gen [-o FILE] [-seconds N]\n", flag.Arg(0))
		os.Exit(1)
	}
	if err := write(*out, *seconds); err != nil {
		fmt.Fprintf(os.Stderr, "gen: %v\n", err)
		os.Exit(1)
	}
}

// write generates into the file, or to standard output if the name is empty.
func write(name string, seconds int) error {
	if name == "" {
		return drive.Generate(os.Stdout, seconds)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(drive.Generate(file, seconds), file.Close())
}
