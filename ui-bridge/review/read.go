package review

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// ErrNothing tells that a directory has no episode of the study.
var ErrNothing = errors.New("has no episode that the study card knows")

// Progress is how far reading has come; any goroutine may look.
type Progress struct{ Read, Total atomic.Int64 } // bytes

// StudyFile is a dataset's study card.
const StudyFile = "study.yaml"

// besides are what a dataset holds beside its segments.
var besides = []string{StudyFile, StudyFile + ".minisig", "fleet.json", "truth.jsonl"}

// Read counts the episodes of a dataset: of DIR/segments, or of a directory with
// segments of any number of episodes, or of one file. Files are read in
// parallel. An episode that was delivered twice counts once.
func Read(path string, study *scenes.Study, p *Progress) (*Bag, error) {
	if study.Panel {
		return nil, fmt.Errorf("%s: a panel's study; its traces are personal data of test drivers, and no report is made of them", study.File)
	}
	files, err := segments(path, p)
	if err != nil {
		return nil, err
	}
	b := read(files, newCodes(study), p)
	if i := slices.IndexFunc(b.Damaged, func(err error) bool {
		return errors.Is(err, trace.ErrPanel) || errors.As(err, new(*os.PathError))
	}); i >= 0 {
		return nil, b.Damaged[i]
	}
	if len(b.count) == 0 {
		return nil, fmt.Errorf("%s: %w: %s, version %d: %d files, %d damaged or no segments, %d episodes of another version, %d of other tasks, sequences or cohorts",
			path, ErrNothing, study.ID, study.Version, b.Files, len(b.Damaged), b.left[leftVersion], b.left[leftForeign])
	}
	return b, nil
}

// segments lists the files to read, by name.
func segments(path string, p *Progress) (files []string, err error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		p.Total.Store(info.Size())
		return []string{path}, nil
	}
	top := filepath.Clean(path)
	if info, err := os.Stat(filepath.Join(path, "segments")); err == nil && info.IsDir() {
		top = filepath.Join(path, "segments")
	}
	err = trace.Segments(top, func(file string) error {
		if filepath.Dir(file) == top && slices.Contains(besides, filepath.Base(file)) {
			return nil
		}
		info, err := os.Stat(file)
		if err == nil {
			p.Total.Add(info.Size())
		}
		files = append(files, file)
		return err
	})
	return files, err
}

// item is an episode on its way from a reader to the counter.
type item struct {
	id trace.EpisodeID
	tuple
}

// batchSize is how many items go at once.
const batchSize = 1024

// read counts the episodes of files: readers take files, one counter what is in
// them.
func read(files []string, c *codes, p *Progress) *Bag {
	var wait sync.WaitGroup
	var next atomic.Int64
	full, empty := make(chan []item, 8), make(chan []item, 16)
	readers := make([]*reader, min(runtime.GOMAXPROCS(0), len(files)))
	for i := range readers {
		r := &reader{codes: c, progress: p, buf: bufio.NewReaderSize(nil, 1<<16), full: full, empty: empty, signed: true}
		readers[i] = r
		wait.Go(func() {
			for at := next.Add(1) - 1; at < int64(len(files)); at = next.Add(1) - 1 {
				r.file(files[at])
			}
			full <- r.batch
		})
	}
	go func() { wait.Wait(); close(full) }()
	b := &Bag{Study: c.study, Builds: c.builds, Signed: true, Files: len(files), count: map[tuple]uint32{}}
	b.take(full, empty)
	for _, r := range readers {
		b.Signed = b.Signed && r.signed
		b.Damaged = append(b.Damaged, r.damaged...)
		for j, n := range r.left {
			b.left[j] += n
		}
	}
	slices.SortFunc(b.Damaged, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
	return b
}

// take counts what comes in full batches, and gives these back.
func (b *Bag) take(full <-chan []item, empty chan<- []item) {
	var seen idSet
	for batch := range full {
		for i := range batch {
			if seen.add(batch[i].id) {
				b.count[batch[i].tuple]++
			} else {
				b.left[leftTwice]++
			}
		}
		select {
		case empty <- batch[:0]:
		default:
		}
	}
}

// reader reads some files.
type reader struct {
	*codes
	progress *Progress
	buf      *bufio.Reader
	batch    []item
	full     chan<- []item
	empty    <-chan []item
	signed   bool
	left     [reasons]int
	damaged  []error
}

// file reads a file's episodes, up to damage.
func (r *reader) file(path string) {
	f, err := os.Open(path)
	if err != nil {
		r.damaged = append(r.damaged, err)
		return
	}
	defer f.Close()
	r.buf.Reset(meter{f, r.progress})
	if err := trace.Scan(r.buf, r.episode); err != nil {
		r.damaged = append(r.damaged, fmt.Errorf("%s: %w", path, err))
	}
}

func (r *reader) episode(ep *trace.Episode, signed bool) error {
	r.signed = r.signed && signed
	t, left, ok := r.tuple(ep)
	if !ok {
		r.left[left]++
		return nil
	}
	if r.batch = append(r.batch, item{ep.EID, t}); len(r.batch) < batchSize {
		return nil
	}
	r.full <- r.batch
	select {
	case r.batch = <-r.empty:
	default:
		r.batch = make([]item, 0, batchSize)
	}
	return nil
}

// meter is a file whose reading shows.
type meter struct {
	f *os.File
	p *Progress
}

func (m meter) Read(b []byte) (int, error) {
	n, err := m.f.Read(b)
	m.p.Read.Add(int64(n))
	return n, err
}
