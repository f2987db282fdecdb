package agent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// stateFiles keep the state in a directory, safe against kill -9 and against
// power loss at any byte. Records are appended to one of two files; a full file
// that is on the disk gives way to the other, which is emptied and written, and
// must be on the disk too before the full one is touched again. The newest whole
// record counts: a torn one at the end of a file was never answered for.
//
//	record  length of the rest (4) · CRC-32C of the rest (4) · number (8) · saved state
type stateFiles struct {
	log      uibridge.Logger
	dir      string
	boot     string // the kernel's boot id
	timeBase string
	limit    int64 // bytes of a file
	most     int64 // bytes of a file while it is not synced

	recalled []string // files that were set aside and are in what openState returned

	last    []byte // the newest record's state, its time left out
	plain   []byte
	buf     []byte
	number  uint64 // of the newest record
	failing bool
	fsync   func(*os.File) error

	mu      sync.Mutex // guards what follows
	file    *os.File
	size    int64
	next    int  // 0 or 1: the file that the next turn writes
	synced  bool // the file being written was synced since it was begun
	records uint64
	bytes   uint64
	syncs   atomic.Uint64
	dirty   chan struct{}
	closing chan struct{}
	done    chan struct{}
}

// stateNames are the names of the two files.
var stateNames = [2]string{"state.0", "state.1"}

const (
	stateLimit   = 64 << 10
	mostState    = 1 << 20
	syncAfter    = 500 * time.Millisecond // a write is synced after this, in any case within 1 s
	maxRecord    = 16 << 20
	recordHead   = 16
	fromFuture   = ".from-the-future"
	damagedState = ".damaged"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openState opens the state of a directory, and makes the directory if it is
// not there. It returns the newest saved state; nil: there is none. States of
// newer versions and damaged ones are set aside, and that is logged.
func openState(dir, bootID, timeBase string, log uibridge.Logger) (*stateFiles, *drive.Saved, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	s := &stateFiles{log: log, dir: dir, boot: bootID, timeBase: timeBase, limit: stateLimit, most: mostState, fsync: (*os.File).Sync,
		dirty: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	saved, newest, err := s.read()
	if err != nil {
		return nil, nil, err
	}
	saved = s.recall(saved)
	s.next = 1 - newest
	go s.sync()
	return s, saved, nil
}

// read finds the newest whole record of both files, and which file has it.
func (s *stateFiles) read() (saved *drive.Saved, newest int, err error) {
	var best []byte
	for i, name := range stateNames {
		path := filepath.Join(s.dir, name)
		b, err := readState(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil { // of a bad block, or of what is no file of ours
			s.log.Error("a state file cannot be read", "file", path, "error", err)
			if err := s.putAside(path, damagedState); err != nil {
				return nil, 0, err
			}
			continue
		}
		state, number, rest := lastRecord(b)
		switch {
		case state == nil && len(b) > 0:
			s.log.Warn("a state file was not written to the end of its first record", "file", path, "bytes", len(b))
		case rest > 0:
			s.log.Info("the end of a state file is torn; the record before it counts", "file", path, "bytes", rest)
		}
		if state != nil && (best == nil || number > s.number) {
			best, s.number, newest = state, number, i
		}
	}
	if best == nil {
		return nil, 0, s.setAsideUnread()
	}
	saved, err = drive.ParseSaved(best)
	switch {
	case errors.Is(err, drive.ErrFuture):
		return nil, 0, s.setAside(fromFuture, err)
	case err != nil:
		return nil, 0, s.setAside(damagedState, err)
	}
	return saved, newest, nil
}

// readState reads a state file. What is no regular file cannot be written either.
func readState(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return nil, err
	}
	return scenes.ReadFile(path)
}

// recall finds a state that was set aside as of a newer version, which this one
// knows by now: it is gone on from, with what was saved since the system was rolled
// back as the newer word.
func (s *stateFiles) recall(saved *drive.Saved) *drive.Saved {
	var best []byte
	var newest uint64
	var files []string
	for _, name := range stateNames {
		file := filepath.Join(s.dir, name+fromFuture)
		b, err := scenes.ReadFile(file)
		if err != nil {
			continue
		}
		files = append(files, file)
		if state, number, _ := lastRecord(b); state != nil && (best == nil || number > newest) {
			best, newest = state, number
		}
	}
	before, err := drive.ParseSaved(best)
	if err != nil {
		return saved
	}
	s.recalled = files
	s.log.Info("a state that was set aside is found again", "files", strings.Join(files, ", "))
	if saved == nil {
		return before
	}
	saved.Kept.Recall(&before.Kept)
	return saved
}

// forget removes what was recalled, once it is on the disk in its place.
func (s *stateFiles) forget() {
	if s.recalled == nil {
		return
	}
	err := s.syncCurrent()
	if s.failing {
		err = errors.New("it could not be written")
	}
	for _, file := range s.recalled {
		if err == nil {
			err = os.Remove(file)
		}
	}
	if err != nil {
		s.log.Error("a state that was found again is found once more at the next start", "error", err)
	}
	s.recalled = nil
}

// setAsideUnread sets files aside that have bytes and no record.
func (s *stateFiles) setAsideUnread() error {
	for _, name := range stateNames {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err == nil && info.Size() > 0 {
			return s.setAside(damagedState, errors.New("no record in it is whole"))
		}
	}
	return nil
}

// setAside renames the files, over any that were set aside before: the session
// starts from nothing.
func (s *stateFiles) setAside(suffix string, why error) error {
	s.number = 0
	var errs []error
	for _, name := range stateNames {
		path := filepath.Join(s.dir, name)
		if err := s.putAside(path, suffix); err == nil {
			s.log.Error("the saved state is set aside; the session starts from nothing", "file", path+suffix, "why", why)
		} else if !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// putAside renames a file, over one that was set aside before.
func (s *stateFiles) putAside(path, suffix string) error {
	if _, err := os.Lstat(path); err != nil {
		return err
	}
	if err := os.RemoveAll(path + suffix); err != nil {
		return err
	}
	return os.Rename(path, path+suffix)
}

// lastRecord returns the last whole record's state and number, and how many
// bytes are left behind it.
func lastRecord(b []byte) (state []byte, number uint64, rest int) {
	for len(b) >= recordHead {
		n := int64(binary.LittleEndian.Uint32(b))
		if n < 8 || n > maxRecord || n > int64(len(b)-8) {
			break
		}
		body := b[8 : 8+n]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
			break
		}
		state, number = body[8:], binary.LittleEndian.Uint64(body)
		b = b[8+n:]
	}
	return state, number, len(b)
}

// save keeps the state, once the session has had an event: until then what it
// goes on from stands, in its own time.
func (s *stateFiles) save(p *engine.Program, state *engine.State) {
	if !state.Pending() {
		s.keep(&drive.Saved{Engine: engine.Version, BootID: s.boot, TimeBase: s.timeBase, Kept: *p.Keep(state)})
	}
}

// keep writes a state if it differs from the one kept last. A state that
// cannot be written is logged, once until it can be again: calls go on, and
// {lease_ms} ends at the service what a kill would forget.
func (s *stateFiles) keep(saved *drive.Saved) {
	now := saved.Kept.Now
	saved.Kept.Now = 0
	s.plain = drive.AppendSaved(s.plain[:0], saved)
	if bytes.Equal(s.plain, s.last) {
		return
	}
	s.last, s.plain = s.plain, s.last
	saved.Kept.Now = now
	s.buf = s.record(s.buf[:0], saved)
	err := s.write(s.buf)
	if err != nil {
		s.last = s.last[:0]
		if !s.failing {
			s.log.Error("the state cannot be written", "dir", s.dir, "error", err)
		}
	}
	s.failing = err != nil
}

// record appends the record of the next number.
func (s *stateFiles) record(b []byte, saved *drive.Saved) []byte {
	s.number++
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint64(b, s.number)
	return seal(drive.AppendSaved(b, saved))
}

// seal gives a record its length and checksum.
func seal(b []byte) []byte {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

// write appends a record, or turns to the other file with it.
func (s *stateFiles) write(record []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records++
	s.bytes += uint64(len(record))
	if s.full(int64(len(record))) {
		return s.turn(record)
	}
	if _, err := s.file.Write(record); err != nil {
		// What is torn would hide what comes after it.
		if terr := s.cut(); terr != nil {
			s.file = nil
		}
		return err
	}
	s.size += int64(len(record))
	s.wakeSync()
	return nil
}

// full reports whether the file gives way to the other one. It is synced by then,
// so that no call waits for the disk, unless it was filled far too fast.
func (s *stateFiles) full(more int64) bool {
	size := s.size + more
	return s.file == nil || size > s.limit && (s.synced || size > s.most)
}

// wakeSync has what was written synced soon.
func (s *stateFiles) wakeSync() {
	select {
	case s.dirty <- struct{}{}:
	default: // a sync is to come already
	}
}

func (s *stateFiles) cut() error {
	if err := s.file.Truncate(s.size); err != nil {
		return err
	}
	_, err := s.file.Seek(s.size, io.SeekStart)
	return err
}

// turn empties the file whose turn it is and writes a record to it, off the disk:
// a call waits for it. Power loss may leave only the other one, which is synced
// here if it has not been since it was begun: it is of an earlier process, or was
// filled at once.
func (s *stateFiles) turn(record []byte) error {
	if !s.synced {
		if err := s.syncFile(stateNames[1-s.next]); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(filepath.Join(s.dir, stateNames[s.next]), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(record); err != nil {
		return errors.Join(err, f.Close())
	}
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.size, s.next, s.synced = f, int64(len(record)), 1-s.next, false
	s.wakeSync()
	return nil
}

// syncFile syncs a file by its name.
func (s *stateFiles) syncFile(name string) error {
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	s.syncs.Add(1)
	return errors.Join(s.fsync(f), f.Close())
}

// syncDir makes the names in a directory safe against power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// flush brings what was written to the disk now. Any goroutine may call it. A file
// that gave way meanwhile did so to one with a newer record, which is synced then.
func (s *stateFiles) flush() error {
	for {
		if err := s.syncCurrent(); !errors.Is(err, os.ErrClosed) {
			return err
		}
	}
}

// sync brings what was written to the disk, within 1 s and at most twice a
// second, off the loop that decides.
func (s *stateFiles) sync() {
	defer close(s.done)
	for {
		select {
		case <-s.dirty:
		case <-s.closing:
			return
		}
		select {
		case <-time.After(syncAfter):
		case <-s.closing:
			return
		}
		s.tellSync()
	}
}

// tellSync syncs, and logs an error. A file that was closed meanwhile has given
// way to one whose sync is to come.
func (s *stateFiles) tellSync() {
	if err := s.syncCurrent(); err != nil && !errors.Is(err, os.ErrClosed) {
		s.log.Error("the state cannot be synced", "dir", s.dir, "error", err)
	}
}

// syncCurrent syncs the file being written, and its name if it is new.
func (s *stateFiles) syncCurrent() error {
	s.mu.Lock()
	f, fresh := s.file, !s.synced
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	s.syncs.Add(1)
	err := s.fsync(f)
	if err == nil && fresh {
		s.syncs.Add(1)
		err = syncDir(s.dir)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = s.synced || s.file == f
	return nil
}

// count adds what the disk was asked for to the agent's counters.
func (s *stateFiles) count(counters map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counters["state_records"], counters["state_bytes"], counters["state_syncs"] = s.records, s.bytes, s.syncs.Load()
}

// close syncs and closes the files.
func (s *stateFiles) close() error {
	close(s.closing)
	<-s.done
	if s.file == nil {
		return nil
	}
	return errors.Join(s.syncCurrent(), s.file.Close())
}

// start opens the configured state and gives what the session starts from: the
// state that the one before has left, if there is one. It numbers the session.
func (a *agent) start(timeBase string) (*engine.State, error) {
	if a.judged {
		a.session = 1
	}
	if a.config.State == "" {
		return a.prog.Engine.NewState(a.session, a.judged), nil
	}
	boot, err := kernelBootID()
	if err != nil {
		return nil, err
	}
	var saved *drive.Saved
	if a.state, saved, err = openState(a.config.State, boot, timeBase, a.log); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if saved == nil {
		state := a.prog.Engine.NewState(a.session, a.judged)
		a.save(&a.prog.Engine, state)
		a.state.tellSync()
		return state, nil
	}
	same := saved.BootID == boot && saved.TimeBase == drive.BootTime && timeBase == drive.BootTime
	a.session = saved.Kept.Session + 1
	state := a.prog.Engine.Boot(&saved.Kept, a.session, a.judged, same)
	saved.Kept.Session = a.session // no two sessions have one number; all else is as it was until the first event
	a.state.keep(saved)
	a.state.tellSync()
	a.state.forget()
	a.log.Info("going on from the saved state", "session", a.session, "same_boot", same)
	return state, nil
}

// save keeps the state of a program, if it is to be kept.
func (a *agent) save(p *engine.Program, state *engine.State) {
	if a.state != nil {
		a.state.save(p, state)
	}
}

// settle brings to the disk what has been decided until now, which then outlasts
// the power. Any goroutine but the loop's may call it.
func (a *agent) settle() error {
	if a.state == nil {
		return nil
	}
	err := a.do(func() error {
		if a.save(&a.prog.Engine, a.pump.State()); a.state.failing {
			return errors.New("the state cannot be written")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.state.flush()
}

// kernelBootID names this boot of the kernel.
func kernelBootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("the kernel's boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
