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

// openOutputs creates the decision log and the journal that are configured.
func openOutputs(c *Config, h *drive.Header, judged bool) (o *outputs, err error) {
	o = &outputs{}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if c.Decisions.File != "" {
		w, err := o.create(c.Decisions.File)
		if err != nil {
			return nil, fmt.Errorf("decision log: %w", err)
		}
		format, err := drive.ParseLogFormat(c.Decisions.Format)
		if err != nil {
			return nil, err
		}
		if o.decisions, err = drive.NewDecisionLog(w, format, h); err != nil {
			return nil, err
		}
	}
	if c.Journal != "" {
		w, err := o.create(c.Journal)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		if o.journal, err = drive.NewJournal(w, h, judged); err != nil {
			return nil, err
		}
	}
	return o, nil
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
