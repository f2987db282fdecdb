// Package oracle finds what the oracle tests (build tag oracle) hold Vignette
// against: other people's recordings and DBCs beside the repository, and other
// people's programs. What is missing fails the test.
package oracle

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Data is a path in ../shared/data.
func Data(t testing.TB, elem ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "data"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the oracle tests need ../shared/data: %v", err)
	}
	return path
}

// Interpreter is the Python that has cantools and python-can: $PYTHON, or
// python3.
func Interpreter() string { return cmp.Or(os.Getenv("PYTHON"), "python3") }

// Python runs a script and returns its standard output.
func Python(t testing.TB, args ...string) []byte {
	t.Helper()
	return Run(t, exec.Command(Interpreter(), args...))
}

// Run runs a program and returns its standard output. Whatever standard error
// says is shown if it fails.
func Run(t testing.TB, cmd *exec.Cmd) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, &stderr)
	}
	return out
}
