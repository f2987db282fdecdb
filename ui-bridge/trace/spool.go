package trace

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const segmentSuffix = ".seg"

// spool is the directory of segments, bounded in bytes. Names are random, so
// they carry no time and no counter.
type spool struct {
	dir          string
	segmentBytes int64
	spoolBytes   int64
	files        []spoolFile // oldest first
	cur          *os.File    // the last of files, nil before the first write
	safe         int64       // bytes of cur that are synced
	unsynced     int         // episodes behind them
	buf          []byte
	removed      uint64 // segments removed for the quota
	lost         uint64 // episodes appended that could not be synced
}

type spoolFile struct {
	name string
	size int64
	mod  time.Time
}

// isSegmentName reports whether name is one that this package gives.
func isSegmentName(name string) bool {
	stem, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(stem) != 32 {
		return false
	}
	_, err := hex.DecodeString(stem)
	return err == nil
}

// listSegments returns the segments of a directory, oldest first; a directory
// that does not exist has none.
func listSegments(dir string) ([]spoolFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var files []spoolFile
	for _, e := range entries {
		if !isSegmentName(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files = append(files, spoolFile{name: e.Name(), size: info.Size(), mod: info.ModTime()})
	}
	slices.SortFunc(files, func(a, b spoolFile) int {
		if c := a.mod.Compare(b.mod); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	return files, nil
}

// append writes one episode, which is safe from power loss after the next sync. A
// write that fails is cut off again, so that the episodes before it stay readable.
func (s *spool) append(ep *Episode) error {
	var err error
	if s.buf, err = appendRecord(s.buf[:0], ep); err != nil {
		return err
	}
	if err := s.makeRoom(int64(len(s.buf))); err != nil {
		return err
	}
	f := &s.files[len(s.files)-1]
	if _, err = s.cur.Write(s.buf); err != nil {
		cut := s.cur.Truncate(f.size)
		return fmt.Errorf("write an episode: %w", errors.Join(err, cut, s.close()))
	}
	f.size += int64(len(s.buf))
	s.unsynced++
	return nil
}

// sync makes what was appended safe. What cannot be synced is cut off again and
// counted as lost.
func (s *spool) sync() error {
	if s.unsynced == 0 {
		return nil
	}
	f := &s.files[len(s.files)-1]
	if err := s.cur.Sync(); err != nil {
		s.lost += uint64(s.unsynced)
		f.size, s.unsynced = s.safe, 0
		cut := s.cur.Truncate(s.safe)
		return fmt.Errorf("sync episodes: %w", errors.Join(err, cut, s.close()))
	}
	s.safe, s.unsynced = f.size, 0
	return nil
}

// makeRoom makes cur a segment with room for n bytes, and holds the quota by
// removing the oldest segments.
func (s *spool) makeRoom(n int64) error {
	if s.cur != nil && s.files[len(s.files)-1].size+n > s.segmentBytes {
		if err := s.close(); err != nil {
			return err
		}
	}
	if s.cur == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	for s.total()+n > s.spoolBytes && len(s.files) > 1 {
		if err := os.Remove(filepath.Join(s.dir, s.files[0].name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the oldest segment: %w", err)
		}
		s.files = s.files[1:]
		s.removed++
	}
	return nil
}

func (s *spool) total() int64 {
	sum := int64(0)
	for _, f := range s.files {
		sum += f.size
	}
	return sum
}

// create begins a new segment with its header.
func (s *spool) create() error {
	var id [16]byte
	rand.Read(id[:])
	name := hex.EncodeToString(id[:]) + segmentSuffix
	path := filepath.Join(s.dir, name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("create a segment: %w", err)
	}
	if _, err = f.Write(header); err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("create a segment: %w", errors.Join(err, f.Close(), os.Remove(path)))
	}
	s.cur, s.safe = f, headerBytes
	s.files = append(s.files, spoolFile{name: name, size: headerBytes})
	return nil
}

// close syncs and closes the segment being written; the next episode begins
// another.
func (s *spool) close() error {
	err := s.sync()
	if s.cur == nil {
		return err
	}
	err = errors.Join(err, s.cur.Close())
	s.cur = nil
	return err
}

// wipe removes every segment, those of earlier runs too.
func (s *spool) wipe() error {
	s.unsynced = 0 // it is not to be kept
	err := s.close()
	files, lerr := listSegments(s.dir)
	err = errors.Join(err, lerr)
	for _, f := range files {
		err = errors.Join(err, os.Remove(filepath.Join(s.dir, f.name)))
	}
	s.files = s.files[:0]
	clear(s.buf[:cap(s.buf)])
	if len(files) > 0 {
		err = errors.Join(err, syncDir(s.dir))
	}
	return err
}

// syncDir makes a directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
