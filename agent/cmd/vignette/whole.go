package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// wholeFile is a file that appears under its name only when it is complete; until
// then the name has what it had.
type wholeFile struct {
	*bufio.Writer
	file *os.File
	name string // empty: a device or a pipe, written as it is
	mode os.FileMode
	ends chan os.Signal
}

// createWhole opens name for writing. A link is followed; a file that is there
// keeps its mode.
func createWhole(name string) (*wholeFile, error) {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // no other way
		if err != nil {
			return nil, fmt.Errorf("cannot write %s: %s; name a file", name, reason(err))
		}
		return &wholeFile{Writer: bufio.NewWriter(f), file: f}, nil
	} else if err == nil {
		mode = info.Mode().Perm()
		if to, err := filepath.EvalSymlinks(name); err == nil {
			name = to
		}
	}
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM) // before there is a file to be left
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		signal.Stop(ends)
		return nil, fmt.Errorf("cannot write %s: %s; name a file in a directory that you may write to", name, reason(err))
	}
	w := &wholeFile{Writer: bufio.NewWriterSize(f, 1<<16), file: f, name: name, mode: mode, ends: ends}
	go w.removeAt()
	return w, nil
}

// removeAt leaves nothing behind where the program is ended.
func (w *wholeFile) removeAt() {
	if s, ok := <-w.ends; ok {
		os.Remove(w.file.Name())
		os.Exit(128 + int(s.(syscall.Signal)))
	}
}

// finish flushes and names the file, or removes it if err tells of a failure.
func (w *wholeFile) finish(err error) error {
	if err == nil {
		err = w.Flush()
	}
	if w.name == "" {
		if e := w.file.Close(); err == nil {
			err = e
		}
		return err
	}
	if err == nil {
		err = w.file.Chmod(w.mode)
	}
	if err == nil {
		err = w.file.Sync()
	}
	if e := w.file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(w.file.Name(), w.name)
	}
	if err != nil {
		os.Remove(w.file.Name())
	}
	signal.Stop(w.ends)
	close(w.ends)
	return err
}

// toFile writes a file so that it is there whole or as it was.
func toFile(name string, write func(io.Writer) error) error {
	f, err := createWhole(name)
	if err != nil {
		return err
	}
	return f.finish(write(f))
}

// writeWhole is toFile of a text that is made.
func writeWhole(name string, data []byte) error {
	return toFile(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// apart refuses a result in the place of a file that is read, or of another
// result. Empty names are none.
func apart(out string, others ...string) error {
	to, toErr := os.Stat(out)
	if toErr == nil && !to.Mode().IsRegular() {
		return nil
	}
	for _, other := range others {
		from, err := os.Stat(other)
		same := toErr == nil && err == nil && os.SameFile(to, from)
		if out != "" && (same || filepath.Clean(out) == filepath.Clean(other)) {
			return fmt.Errorf("%s: would be written over %s, which this command needs; name another file", out, other)
		}
	}
	return nil
}

// overOther refuses a result over a file of another kind: one that does not begin
// as the result does.
func overOther(name, kind, start string) error {
	f, err := os.Open(name)
	if err != nil {
		return nil // nothing is there, or it is told when it is written
	}
	defer f.Close()
	head := make([]byte, len(start))
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	if n, _ := io.ReadFull(f, head); string(head[:n]) != start {
		return fmt.Errorf("%s: is there and is no %s; name another file, or remove it", name, kind)
	}
	return nil
}

// outside refuses a result within a directory that is read: it would be read too,
// now or the next time.
func outside(dir, file string) error {
	if file == "" {
		return nil
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if strings.HasPrefix(to, from+string(filepath.Separator)) {
		return fmt.Errorf("%s: lies within %s, which is read and would change; write it elsewhere", file, dir)
	}
	return nil
}

// reason is an error of the os package without the path it names.
func reason(err error) string {
	if i := strings.LastIndex(err.Error(), ": "); i >= 0 {
		return err.Error()[i+2:]
	}
	return err.Error()
}
