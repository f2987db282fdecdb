package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"vignette/scenes/drive"
	uibridge "vignette/ui-bridge"
)

// outputs are the files that a run writes.
type outputs struct {
	decisions *drive.DecisionLog
	journal   *drive.Journal
	files     []*output
}

// output is a bounded file: the one being written and the earlier ones beside
// it, NAME.1 the latest of them.
type output struct {
	what   string // for people
	key    string // of its counters
	name   string
	limits Limits
	turn   func() // has the writer go on in a new file
	log    uibridge.Logger

	file    *os.File
	buffer  *bufio.Writer
	since   time.Time // when the file was begun
	turns   uint64    // files begun after the first
	dropped uint64    // earlier files removed
}

// openOutputs creates the decision log and the journal that are configured;
// snapshot is what the session starts from. Their heads are written out, so that
// what is left after a kill can be read.
func openOutputs(c *Config, h *drive.Header, judged bool, snapshot []byte, log uibridge.Logger) (*outputs, error) {
	o := &outputs{}
	if err := o.openDecisions(&c.Decisions, h, log); err != nil {
		return nil, errors.Join(fmt.Errorf("decision log: %w", err), o.close())
	}
	if err := o.openJournal(c, h, judged, snapshot, log); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), o.close())
	}
	if err := o.tidy(); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

func (o *outputs) openDecisions(c *DecisionsConfig, h *drive.Header, log uibridge.Logger) error {
	if c.File == "" {
		return nil
	}
	format, err := drive.ParseLogFormat(c.Format)
	if err != nil {
		return err
	}
	f := &output{what: "decision log", key: "decision_log", name: c.File, limits: c.Limits.or(decisionLimits), log: log}
	if err := o.open(f); err != nil {
		return err
	}
	if o.decisions, err = drive.NewDecisionLog(f.buffer, format, h); err != nil {
		return err
	}
	f.turn = o.decisions.Turn
	o.decisions.Limit(f.limits.bytes(), f.next)
	return nil
}

func (o *outputs) openJournal(c *Config, h *drive.Header, judged bool, snapshot []byte, log uibridge.Logger) (err error) {
	if c.Journal == "" {
		return nil
	}
	f := &output{what: "journal", key: "journal", name: c.Journal, limits: c.JournalLimits.or(journalLimits), log: log}
	if err := o.open(f); err != nil {
		return err
	}
	if o.journal, err = drive.NewJournalFrom(f.buffer, h, judged, snapshot); err != nil {
		return err
	}
	f.turn = o.journal.Turn
	o.journal.Limit(f.limits.bytes(), f.next)
	return nil
}

func (o *outputs) open(f *output) error {
	if err := f.begin(); err != nil {
		return err
	}
	o.files = append(o.files, f)
	return nil
}

// begin makes the earlier files one older and creates a new one that only the
// agent's user reads: it tells where and when.
func (f *output) begin() error {
	if err := f.expire(); err != nil {
		return err
	}
	if err := f.shift(); err != nil {
		return err
	}
	file, err := os.OpenFile(f.name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	f.file, f.buffer, f.since = file, bufio.NewWriterSize(file, 1<<16), time.Now()
	return nil
}

// next ends the file and begins a new one; see drive.DecisionLog.Limit.
func (f *output) next() (io.Writer, error) {
	if err := errors.Join(f.buffer.Flush(), f.file.Close()); err != nil {
		return nil, err
	}
	f.turns++
	f.log.Info("a file is full or old; a new one is begun", "what", f.what, "file", f.name, "turns", f.turns, "dropped", f.dropped)
	if err := f.begin(); err != nil {
		return nil, err
	}
	return f.buffer, nil
}

// earlier names the nth file before.
func (f *output) earlier(n int) string { return fmt.Sprintf("%s.%d", f.name, n) }

// shift makes every file one older and drops those beyond the number to keep.
func (f *output) shift() error {
	if _, err := os.Lstat(f.name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for n := f.limits.Keep; ; n++ {
		if _, err := os.Lstat(f.earlier(n)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err := f.drop(f.earlier(n), "there are newer ones"); err != nil {
			return err
		}
	}
	for n := f.limits.Keep; n > 0; n-- {
		older := f.name
		if n > 1 {
			older = f.earlier(n - 1)
		}
		if err := os.Rename(older, f.earlier(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// expire drops the earlier files that were written last longer than half the
// greatest age ago; a file is written for no longer than the other half.
func (f *output) expire() error {
	for n := 1; n <= f.limits.Keep; n++ {
		info, err := os.Lstat(f.earlier(n))
		if err != nil || time.Since(info.ModTime()) < f.limits.MaxAge/2 {
			continue
		}
		if err := f.drop(f.earlier(n), "it is too old"); err != nil {
			return err
		}
	}
	return nil
}

// drop removes an earlier file, never in silence.
func (f *output) drop(name, why string) error {
	size := int64(0)
	if info, err := os.Lstat(name); err == nil {
		size = info.Size()
	}
	if err := os.Remove(name); err != nil {
		return err
	}
	f.dropped++
	f.log.Info("an earlier file is dropped", "what", f.what, "file", name, "bytes", size, "why", why)
	return nil
}

// tidy writes out what is buffered and sees to the files' age.
func (o *outputs) tidy() error {
	for _, f := range o.files {
		if time.Since(f.since) >= f.limits.MaxAge/2 {
			f.turn()
		}
		if err := errors.Join(f.buffer.Flush(), f.expire()); err != nil {
			return fmt.Errorf("%s: %w", f.what, err)
		}
	}
	return nil
}

// count adds what became of the files to the agent's counters.
func (o *outputs) count(counters map[string]uint64) {
	for _, f := range o.files {
		counters[f.key+"_files_begun"] = 1 + f.turns
		counters[f.key+"_files_dropped"] = f.dropped
	}
}

func (o *outputs) close() error {
	var errs []error
	for _, f := range o.files {
		errs = append(errs, f.buffer.Flush(), f.file.Close())
	}
	return errors.Join(errs...)
}
