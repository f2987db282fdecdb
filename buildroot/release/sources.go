package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// made are the directories of the root that no release has: the Makefile makes
// them. vendor is made anew of a checkout, and taken over of a tarball.
var made = []string{".git", ".venv", "bin", "build", "dist", "vendor"}

// sources lays out the tree, with vendor/ and VERSION, and packs it.
func (r *release) sources() error {
	files, err := sourceFiles(r.root)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := r.lay(name); err != nil {
			return err
		}
	}
	version := fmt.Sprintf("%s\n%d\n", r.version, r.when.Unix())
	if err := os.WriteFile(filepath.Join(r.tree, "VERSION"), []byte(version), 0o644); err != nil {
		return err
	}
	if err := r.vendor(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil {
		return err
	}
	return pack(filepath.Join(r.dist, "vignette-"+r.version+".tar.gz"), r.tree, r.when)
}

// sourceFiles lists the files of a release: those that git tracks, as they are
// now, and without git all that were not made here.
func sourceFiles(root string) (files []string, err error) {
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		cmd := exec.Command("git", "ls-files", "-z")
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("git ls-files: %w", err)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
	}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains(made, name) {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() && name != "VERSION" {
			files = append(files, name)
		}
		return err
	})
	return files, err
}

// lay puts a file of the sources into the tree.
func (r *release) lay(name string) error {
	from, to := filepath.Join(r.root, name), filepath.Join(r.tree, name)
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode().Type() == fs.ModeSymlink {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	return copyFile(from, to, modeOf(info), r.when)
}

// modeOf is what a release knows of a file's mode.
func modeOf(info fs.FileInfo) fs.FileMode {
	if info.Mode()&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// vendor brings the modules that are needed into the tree.
func (r *release) vendor() error {
	have := filepath.Join(r.root, "vendor")
	if _, err := os.Stat(filepath.Join(r.root, ".git")); errors.Is(err, fs.ErrNotExist) {
		return os.CopyFS(filepath.Join(r.tree, "vendor"), os.DirFS(have))
	}
	return r.command([]string{"GOFLAGS=", "GOTOOLCHAIN=local"}, "go", "mod", "vendor")
}

// copyFile copies a file, with that mode and time.
func copyFile(from, to string, mode fs.FileMode, when time.Time) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeFile(to, data, mode, when)
}

// writeFile writes a file, with that mode and time, and its directories.
func writeFile(to string, data []byte, mode fs.FileMode, when time.Time) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to, data, mode); err != nil {
		return err
	}
	if err := os.Chmod(to, mode); err != nil { // whatever the umask
		return err
	}
	return os.Chtimes(to, when, when)
}

// pack writes the tree as a gzipped tarball below its own name: sorted, of root,
// and with one time for all.
func pack(to, tree string, when time.Time) error {
	var data bytes.Buffer
	zip, err := gzip.NewWriterLevel(&data, gzip.BestCompression)
	if err != nil {
		return err
	}
	out := tar.NewWriter(zip)
	err = filepath.WalkDir(tree, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(tree, file)
		if err != nil {
			return err
		}
		return add(out, file, path.Join(filepath.Base(tree), filepath.ToSlash(below)), when)
	})
	if err := errors.Join(err, out.Close(), zip.Close()); err != nil {
		return err
	}
	return writeFile(to, data.Bytes(), 0o644, when)
}

// add writes one file, directory or link to a tarball.
func add(out *tar.Writer, file, name string, when time.Time) error {
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: int64(modeOf(info)), ModTime: when, Format: tar.FormatPAX, Typeflag: tar.TypeReg}
	switch info.Mode().Type() {
	case 0:
	case fs.ModeDir:
		header.Typeflag, header.Name = tar.TypeDir, name+"/"
	case fs.ModeSymlink:
		header.Typeflag = tar.TypeSymlink
		if header.Linkname, err = os.Readlink(file); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s is no file, directory or link; a release cannot have it", file)
	}
	var data []byte
	if header.Typeflag == tar.TypeReg {
		if data, err = os.ReadFile(file); err != nil {
			return err
		}
		header.Size = int64(len(data))
	}
	if err := out.WriteHeader(header); err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}
