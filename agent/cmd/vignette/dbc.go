package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"vignette/can/dbc"
)

// dbcReport is what `vignette dbc --json` prints of one file. Error is set for
// a file that is unusable; the counts are then 0.
type dbcReport struct {
	File         string   `json:"file"`
	Messages     int      `json:"messages"`
	Signals      int      `json:"signals"`
	Multiplexers int      `json:"multiplexers"`       // signals that select others
	ValueTables  int      `json:"value_tables"`       // VAL_TABLE_
	ValueNames   int      `json:"value_descriptions"` // signals with VAL_
	Refused      int      `json:"refused_signals"`
	Diagnostics  []string `json:"diagnostics"`
	Error        string   `json:"error,omitempty"`
}

func dbcs(args []string, out, errs io.Writer) error {
	fs := newFlags("dbc", errs, "vignette dbc [--json] FILE…", `
Says what is in DBC files and what of them could not be used. The multiplexers
are the signals that select others, the value tables the VAL_TABLE_ of the file;
signals with named values (VAL_) are counted too. Exit code 1: a file is
unusable; 3: all are usable, but not everything in them.`,
		"vignette dbc powertrain.dbc",
		"vignette dbc --json powertrain.dbc body.dbc")
	asJSON := fs.Bool("json", false, "print one line of JSON for each file")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	unusable, losses := false, false
	for _, file := range fs.Args() {
		r := reportDBC(file)
		unusable = unusable || r.Error != ""
		losses = losses || len(r.Diagnostics) > 0
		if err := r.print(*asJSON, out, errs); err != nil {
			return err
		}
	}
	switch {
	case unusable:
		return errReported
	case losses:
		return errFindings
	}
	return nil
}

// reportDBC reads a file; an error is in the report.
func reportDBC(file string) dbcReport {
	r := dbcReport{File: file, Diagnostics: []string{}}
	text, err := os.ReadFile(file)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	db, err := dbc.Parse(file, text)
	if err != nil {
		r.Error = err.Error()
		return r
	}
	r.Messages, r.ValueTables = len(db.Messages), db.ValueTables
	for _, m := range db.Messages {
		for _, s := range m.Signals {
			r.count(s)
		}
	}
	for _, d := range db.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, d.Error())
	}
	return r
}

func (r *dbcReport) count(s *dbc.Signal) {
	r.Signals++
	if s.Multiplexer {
		r.Multiplexers++
	}
	if s.Values != nil {
		r.ValueNames++
	}
	if s.Refused != "" {
		r.Refused++
	}
}

// print writes JSON, or a line of counts with the diagnostics below it; an
// unusable file's error goes to standard error.
func (r *dbcReport) print(asJSON bool, out, errs io.Writer) error {
	if r.Error != "" {
		fmt.Fprintln(errs, "vignette dbc:", r.Error)
	}
	if asJSON {
		line, err := json.Marshal(r)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", line)
		}
		return err
	}
	if r.Error != "" {
		return nil
	}
	_, err := fmt.Fprintf(out, "%s: messages %d, signals %d (%d refused), multiplexers %d, value tables %d, signals with named values %d, diagnostics %d\n",
		r.File, r.Messages, r.Signals, r.Refused, r.Multiplexers, r.ValueTables, r.ValueNames, len(r.Diagnostics))
	for _, d := range r.Diagnostics {
		if err == nil {
			_, err = fmt.Fprintln(out, " ", d)
		}
	}
	return err
}
