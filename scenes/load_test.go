package scenes

import (
	"os"
	"path/filepath"
	"strings"
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
