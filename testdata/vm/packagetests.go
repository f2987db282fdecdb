package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/build"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// What the files end in whose tests run in the guests, and in the guest with
// systemd. They carry `//go:build vm`.
const (
	vmTestSuffix      = "_vm_test.go"
	systemdTestSuffix = "_systemd_test.go"
)

// testBinary is the vm tests of one package.
type testBinary struct {
	pkg   string   // directory below go.mod
	file  string   // the binary on this machine
	tests []string // names
}

// name is the binary's directory in the guest.
func (t *testBinary) name() string { return strings.ReplaceAll(t.pkg, "/", "-") }

var testFunc = regexp.MustCompile(`(?m)^func (Test\w*)\(`)

// buildTests finds and builds the vm tests of the whole repository.
func (g *guest) buildTests(ctx context.Context) ([]*testBinary, error) {
	suffix := vmTestSuffix
	if g.systemd {
		suffix = systemdTestSuffix
	}
	list, err := findTests(os.DirFS(g.root), suffix, g.goarch, g.only)
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		t.file = g.path(t.name() + ".test")
		if err := g.goTool(ctx, "test", "-c", "-tags", "vm", "-trimpath", "-o", t.file, "./"+t.pkg); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// findTests lists the packages with tests in files with a suffix, for a processor
// and with names that match, in the order of the packages' names.
func findTests(repository fs.FS, suffix, goarch string, only *regexp.Regexp) ([]*testBinary, error) {
	guest := build.Context{GOOS: "linux", GOARCH: goarch, BuildTags: []string{"vm"}, Compiler: "gc", JoinPath: path.Join,
		OpenFile: func(name string) (io.ReadCloser, error) { return repository.Open(name) }}
	byPackage := map[string]*testBinary{}
	err := fs.WalkDir(repository, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (p == "build" || p == "bin" || strings.HasPrefix(d.Name(), ".") && p != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, suffix):
			return nil
		}
		if ok, err := guest.MatchFile(path.Split(p)); !ok || err != nil {
			return err
		}
		text, err := fs.ReadFile(repository, p)
		if err != nil {
			return err
		}
		pkg := filepath.Dir(p)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			name := string(m[1])
			if name == "TestMain" || !only.MatchString(name) {
				continue
			}
			if byPackage[pkg] == nil {
				byPackage[pkg] = &testBinary{pkg: pkg}
			}
			byPackage[pkg].tests = append(byPackage[pkg].tests, name)
		}
		return nil
	})
	var list []*testBinary
	for _, t := range byPackage {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *testBinary) int { return strings.Compare(a.pkg, b.pkg) })
	return list, err
}

// goTool runs the go command for the guest's processor.
func (g *guest) goTool(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+g.goarch, "GOARM=7", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// addTests puts each binary in a directory of its own, with the package's
// testdata.
func (g *guest) addTests(a *archive) error {
	for _, t := range g.tests {
		dir := "tests/" + t.name() + "/"
		a.copyFile(dir+"test", t.file, 0o755)
		a.file(dir+"package", 0o644, []byte(t.pkg))
		a.file(dir+"run", 0o644, []byte("^("+strings.Join(t.tests, "|")+")$"))
		if err := a.copyTree(dir+"testdata", filepath.Join(g.root, t.pkg, "testdata")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// judgeTests checks that every test of a binary ran and passed.
func (r *results) judgeTests(v *verdict, guest string, t *testBinary) {
	dir := "tests/" + t.name() + "/"
	output := r.text(dir + "output")
	for _, name := range t.tests {
		took, err := testOutcome(output, name)
		v.check(guest, t.pkg+" "+name, took, err)
		for _, line := range testLog(output, name) {
			fmt.Fprintln(v.w, "     "+line)
		}
	}
	if status := r.text(dir + "status"); status != "0" {
		v.check(guest, t.pkg, "", fmt.Errorf("the test binary ended with status %q", status))
	}
}

// testOutcome reads how a test ended, and how long it took, from what go test
// printed with -v.
func testOutcome(output, name string) (took string, err error) {
	m := regexp.MustCompile(`(?m)^--- (\w+): ` + name + ` \(([^)]+)\)`).FindStringSubmatch(output)
	switch {
	case m == nil:
		return "", errors.New("it did not run to its end")
	case m[1] != "PASS":
		return m[2], errors.New(m[1])
	}
	return m[2], nil
}

var logLine = regexp.MustCompile(`^\s+\w+\.go:\d+: (.*)`)

// testLog lists what a test logged.
func testLog(output, name string) (list []string) {
	within := false
	for line := range strings.Lines(output) {
		if run, ok := strings.CutPrefix(line, "=== RUN"); ok {
			within = strings.TrimSpace(run) == name || strings.HasPrefix(strings.TrimSpace(run), name+"/")
		} else if m := logLine.FindStringSubmatch(line); m != nil && within {
			list = append(list, m[1])
		}
	}
	return list
}
