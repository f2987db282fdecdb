package scenes

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// read returns a file of testdata.
func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// openBench serves bench.dbc to parseVehicle.
func openBench(t testing.TB) func(string) ([]byte, error) {
	text := []byte(read(t, "bench.dbc"))
	return func(path string) ([]byte, error) {
		if path != "bench.dbc" {
			return nil, Diagnostics{{File: path, What: "cannot be read: no such file or directory"}}
		}
		return text, nil
	}
}

// bench loads the bench profile.
func bench(t testing.TB) *Vehicle {
	t.Helper()
	v, err := parseVehicle("bench.yaml", []byte(read(t, "bench.yaml")), openBench(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// exchange replaces the one occurrence of old in text.
func exchange(t *testing.T, text, old, new string) string {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q occurs %d times in the text, wanted once", old, n)
	}
	return strings.Replace(text, old, new, 1)
}

// checkDiagnostics compares an error, line by line, with what is wanted.
func checkDiagnostics(t *testing.T, err error, want string) {
	t.Helper()
	var ds Diagnostics
	if !errors.As(err, &ds) {
		t.Fatalf("error is %v, want the diagnostics\n%s", err, want)
	}
	if got := ds.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
