package agent

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testName = regexp.MustCompile(`\b(Test|Fuzz)[A-Z][A-Za-z0-9]+`)
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z][A-Za-z0-9]+)\(`)
	docLink  = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// pages are the project's documents, by path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, glob := range []string{"*.md", "docs/*.md", "testdata/*/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", glob))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			list[f] = string(text)
		}
	}
	if len(list) < 10 {
		t.Fatalf("%d documents", len(list))
	}
	return list
}

// TestDocumentsNameTests holds that each test a document names exists: a
// hazard's mitigation is only as good as the test that holds it.
func TestDocumentsNameTests(t *testing.T) {
	known := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for file, text := range pages(t) {
		for _, name := range testName.FindAllString(text, -1) {
			named++
			if !known[name] {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
	if named < 20 {
		t.Errorf("the documents name %d tests only", named)
	}
}

// TestDocumentsLink holds that each file a document links to exists.
func TestDocumentsLink(t *testing.T) {
	links := 0
	for file, text := range pages(t) {
		for _, m := range docLink.FindAllStringSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
		}
	}
	if links < 20 {
		t.Errorf("the documents have %d links only", links)
	}
}

var member = regexp.MustCompile(`<(?:method|property|signal) name="([^"]+)"`)

// TestDocumentsNameTheInterface holds that docs/integrate-hmi.md tells of each
// method, property and signal of our own interfaces.
func TestDocumentsNameTheInterface(t *testing.T) {
	page := pages(t)["../docs/integrate-hmi.md"]
	files, err := filepath.Glob("../ui-bridge/dbus/org.vignette.*.xml")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range member.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("docs/integrate-hmi.md does not tell of %s in %s", m[1], filepath.Base(file))
			}
		}
	}
}
