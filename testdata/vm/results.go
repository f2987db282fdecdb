package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// results are the files that a guest brought back. They are also in its
// directory on this machine.
type results struct {
	dir   string
	files map[string][]byte // by name below the guest's /out
}

// readResults reads the tar on the guest's disk, checks it against the sums
// that the guest made, and keeps a copy below dir.
func readResults(disk, dir string) (*results, error) {
	f, err := os.Open(disk)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &results{dir, map[string][]byte{}}
	in := tar.NewReader(f)
	for {
		h, err := in.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", disk, err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if r.files[clean(h.Name)], err = io.ReadAll(in); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", disk, h.Name, err)
		}
	}
	if err := r.checkSums(); err != nil {
		return nil, fmt.Errorf("%s: %w", disk, err)
	}
	return r, r.keep()
}

// checkSums holds every file against SHA256SUMS.
func (r *results) checkSums() error {
	listed := 0
	for line := range strings.Lines(r.text("SHA256SUMS")) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		data, ok := r.files[clean(name)]
		if sum := sha256.Sum256(data); !ok || hex.EncodeToString(sum[:]) != want {
			return fmt.Errorf("%s is not as the guest wrote it", name)
		}
		listed++
	}
	if listed == 0 || listed != len(r.files)-1 {
		return fmt.Errorf("%d files, of which SHA256SUMS lists %d", len(r.files), listed)
	}
	return nil
}

// keep writes the files below dir.
func (r *results) keep() error {
	if err := os.RemoveAll(r.dir); err != nil {
		return err
	}
	for name, data := range r.files {
		file := r.path(name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (r *results) path(name string) string { return filepath.Join(r.dir, name) }

// text is a file without the space around it, empty if it is missing.
func (r *results) text(name string) string { return strings.TrimSpace(string(r.files[name])) }
