package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
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
// it, NAME.1 the latest of them. A disk that takes nothing ends no agent: what is
// to be written waits in memory, and beyond mostHeld is dropped and counted; then a
// new file is begun when the disk takes one, since the old one has a hole.
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
	held    []byte    // what the disk did not take yet
	hole    bool      // some of what was to come next was dropped
	lost    uint64    // bytes that were
	failing bool      // and that was logged
}

// mostHeld is how many bytes of a file wait for the disk: the demonstration car's
// journal of more than a minute.
const mostHeld = 1 << 20

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
	o.tidy()
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

// open begins a file, or waits for a disk that takes none.
func (o *outputs) open(f *output) error {
	f.buffer = bufio.NewWriterSize(f, 1<<16)
	switch err := f.begin(); {
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EIO):
		f.hole = true
		f.fail(err)
	case err != nil:
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
	f.file, f.since = file, time.Now()
	return nil
}

// next ends the file and begins a new one; see drive.DecisionLog.Limit. If none can
// be begun, what comes is dropped until one can.
func (f *output) next() (io.Writer, error) {
	f.flush()
	f.drain()
	old := f.file
	if err := f.begin(); err != nil {
		f.hole = true
		f.fail(err)
		return f.buffer, nil
	}
	f.hole = false
	f.turns++
	f.log.Info("a file is full or old; a new one is begun", "what", f.what, "file", f.name, "turns", f.turns, "dropped", f.dropped)
	if old == nil { // the first one could not be begun
		f.works()
	} else if err := old.Close(); err != nil {
		f.fail(err)
	}
	return f.buffer, nil
}

// Write writes to the disk, or holds for it what it does not take. It never fails.
func (f *output) Write(b []byte) (int, error) {
	all := len(b)
	if !f.hole && len(f.held) == 0 {
		n, err := f.file.Write(b)
		if b = b[n:]; err != nil {
			f.fail(err)
		}
	}
	if f.hole || len(f.held)+len(b) > mostHeld {
		f.hole = true
		f.drain()
		f.lost += uint64(len(b))
	} else {
		f.held = append(f.held, b...)
	}
	return all, nil
}

// push writes what is held, as far as the disk takes it.
func (f *output) push() {
	if len(f.held) == 0 {
		return
	}
	n, err := f.file.Write(f.held)
	f.held = append(f.held[:0], f.held[n:]...)
	if err != nil {
		f.fail(err)
	} else if !f.hole {
		f.works()
	}
}

// drain gives up what is held.
func (f *output) drain() {
	f.lost += uint64(len(f.held))
	f.held = f.held[:0]
}

// flush writes out what is buffered and held.
func (f *output) flush() {
	_ = f.buffer.Flush() // Write never fails
	f.push()
}

// mend has a new file begun in place of one with a hole, once the disk takes a
// page again.
func (f *output) mend() {
	if f.file == nil {
		f.turn()
		return
	}
	end, err := f.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.file.Write(make([]byte, os.Getpagesize()))
	}
	err = errors.Join(err, f.file.Truncate(end))
	if _, serr := f.file.Seek(end, io.SeekStart); err == nil && serr == nil {
		f.works()
		f.turn()
	}
}

// fail logs, once until the disk works again, that it does not.
func (f *output) fail(err error) {
	if !f.failing {
		f.log.Error("a file cannot be written; what belongs there waits in memory", "what", f.what, "file", f.name, "most_bytes", mostHeld, "error", err)
	}
	f.failing = true
}

func (f *output) works() {
	if f.failing {
		f.log.Info("the file can be written again", "what", f.what, "file", f.name, "bytes_lost", f.lost)
	}
	f.failing = false
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
func (o *outputs) tidy() {
	for _, f := range o.files {
		f.flush()
		if f.hole {
			f.mend()
		} else if time.Since(f.since) >= f.limits.MaxAge/2 {
			f.turn()
		}
		if err := f.expire(); err != nil {
			f.fail(err)
		}
	}
}

// count adds what became of the files to the agent's counters.
func (o *outputs) count(counters map[string]uint64) {
	for _, f := range o.files {
		counters[f.key+"_files_begun"] = 1 + f.turns
		counters[f.key+"_files_dropped"] = f.dropped
		counters[f.key+"_bytes_held"] = uint64(len(f.held))
		counters[f.key+"_bytes_lost"] = f.lost
	}
}

// close writes out what can be, and closes the files. What the disk does not take
// is lost, and that is logged.
func (o *outputs) close() error {
	var errs []error
	for _, f := range o.files {
		f.flush()
		f.drain()
		if f.lost > 0 {
			f.log.Error("a file is not whole", "what", f.what, "file", f.name, "bytes_lost", f.lost)
		}
		if f.file != nil {
			errs = append(errs, f.file.Close())
		}
	}
	return errors.Join(errs...)
}
