package main

import (
	"errors"
	"fmt"
	"io"

	"vignette/can"
	"vignette/can/canlog"
)

// judgeEnd says how the reading of recordings ended, for every command alike:
//   - nil: all of them are whole;
//   - errFindings: one is damaged behind its first frames. They stay good, and
//     a message says what is wrong, how many they are, before which byte, and
//     what was done with them;
//   - any other error: one could not be read, or damage left no frame of it.
func judgeEnd(errs io.Writer, command, done string, logs ...*canlog.Log) error {
	var damaged []*canlog.Log
	for _, l := range logs {
		var damage *can.FormatError
		switch err := l.Err(); {
		case err == nil:
		case errors.As(err, &damage) && l.Frames() > 0:
			damaged = append(damaged, l)
		default:
			return err
		}
	}
	if len(damaged) == 0 {
		return nil
	}
	for _, l := range damaged {
		of := ""
		if l.Compression() != "" {
			of = " of the unpacked log"
		}
		fmt.Fprintf(errs, "vignette %s: %s; the %d frames before byte %d%s %s\n", command, l.Err(), l.Frames(), l.Good(), of, done)
	}
	return errFindings
}
