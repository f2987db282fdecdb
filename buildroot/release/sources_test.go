package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestPackIsTheSame: what a tarball is made of does not show where, when and by
// whom it was laid out.
func TestPackIsTheSame(t *testing.T) {
	when := time.Unix(1700000000, 0)
	var packed [][]byte
	for i, names := range [][]string{{"a/x", "b", "c.sh"}, {"c.sh", "b", "a/x"}} {
		tree := filepath.Join(t.TempDir(), "tree-1")
		for _, name := range names {
			write(t, filepath.Join(tree, name), "of "+name)
		}
		if err := errors.Join(os.Symlink("b", filepath.Join(tree, "link")), os.Chmod(filepath.Join(tree, "c.sh"), []os.FileMode{0o755, 0o700}[i]),
			os.Chmod(filepath.Join(tree, "b"), []os.FileMode{0o644, 0o600}[i]), os.Chtimes(filepath.Join(tree, "b"), when, when.Add(time.Duration(i)*time.Hour))); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), "tree.tar.gz")
		if err := pack(to, tree, when); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		packed = append(packed, data)
	}
	if !bytes.Equal(packed[0], packed[1]) {
		t.Error("two tarballs of the same files differ")
	}
	want := []string{"tree-1/ 755", "tree-1/a/ 755", "tree-1/a/x 644", "tree-1/b 644", "tree-1/c.sh 755", "tree-1/link 755"}
	if got := listed(t, packed[0], when); !slices.Equal(got, want) {
		t.Errorf("the tarball has %q, want %q", got, want)
	}
}

// listed reads a tarball's names and modes; all is root's and of one time.
func listed(t *testing.T, data []byte, when time.Time) (list []string) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(zip); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || !h.ModTime.Equal(when) {
			t.Errorf("%s is of %d:%d %q at %v", h.Name, h.Uid, h.Gid, h.Uname, h.ModTime)
		}
		list = append(list, fmt.Sprintf("%s %o", h.Name, h.Mode))
	}
}

func TestSourceFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "agent/run.go", "agent/bin/x", "bin/x", "vendor/y", "dist/z", "VERSION", ".gitignore"} {
		write(t, filepath.Join(dir, name), "")
	}
	want := []string{".gitignore", "agent/bin/x", "agent/run.go", "go.mod"}
	if got, err := sourceFiles(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("without git: %q, %v; want %q", got, err, want)
	}
	git(t, dir, "init", "-q")
	git(t, dir, "add", "go.mod", "agent/run.go")
	want = []string{"agent/run.go", "go.mod"}
	if got, err := sourceFiles(dir); err != nil || !slices.Equal(got, want) {
		t.Errorf("with git: %q, %v; want %q", got, err, want)
	}
}
