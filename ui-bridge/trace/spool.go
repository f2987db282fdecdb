package trace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const segmentSuffix = ".seg"

// maxDelay is the longest that a segment waits after its week.
const maxDelay = 72 * time.Hour

// spool keeps the segments of one study that have not left yet, at most one a
// task and week: the one with the highest key, which is random, so that each
// attempt of the week is kept with the same chance. What is not for release is
// in a segment's name, USER-KEY-DUE.seg, so that leaving is one rename. Times of
// modification are all the same.
//
// That of a panel keeps every attempt, up to a bound.
type spool struct {
	dir    string
	panel  bool
	every  bool // attempt of a week is kept, not one: a panel's, or weakened
	odd    bool // weakened: readers do not take its segments
	list   []entry
	doomed []string // files that the disk did not let us remove
	closed uint16   // the newest week of which anything has left: nothing is added to it
}

// maxPanel bounds how many segments of a panel wait.
const maxPanel = 4096

// The directories of what waits, of studies and of panels.
var spoolTops = []string{"spool", "panel"}

// newSpool is the spool of a study.
func newSpool(dir, study string, panel bool) *spool {
	if panel {
		return &spool{dir: filepath.Join(dir, spoolTops[1], study), panel: true, every: true}
	}
	return &spool{dir: filepath.Join(dir, spoolTops[0], study)}
}

// entry is one segment that waits.
type entry struct {
	user uint64
	key  uint64
	due  int64 // s since 1970: when it may leave
	ep   Episode
	time time.Time // of modification; zero, as always in a car: none that tells anything
}

func (e *entry) name() string {
	return fmt.Sprintf("%d-%016x-%d%s", e.user, e.key, e.due, segmentSuffix)
}

// parseEntry reads a name that this package gives.
func parseEntry(name string) (e entry, ok bool) {
	f := strings.Split(strings.TrimSuffix(name, segmentSuffix), "-")
	if len(f) != 3 {
		return e, false
	}
	e.user, _ = strconv.ParseUint(f[0], 10, 64) // what is no number does not come out as written
	e.key, _ = strconv.ParseUint(f[1], 16, 64)
	e.due, _ = strconv.ParseInt(f[2], 10, 64)
	return e, e.name() == name
}

// open reads what waits; a directory that does not exist has nothing. Segments
// that cannot be read and what a power loss left half done are removed; what is no
// file stays. All of it is tried.
func (s *spool) open() (torn int, err error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	errs := []error{err}
	newer := false
	for _, f := range entries {
		if f.Name() == closedFile {
			continue
		}
		e, ok := parseEntry(f.Name())
		if ok && isNewer(filepath.Join(s.dir, f.Name()), headers...) {
			s.list, newer = append(s.list, e), true // for its driver to have it removed
			continue
		}
		if ok && !f.IsDir() {
			e.ep, err = readOne(filepath.Join(s.dir, f.Name()))
		}
		switch {
		case f.IsDir():
			torn++
		case ok && err == nil:
			s.list = append(s.list, e)
		case ok && failed(err):
			errs = append(errs, err)
		default:
			torn++
			errs = append(errs, s.discard(f.Name()))
		}
	}
	if newer {
		return torn, errors.Join(errs...)
	}
	s.closed, err = readClosed(s.dir)
	return torn, errors.Join(errors.Join(errs...), err, s.onePerSlot())
}

// failed reports whether an error is the disk's, and not that of what was read.
func failed(err error) bool {
	var disk *fs.PathError
	return errors.As(err, &disk) && !errors.Is(err, fs.ErrNotExist)
}

// readOne reads a segment of one episode.
func readOne(path string) (Episode, error) {
	f, err := os.Open(path)
	if err != nil {
		return Episode{}, err
	}
	defer f.Close()
	var list []Episode
	err = read(f, func(rec *segmentRecord) error {
		list = append(list, *rec.ep)
		return nil
	})
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("%d episodes, not one", len(list))
	}
	if err != nil {
		return Episode{}, err
	}
	return list[0], nil
}

// onePerSlot removes the lesser of two segments of a task and week, which a
// power loss can leave.
func (s *spool) onePerSlot() error {
	if s.every {
		return nil
	}
	for i := 0; i < len(s.list); i++ {
		for j := i + 1; j < len(s.list); j++ {
			a, b := &s.list[i], &s.list[j]
			if a.ep.Task != b.ep.Task || a.ep.Week != b.ep.Week {
				continue
			}
			if a.key < b.key {
				*a, *b = *b, *a
			}
			if err := s.removeAt(j); err != nil {
				return err
			}
			j--
		}
	}
	return nil
}

// slot is the index of the segment of a task and week, -1 for none.
func (s *spool) slot(task, week uint16) int {
	if s.every {
		return -1
	}
	for i := range s.list {
		if s.list[i].ep.Task == task && s.list[i].ep.Week == week {
			return i
		}
	}
	return -1
}

// add writes a segment and then removes the one of its task and week that it
// replaces. The entry takes the episode over.
func (s *spool) add(e entry, segment []byte) error {
	if err := makeDir(filepath.Dir(s.dir)); err != nil {
		return err
	}
	if err := makeDir(s.dir); err != nil {
		return err
	}
	old := s.slot(e.ep.Task, e.ep.Week)
	path := filepath.Join(s.dir, e.name())
	err := writeSynced(path+newSuffix, segment)
	if err == nil {
		err = setTime(path+newSuffix, e.time)
	}
	if err == nil {
		err = os.Rename(path+newSuffix, path)
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		if gone := os.Remove(path + newSuffix); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return err
	}
	s.list = append(s.list, e)
	if old >= 0 {
		_ = s.removeAt(old) // told when it is swept
	}
	return nil
}

// setTime gives a file a time of modification; the zero time becomes 1970, which
// says nothing.
func setTime(path string, at time.Time) error {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return os.Chtimes(path, at, at)
}

// removeAt removes a segment. If the disk does not let it, the segment is doomed:
// it counts as removed, and sweep tries again.
func (s *spool) removeAt(i int) error {
	name := s.list[i].name()
	s.list = slices.Delete(s.list, i, i+1)
	return s.discard(name)
}

// discard removes a file for good, or dooms it.
func (s *spool) discard(name string) error {
	err := os.Remove(filepath.Join(s.dir, name))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = syncDir(s.dir)
	}
	if err != nil {
		s.doomed = append(s.doomed, name)
	}
	return err
}

// sweep tries again to remove what is doomed.
func (s *spool) sweep() error {
	var errs []error
	names := s.doomed
	s.doomed = nil
	for _, name := range names {
		errs = append(errs, s.discard(name))
	}
	return errors.Join(errs...)
}

// remove removes what a condition holds for. All of it is tried.
func (s *spool) remove(which func(*entry) bool) error {
	var errs []error
	for i := len(s.list) - 1; i >= 0; i-- {
		if which(&s.list[i]) {
			errs = append(errs, s.removeAt(i))
		}
	}
	return errors.Join(errs...)
}

// release moves one segment that is due into the outbox, and before that closes
// its week. One that was damaged while it waited, or is gone, does not leave. It
// returns false when none is due.
func (s *spool) release(now time.Time, box *outbox, n *Counters) (due bool, err error) {
	i := slices.IndexFunc(s.list, func(e entry) bool { return e.due <= now.Unix() })
	if i < 0 {
		return false, nil
	}
	e := &s.list[i]
	path := filepath.Join(s.dir, e.name())
	if ep, err := readOne(path); s.odd {
		// what it would be refused for is what it lacks
	} else if failed(err) {
		return true, err
	} else if err != nil || ep.EID != e.ep.EID {
		n.Torn++
		return true, s.removeAt(i)
	}
	if e.ep.Week > s.closed && !s.every {
		if err := writeClosed(s.dir, e.ep.Week); err != nil {
			return true, err
		}
		s.closed = e.ep.Week
	}
	if err := box.take(path); err != nil {
		return true, err
	}
	n.Released++
	s.list = slices.Delete(s.list, i, i+1)
	return true, syncDir(s.dir)
}

// closedFile holds the newest week of which anything has left.
const (
	closedFile = "closed"
	closedHead = "vignette-closed 1\n"
)

func closedText(week uint16) []byte { return fmt.Appendf(nil, "%s%d\n", closedHead, week) }

func writeClosed(dir string, week uint16) error {
	return replace(filepath.Join(dir, closedFile), closedText(week))
}

// readClosed reads the closed week. Where it cannot be told, all weeks are
// closed: nothing more of the study leaves this car.
func readClosed(dir string) (uint16, error) {
	text, err := os.ReadFile(filepath.Join(dir, closedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return math.MaxUint16, err
	}
	line := strings.TrimSuffix(strings.TrimPrefix(string(text), closedHead), "\n")
	week, err := strconv.ParseUint(line, 10, 16)
	if err != nil || string(closedText(uint16(week))) != string(text) {
		return math.MaxUint16, nil
	}
	return uint16(week), nil
}

// outbox is the directory from which the car's uploader takes segments, bounded
// in their number. Names are random and times all the same.
type outbox struct {
	dir     string
	most    int
	random  func() uint64
	removed uint64 // for the bound
}

// isSegmentName reports whether name is one that the outbox gives.
func isSegmentName(name string) bool {
	stem, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(stem) != 32 {
		return false
	}
	_, err := hex.DecodeString(stem)
	return err == nil
}

// take moves a file in. If the outbox is full, one of it is removed by random.
func (b *outbox) take(path string) error {
	if err := makeDir(b.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !isSegmentName(e.Name()) })
	for len(entries) >= b.most {
		i := int(b.random() % uint64(len(entries)))
		if err := os.Remove(filepath.Join(b.dir, entries[i].Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		entries = slices.Delete(entries, i, i+1)
		b.removed++
	}
	to := filepath.Join(b.dir, fmt.Sprintf("%016x%016x%s", b.random(), b.random(), segmentSuffix))
	if err := os.Rename(path, to); err != nil {
		return err
	}
	return syncDir(b.dir)
}
