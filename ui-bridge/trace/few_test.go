package trace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongDirectoryIsToldInFew: of a directory full of other files the first ones
// are named and the rest is counted.
func TestWrongDirectoryIsToldInFew(t *testing.T) {
	dir := t.TempDir()
	for i := range mostTold + 5 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("notes%02d", i)), []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := List(dir, nil)
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != mostTold+1 || lines[mostTold] != "and 5 more files; is this a directory of traces?" {
		t.Errorf("%d lines, the last one %q", len(lines), lines[len(lines)-1])
	}
}
