package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// Scan reads one segment of any length and calls yield with each episode, which
// is valid until yield returns. signed tells that the segment is of a study that
// was signed; it is known from the first call on. Errors are those of Read and
// of yield. Large segments want a buffered reader.
func Scan(r io.Reader, yield func(ep *Episode, signed bool) error) error {
	var one Episode
	return readInto(r, (*Episode).wrong, func() *Episode { return &one }, func(rec *segmentRecord) error {
		if rec.driver != nil {
			return ErrPanel
		}
		return yield(rec.ep, rec.header == signedText)
	})
}

// SegmentWriter writes a segment of any number of episodes. The car writes one
// a segment; desks gather many.
type SegmentWriter struct {
	w     *bufio.Writer
	bytes int64
	buf   []byte
	err   error
}

// NewSegmentWriter begins a segment; signed says that its study was signed.
func NewSegmentWriter(w io.Writer, signed bool) *SegmentWriter {
	s := &SegmentWriter{w: bufio.NewWriterSize(w, 1<<18)}
	text := unsignedText
	if signed {
		text = signedText
	}
	s.write(headerOf(text))
	return s
}

func (s *SegmentWriter) write(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
		s.bytes += int64(len(b))
	}
}

// Write appends an episode.
func (s *SegmentWriter) Write(ep *Episode) error {
	b, err := appendRecord(s.buf[:0], ep)
	if err != nil {
		return err
	}
	s.buf = b
	s.write(b)
	return s.err
}

// Close pads the segment to its size class and flushes it.
func (s *SegmentWriter) Close() error {
	s.write(make([]byte, (sizeClass-s.bytes%sizeClass)%sizeClass))
	return errors.Join(s.err, s.w.Flush())
}

// WriteSegment writes a segment of some episodes.
func WriteSegment(w io.Writer, signed bool, eps []Episode) error {
	s := NewSegmentWriter(w, signed)
	for i := range eps {
		if err := s.Write(&eps[i]); err != nil {
			return err
		}
	}
	return s.Close()
}

// Gathered is what became of a directory's segments.
type Gathered struct {
	Episodes, Files int
	Twice           int     // episodes whose id was there before: delivered again, kept once
	Bad             []error // files that are damaged or no segments; what came before the damage is kept
}

// ErrMixed tells that some segments are of a signed study and others are not.
var ErrMixed = errors.New("some segments are of a signed study and some of an unsigned one; gather them apart")

// ErrNothing tells that there is no episode to gather.
var ErrNothing = errors.New("no episodes there: nothing to gather")

// Gather writes the episodes of all segments in directories into one segment, in
// an order drawn by chance: what was one file an episode still tells nothing by
// its place. The episodes are in memory meanwhile, about 100 bytes each.
func Gather(dirs []string, to io.Writer) (g Gathered, err error) {
	var all pool
	for _, dir := range dirs {
		err = errors.Join(err, Segments(dir, func(path string) error {
			return g.take(path, &all)
		}))
	}
	if err != nil {
		return g, err
	}
	if g.Episodes == 0 {
		return g, fmt.Errorf("%s: %w, in %d files%s", strings.Join(dirs, ", "), ErrNothing, g.Files, damageOf(g.Bad))
	}
	rand.Shuffle(len(all.ends), func(i, j int) { all.order[i], all.order[j] = all.order[j], all.order[i] })
	w := NewSegmentWriter(to, all.signed)
	for _, i := range all.order {
		w.write(all.record(i))
	}
	return g, w.Close()
}

// damageOf says what is wrong with files of which nothing could be read.
func damageOf(bad []error) string {
	if len(bad) == 0 {
		return ""
	}
	return "; " + Few(bad).Error()
}

// pool is the framed bytes of many episodes.
type pool struct {
	bytes  []byte
	ends   []int
	order  []int
	seen   map[EpisodeID]struct{}
	signed bool
}

func (p *pool) record(i int) []byte {
	if i == 0 {
		return p.bytes[:p.ends[0]]
	}
	return p.bytes[p.ends[i-1]:p.ends[i]]
}

// take adds the episodes of a file.
func (g *Gathered) take(path string, all *pool) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	g.Files++
	err = Scan(bytes.NewReader(b), func(ep *Episode, signed bool) error { return g.add(ep, signed, all) })
	if errors.Is(err, ErrMixed) {
		return fmt.Errorf("%s: %w", path, err)
	} else if err != nil {
		g.Bad = append(g.Bad, fmt.Errorf("%s: %w", path, err))
	}
	return nil
}

func (g *Gathered) add(ep *Episode, signed bool, all *pool) (err error) {
	if all.seen == nil {
		all.seen, all.signed = map[EpisodeID]struct{}{}, signed
	}
	if signed != all.signed {
		return ErrMixed
	}
	if _, twice := all.seen[ep.EID]; twice {
		g.Twice++
		return nil
	}
	all.seen[ep.EID] = struct{}{}
	if all.bytes, err = appendRecord(all.bytes, ep); err != nil {
		return err
	}
	all.order = append(all.order, len(all.ends))
	all.ends = append(all.ends, len(all.bytes))
	g.Episodes++
	return nil
}
