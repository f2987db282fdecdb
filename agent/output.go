package agent

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"vignette/scenes/drive"
)

// outputs are the files that a run writes.
type outputs struct {
	decisions *drive.DecisionLog
	journal   *drive.Journal
	files     []*os.File
	buffers   []*bufio.Writer
}

// openOutputs creates the decision log and the journal that are configured;
// snapshot is what the session starts from.
func openOutputs(c *Config, h *drive.Header, judged bool, snapshot []byte) (*outputs, error) {
	o := &outputs{}
	if err := o.openDecisions(&c.Decisions, h); err != nil {
		return nil, errors.Join(fmt.Errorf("decision log: %w", err), o.close())
	}
	if c.Journal == "" {
		return o, nil
	}
	w, err := o.create(c.Journal)
	if err == nil {
		o.journal, err = drive.NewJournalFrom(w, h, judged, snapshot)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), o.close())
	}
	return o, nil
}

func (o *outputs) openDecisions(c *DecisionsConfig, h *drive.Header) error {
	if c.File == "" {
		return nil
	}
	format, err := drive.ParseLogFormat(c.Format)
	if err != nil {
		return err
	}
	w, err := o.create(c.File)
	if err != nil {
		return err
	}
	o.decisions, err = drive.NewDecisionLog(w, format, h)
	return err
}

// create makes a file that only the agent's user reads: it tells where and
// when. A file of an earlier run is kept beside it as NAME.1, one of them.
func (o *outputs) create(name string) (*bufio.Writer, error) {
	if err := os.Rename(name, name+".1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	o.files = append(o.files, f)
	w := bufio.NewWriterSize(f, 1<<16)
	o.buffers = append(o.buffers, w)
	return w, nil
}

func (o *outputs) flush() error {
	var errs []error
	for _, w := range o.buffers {
		errs = append(errs, w.Flush())
	}
	return errors.Join(errs...)
}

func (o *outputs) close() error {
	errs := []error{o.flush()}
	for _, f := range o.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
