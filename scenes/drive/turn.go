package drive

import "io"

// turning is a file that goes on in a new one when it is full or told to.
type turning struct {
	w     io.Writer
	size  int64                     // bytes written to w
	limit int64                     // bytes from which on the file is full; 0: it never is
	next  func() (io.Writer, error) // closes w and opens the new file
	told  bool
}

func (f *turning) write(b []byte) error {
	n, err := f.w.Write(b)
	f.size += int64(n)
	return err
}

// due reports whether the next entry belongs into a new file.
func (f *turning) due() bool { return f.told || f.limit > 0 && f.size >= f.limit }

// turn opens the new file, which begins with a header.
func (f *turning) turn(header []byte) error {
	w, err := f.next()
	if err != nil {
		return err
	}
	f.w, f.size, f.told = w, 0, false
	return f.write(header)
}

// Limit bounds the log's files: once one has this many bytes the log goes on in
// the one that next opens, which begins with the header too. next closes the
// file before.
func (l *DecisionLog) Limit(bytes int64, next func() (io.Writer, error)) {
	l.file.limit, l.file.next = bytes, next
}

// Turn has the log go on in a new file with the next record; Limit must have
// told how.
func (l *DecisionLog) Turn() { l.file.told = true }

// Limit bounds the journal's files: once one has this many bytes the journal
// goes on in the one that next opens, which begins with the pump's state, so
// that it replays without the one before. next closes the file before.
func (j *Journal) Limit(bytes int64, next func() (io.Writer, error)) {
	j.file.limit, j.file.next = bytes, next
}

// Turn has the journal go on in a new file with the next entry; Limit must have
// told how.
func (j *Journal) Turn() { j.file.told = true }
