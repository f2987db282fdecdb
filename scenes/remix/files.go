package remix

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// FS is the source as a file system, for scenes.MakePack.
func (s *Source) FS() fs.FS { return files(s.all()) }

// files are files in memory, by name.
type files map[string][]byte

func (f files) Open(name string) (fs.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return file{bytes.NewReader(text)}, nil
}

// file is one of them, opened.
type file struct{ *bytes.Reader }

func (file) Stat() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
func (file) Close() error               { return nil }

// readAll reads a file of at most limit bytes.
func readAll(f fs.File, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("is longer than %d bytes; no pack has room for it", limit)
	}
	return text, err
}
