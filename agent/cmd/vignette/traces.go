package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// tracesCommands are what vignette traces can do.
var tracesCommands = []command{
	{"list", "list recorded episodes", tracesList},
	{"show", "show every field, and the very bytes", tracesShow},
	{"delete", "delete episodes", tracesDelete},
	{"export", "copy episodes into a directory", tracesExport},
	{"gather", "write many segments into one", tracesGather},
}

func traces(args []string, out, errs io.Writer) error {
	if len(args) > 0 {
		for _, c := range tracesCommands {
			if c.name == args[0] {
				return c.run(args[1:], out, errs)
			}
		}
	}
	fs := newFlags("traces", errs, "vignette traces list|show|delete|export|gather [options] DIR …", `
Looks at the interaction traces in a directory and below it: the agent's, or a
copy of segments. In a running car the driver's own view is org.vignette.Trace1.`,
		"vignette traces list --study demo.yaml traces/",
		"vignette traces show --bytes --study demo.yaml traces/",
		"vignette traces delete traces/ 5ab83e4a7dde921967eb6abd685202d7",
		"vignette traces export --to copy/ traces/",
		"vignette traces gather --to all.seg delivered/")
	if err := parse(fs, args); err != nil {
		return err
	}
	fs.Usage()
	return errReported
}

// studyOf reads the study card whose names ids have; none is no error.
func studyOf(file string) (*scenes.Study, error) {
	if file == "" {
		return nil, nil
	}
	return scenes.LoadStudy(file)
}

func tracesShow(args []string, out, errs io.Writer) error {
	fs := newFlags("traces show", errs, "vignette traces show [--bytes] [--study FILE] DIR", `
Shows the interaction traces in a directory: every released field of every
episode and, with --bytes, the very bytes. A segment that is damaged is shown as
far as it can be read; the exit code is then 1.`,
		"vignette traces show traces/",
		"vignette traces show --bytes --study demo.yaml traces/")
	raw := fs.Bool("bytes", false, "print the exact bytes of each record too")
	card := fs.String("study", "", "study card `FILE`, for the names of screens, elements and tasks")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	study, err := studyOf(*card)
	if err != nil {
		return err
	}
	_, err = trace.Show(out, fs.Arg(0), trace.ShowOptions{Hex: *raw, Study: study})
	return err
}

func tracesList(args []string, out, errs io.Writer) error {
	fs := newFlags("traces list", errs, "vignette traces list [--json] [--study FILE] DIR", `
Lists the episodes in a directory and below it, one a line: id, week, task,
events, file.`,
		"vignette traces list traces/",
		"vignette traces list --json --study demo.yaml traces/")
	asJSON := fs.Bool("json", false, "print the list as JSON")
	card := fs.String("study", "", "study card `FILE`, for the names of tasks")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	study, err := studyOf(*card)
	if err != nil {
		return err
	}
	list, err := trace.List(fs.Arg(0), study)
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return errors.Join(err, enc.Encode(list))
	}
	for _, t := range list {
		fmt.Fprintf(out, "%s  %s  task %s  %d events  %s\n", t.ID, t.Week, t.Task, t.Events, t.File)
	}
	return err
}

// idLength is that of an episode's id in hexadecimal.
const idLength = 32

func tracesDelete(args []string, out, errs io.Writer) error {
	fs := newFlags("traces delete", errs, "vignette traces delete DIR ID…", `
Deletes the segments of episodes by their ids, as vignette traces list shows
them, and all copies. A segment that holds other episodes too, as vignette traces
gather writes it, is not deleted. While an agent runs on the directory, use org.vignette.Trace1 instead.`,
		"vignette traces delete traces/ 5ab83e4a7dde921967eb6abd685202d7")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() < 2 {
		fs.Usage()
		return errReported
	}
	list, err := trace.List(fs.Arg(0), nil)
	if err != nil {
		return err
	}
	ids := fs.Args()[1:]
	files := make([][]string, len(ids))
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return fmt.Errorf("episode %s is given twice; keep one", id)
		}
		if files[i], err = filesOf(list, fs.Arg(0), id); err != nil {
			return err
		}
	}
	for i, id := range ids {
		for _, file := range files[i] {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "%s: deleted\n", id)
	}
	return nil
}

// filesOf are the segments of an episode, several if it was delivered twice. An
// error is of an id that is not there, or whose segment holds other episodes.
func filesOf(list []trace.Listed, dir, id string) (files []string, err error) {
	for _, t := range list {
		if t.ID != strings.ToLower(id) || len(id) != idLength {
			continue
		}
		for _, o := range list {
			if o.File == t.File && o.ID != t.ID {
				return nil, fmt.Errorf("%s: holds episode %s and others, which would be deleted too; delete it where they were gathered from, and gather anew", t.File, id)
			}
		}
		files = append(files, t.File)
	}
	if files == nil {
		return nil, fmt.Errorf("%s: has no episode %s; vignette traces list names those there are", dir, id)
	}
	return slices.Compact(files), nil
}

func tracesExport(args []string, out, errs io.Writer) error {
	fs := newFlags("traces export", errs, "vignette traces export --to DIR [--study FILE] DIR", `
Copies the segments of a directory into a new one, each under the id of its
episode, with a text in words beside it.`,
		"vignette traces export --to copy/ --study demo.yaml traces/")
	to := fs.String("to", "", "new `DIR` for the copies (required)")
	card := fs.String("study", "", "study card `FILE`, for the names in the texts")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *to == "" {
		fs.Usage()
		return errReported
	}
	study, err := studyOf(*card)
	if err != nil {
		return err
	}
	list, err := trace.List(fs.Arg(0), study)
	if err == nil {
		err = os.Mkdir(*to, 0o700)
	}
	for _, t := range list {
		if err == nil {
			err = exportOne(*to, t, study)
		}
	}
	if err == nil {
		fmt.Fprintf(out, "%s: %d episodes\n", *to, len(list))
	}
	return err
}

// exportOne writes an episode's segment and its text.
func exportOne(dir string, t trace.Listed, study *scenes.Study) error {
	segment, err := os.ReadFile(t.File)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := trace.Put(&text, segment, study); err != nil {
		return err
	}
	name := filepath.Join(dir, t.ID)
	return errors.Join(writeNew(name+".seg", segment, 0o600), writeNew(name+".txt", text.Bytes(), 0o600))
}
