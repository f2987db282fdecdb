package scenes

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A directory stands for its cards, a file named twice is read once, and
// cards come by id.
func TestLoadCards(t *testing.T) {
	dir, text := t.TempDir(), read(t, "card.yaml")
	write := func(name, id string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Replace(text, "air-the-cabin", id, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first := write("a.yaml", "zebra")
	write("b.yml", "ant")
	write("c.json", "mole")
	write("notes.txt", "no-card")
	cards, err := LoadCards(dir, first)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range cards {
		ids = append(ids, c.ID)
	}
	if got := strings.Join(ids, " "); got != "ant mole zebra" {
		t.Errorf("the cards are %s", got)
	}
	second := write("d.yaml", "zebra")
	_, err = LoadCards(dir)
	checkDiagnostics(t, err, second+":2:5: card id `zebra` is already used by "+first+"; give each card its own")
}

// TestPipesAreNotWaitedFor: a pipe under the name of a card has no text if nobody
// writes into it, and is an error if nobody ends it.
func TestPipesAreNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.yaml")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := load(path, maxCardBytes); err != nil || len(text) != 0 {
		t.Errorf("read %q, %v of a pipe that nobody writes into", text, err)
	}
	silent, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if _, err := load(path, maxCardBytes); err == nil || !strings.Contains(err.Error(), "cannot be read: i/o timeout") {
		t.Errorf("of a pipe that nobody ends: %v", err)
	}
	if _, err := ReadFile("/dev/zero"); err == nil || !strings.Contains(err.Error(), "is longer than 32768 KiB") {
		t.Errorf("of a file without an end: %v", err)
	}
}
