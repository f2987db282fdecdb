package scenes

import (
	"os"
	"strings"
	"testing"
)

// TestRevocationsSchema holds the published schema against the list of
// docs/study-cards.md, and that what the reader refuses of one key it refuses too.
func TestRevocationsSchema(t *testing.T) {
	s := schemaOf(t, "revocations.schema.json", RevocationsSchema())
	doc, err := os.ReadFile("../docs/study-cards.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(doc), "Cards are called back by a list")
	_, rest, fenced := strings.Cut(rest, "```yaml\n")
	good, _, closed := strings.Cut(rest, "```")
	if !found || !fenced || !closed {
		t.Fatal("docs/study-cards.md has no list")
	}
	if _, err := ParseRevocations("revoked.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	if err := valid(t, s, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"schema: 1", "schema: 2"}, {"version: 7\n", ""}, {"version: 7", "version: 0"}, {"version: 7", "version: 1.0.0"}, {"revoked:", "recalled:"},
		{"id: seat-heat,", "id: Seat,"}, {"version: 3", "version: 70000"}, {", version: 3", ""}, {"[{id: seat-heat, version: 3}]", "[]"}} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%q is not in the list", c[0])
		}
		if valid(t, s, []byte(bad)) == nil {
			t.Errorf("the schema takes %q for %q", c[1], c[0])
		}
		if _, err := ParseRevocations("revoked.yaml", []byte(bad)); err == nil {
			t.Errorf("the reader takes %q for %q", c[1], c[0])
		}
	}
}
