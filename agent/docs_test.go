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
	docLink  = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]+))?\)`)
	docHead  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	codeIn   = regexp.MustCompile("(?ms)^```.*?^```")
	noAnchor = regexp.MustCompile(`[^\pL\pN_ -]`)
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

// anchors are the names that a code host gives a page's headings.
func anchors(page string) map[string]bool {
	list := map[string]bool{}
	for _, m := range docHead.FindAllStringSubmatch(codeIn.ReplaceAllString(page, ""), -1) {
		name := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		list[strings.ReplaceAll(name, " ", "-")] = true
	}
	return list
}

// TestDocumentsLink holds that each file a document links to exists, and each
// heading of a document.
func TestDocumentsLink(t *testing.T) {
	list, links, headings := pages(t), 0, 0
	for file, text := range list {
		for _, m := range docLink.FindAllStringSubmatch(text, -1) {
			to := file
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(file), m[1])
			}
			links++
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			}
			if m[2] == "" {
				continue
			}
			headings++
			if !anchors(list[to])[m[2]] {
				t.Errorf("%s links to %s#%s: there is no such heading", file, m[1], m[2])
			}
		}
	}
	if links < 20 || headings < 10 {
		t.Errorf("the documents have %d links, %d of them to headings only", links, headings)
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

// TestSnippetsAreFiles holds that what the guide shows of the Qt program is what
// the test of it builds.
func TestSnippetsAreFiles(t *testing.T) {
	guide := pages(t)["../docs/integrate-hmi.md"]
	for name, language := range map[string]string{"main.cpp": "cpp", "Card.qml": "qml"} {
		text, err := os.ReadFile("../testdata/hmi/qt/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(guide, "```"+language+"\n"+string(text)+"```\n") {
			t.Errorf("docs/integrate-hmi.md does not show %s as it is", name)
		}
	}
}

var (
	safetyRow  = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`)
	safetyCase = regexp.MustCompile("`([a-zA-Z_']+)`")
	tryCase    = regexp.MustCompile(`(?m)^\t\t\{"([^"]+)", try[A-Z]`)
	traceName  = regexp.MustCompile(`\b\d{3}\b`)
	badCard    = regexp.MustCompile(`\bbad/([a-z-]+)`)
)

// brokenRules are what each must have a test that tries to break it, by what
// docs/SAFETY.md calls it.
var brokenRules = []string{"range, grid", "too often", "wrong state", "stale speed", "frozen counter", "kill -9", "unknown base", "two cards fight",
	"a loop of three cards", "a card that floods", "refuses, never answers", "changed DBC", "a state file from the future"}

// TestSafetyRulesHaveTests holds that docs/SAFETY.md lists every rule with tests
// that exist: the cases of TestSafety, all of them, or tests of their own, which
// TestDocumentsNameTests knows.
func TestSafetyRulesHaveTests(t *testing.T) {
	code, err := os.ReadFile("../scenes/drive/safety_test.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range tryCase.FindAllSubmatch(code, -1) {
		listed[strings.ReplaceAll(string(m[1]), " ", "_")] = false
	}
	_, text, _ := strings.Cut(pages(t)["../docs/SAFETY.md"], "## Rules, and the tests")
	text, _, _ = strings.Cut(text, "\n## ")
	rules := ""
	for _, row := range safetyRow.FindAllStringSubmatch(text, -1) {
		rules += row[1] + "\n"
		cases := safetyCase.FindAllStringSubmatch(row[2], -1)
		if len(cases) == 0 && !testName.MatchString(row[2]) && !strings.HasPrefix(row[1], "rule") && !strings.HasPrefix(row[1], "--") {
			t.Errorf("%s: no test is named", row[1])
		}
		for _, c := range cases {
			if _, ok := listed[c[1]]; ok {
				listed[c[1]] = true
			} else if info, err := os.Stat("../" + c[1]); err != nil || !info.IsDir() {
				t.Errorf("%s: TestSafety has no case %s", row[1], c[1])
			}
		}
	}
	for name, in := range listed {
		if !in {
			t.Errorf("TestSafety/%s stands for no rule", name)
		}
	}
	for _, rule := range brokenRules {
		if !strings.Contains(rules, rule) {
			t.Errorf("no rule is about %q:\n%s", rule, rules)
		}
	}
}

// TestHazardsNameTraces holds that the traces and the refused cards that hazards
// name exist.
func TestHazardsNameTraces(t *testing.T) {
	_, text, _ := strings.Cut(pages(t)["../docs/SAFETY.md"], "## Hazards, mitigations, tests")
	text, _, _ = strings.Cut(text, "\n## ")
	named := 0
	for _, row := range strings.Split(text, "\n| H")[1:] {
		cells := strings.Split(row, " | ")
		for _, n := range traceName.FindAllString(cells[len(cells)-1], -1) {
			if files, err := filepath.Glob("../testdata/meaning/" + n + "-*.txtar"); err != nil || len(files) != 1 {
				t.Errorf("H%s: trace %s: %d files", cells[0], n, len(files))
			}
			named++
		}
		for _, m := range badCard.FindAllStringSubmatch(row, -1) {
			if files, err := filepath.Glob("../testdata/meaning/bad/" + m[1] + ".*"); err != nil || len(files) == 0 {
				t.Errorf("H%s: there is no card bad/%s", cells[0], m[1])
			}
			named++
		}
	}
	if named < 50 {
		t.Errorf("%d traces and cards are named", named)
	}
}
