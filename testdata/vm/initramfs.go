package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// archive writes an initramfs: a cpio archive of the newc kind, as the
// kernel's Documentation/driver-api/early-userspace/buffer-format.rst says. It
// keeps the first error.
type archive struct {
	w     io.Writer
	inode int
	size  int
	have  map[string]bool
	err   error
}

func newArchive(w io.Writer) *archive {
	return &archive{w: w, have: map[string]bool{".": true}}
}

// The types of cpio's mode, those of stat(2).
const (
	typeDirectory = 0o040000
	typeCharacter = 0o020000
	typeFile      = 0o100000
	typeLink      = 0o120000
)

// directory adds a directory and those above it.
func (a *archive) directory(name string) {
	name = clean(name)
	if !a.have[name] {
		a.entry(name, typeDirectory|0o755, nil, 0, 0)
	}
}

// file adds a file, once; its directories come with it.
func (a *archive) file(name string, mode fs.FileMode, data []byte) {
	a.entry(clean(name), typeFile|uint32(mode.Perm()), data, 0, 0)
}

// symlink adds a symbolic link.
func (a *archive) symlink(name, target string) {
	a.entry(clean(name), typeLink|0o777, []byte(target), 0, 0)
}

// device adds a character device.
func (a *archive) device(name string, major, minor int) {
	a.entry(clean(name), typeCharacter|0o600, nil, major, minor)
}

// close ends the archive.
func (a *archive) close() error {
	a.put("TRAILER!!!", 0, nil, 0, 0)
	return a.err
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (a *archive) entry(name string, mode uint32, data []byte, major, minor int) {
	if a.have[name] {
		if a.err == nil {
			a.err = fmt.Errorf("initramfs: %s is added twice", name)
		}
		return
	}
	if dir := path.Dir(name); dir != "." {
		a.directory(dir)
	}
	a.have[name] = true
	a.put(name, mode, data, major, minor)
}

// put writes a header, the name and the data, the latter two padded to four bytes.
func (a *archive) put(name string, mode uint32, data []byte, major, minor int) {
	a.inode++
	a.write(fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
		a.inode, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name)+1, 0, name))
	a.write(make([]byte, -a.size&3))
	a.write(data)
	a.write(make([]byte, -a.size&3))
}

func (a *archive) write(b []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(b)
	}
	a.size += len(b)
}

// copyFile adds a file of this machine.
func (a *archive) copyFile(name, from string, mode fs.FileMode) {
	data, err := os.ReadFile(from)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.file(name, mode, data)
}

// sysroot is a tree of unpacked Debian packages.
type sysroot struct {
	dir       string
	libraries string // see machine
}

// addProgram adds an ELF program of the tree with every library that it needs.
func (s *sysroot) addProgram(a *archive, name string) error {
	if a.have[clean(name)] {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	a.file(name, 0o755, data)
	needs, err := needed(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, n := range needs {
		lib, err := s.library(n)
		if err == nil {
			err = s.addProgram(a, lib)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// needed lists the interpreter, as a path, and the libraries, by name, that an
// ELF file asks for.
func needed(data []byte) ([]string, error) {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var list []string
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			text, err := io.ReadAll(p.Open())
			if err != nil {
				return nil, err
			}
			list = append(list, string(bytes.TrimRight(text, "\x00")))
		}
	}
	libs, err := f.ImportedLibraries()
	return append(list, libs...), err
}

// library finds what an ELF file asks for.
func (s *sysroot) library(name string) (string, error) {
	if path.IsAbs(name) {
		return name, nil
	}
	for _, dir := range []string{"lib", "usr/lib"} {
		for _, in := range []string{s.libraries, s.libraries + "/systemd", ""} {
			lib := path.Join("/", dir, in, name)
			if _, err := os.Stat(filepath.Join(s.dir, lib)); err == nil {
				return lib, nil
			}
		}
	}
	return "", fmt.Errorf("library %s is in none of the packages", name)
}

// modules finds kernel modules by name, in which - and _ are the same.
type modules struct {
	files   map[string]string // path by name
	builtin map[string]bool
}

func moduleName(file string) string {
	return strings.ReplaceAll(strings.TrimSuffix(path.Base(file), ".ko"), "-", "_")
}

// findModules looks through a kernel's tree of modules.
func findModules(dir string) (*modules, error) {
	m := &modules{map[string]string{}, map[string]bool{}}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(p, ".ko"):
			m.files[moduleName(p)] = p
		case d.Name() == "modules.builtin":
			list, err := os.ReadFile(p)
			for _, line := range strings.Fields(string(list)) {
				m.builtin[moduleName(line)] = true
			}
			return err
		}
		return nil
	})
	return m, err
}

// closure lists the files of modules and of those that they depend on, in the
// order in which they must be loaded. What is built in has no file.
func (m *modules) closure(names ...string) (files []string, err error) {
	done := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		name = moduleName(name)
		if done[name] || m.builtin[name] {
			return nil
		}
		done[name] = true
		file, ok := m.files[name]
		if !ok {
			return fmt.Errorf("the kernel has no module %s", name)
		}
		depends, err := dependencies(file)
		if err != nil {
			return err
		}
		for _, d := range depends {
			if err := add(d); err != nil {
				return fmt.Errorf("module %s: %w", name, err)
			}
		}
		files = append(files, file)
		return nil
	}
	for _, n := range names {
		if err := add(n); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// dependencies reads the "depends=" of a module's .modinfo.
func dependencies(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("%s has no .modinfo; it is no kernel module", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for _, entry := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(entry, "depends="); ok {
			return strings.FieldsFunc(list, func(r rune) bool { return r == ',' }), nil
		}
	}
	return nil, nil
}
