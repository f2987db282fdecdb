//go:build oracle

package review

import (
	"bytes"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vignette/testdata/oracle"
	fleet "vignette/testdata/review"
)

// chromium opens a page and returns what is in it then, and what was logged.
func chromium(t *testing.T, page string, args ...string) (dom, log string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("chromium-headless-shell", append(args, "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1280,2000",
		"--virtual-time-budget=10000", "--dump-dom", "file://"+path)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, &stderr)
	}
	return string(out), stderr.String()
}

// axeResult is a rule of axe-core that a page breaks.
type axeResult struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

var (
	policyTag = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)
	axeOutput = regexp.MustCompile(`(?s)<pre id="axe">(.*?)</pre>`)
)

// axe runs axe-core, all its rules unless options say otherwise, in a page with its tables open. The page's own
// policy lets no script run, so that goes first.
func axe(t *testing.T, page, options string, args ...string) (rules int, broken []axeResult) {
	t.Helper()
	script := oracle.Python(t, "-c", `import axe_core_python, pathlib, sys
sys.stdout.write((pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))`)
	page = policyTag.ReplaceAllString(page, "")
	page = strings.ReplaceAll(page, "<details>", "<details open>")
	page = strings.Replace(page, "</body>", "<script>"+string(script)+`</script><script>axe.run(`+options+`).then(r => {
		const p = document.createElement("pre"); p.id = "axe"
		p.textContent = JSON.stringify({passes: r.passes.length, violations: r.violations})
		document.body.append(p) })</script></body>`, 1)
	dom, log := chromium(t, page, args...)
	m := axeOutput.FindStringSubmatch(dom)
	if m == nil {
		t.Fatalf("axe-core did not end\n%s", log)
	}
	var r struct {
		Passes     int
		Violations []axeResult
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &r); err != nil {
		t.Fatal(err)
	}
	return r.Passes, r.Violations
}

// fullReport has all that a page can show: withheld figures, verdicts of both
// kinds, an unsigned study, something left out and damaged.
func fullReport(t *testing.T) *Report {
	t.Helper()
	_, b := draw(t, fleet.Truth{Seed: 3, Episodes: 4000, Weeks: 3, K: 12, Tasks: 2, Ways: 14,
		Builds: []fleet.Build{{Name: "1.0", Share: 0.5, Abandoned: 0.3}, {Name: "1.1", Share: 0.48, Abandoned: 0.1}}})
	r, err := New(b, Options{K: 14})
	if err != nil {
		t.Fatal(err)
	}
	r.Signed, r.Damaged = false, 2
	var gates []Gate
	for _, text := range []string{"task0.abandoned > 90%", "lockout_leaks > 0"} {
		g, err := ParseGate(text, studyOf("task0"))
		if err != nil {
			t.Fatal(err)
		}
		gates = append(gates, g)
	}
	r.Judge(gates)
	return r
}

// TestPageIsAccessible: axe-core has nothing to say against the page, in light and
// wide, nor in dark and narrow.
func TestPageIsAccessible(t *testing.T) {
	var b bytes.Buffer
	if err := fullReport(t).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"light": nil, "dark and narrow": {"--blink-settings=preferredColorScheme=0", "--window-size=390,844"},
	} {
		rules, broken := axe(t, b.String(), "", args...)
		if rules < 15 {
			t.Errorf("%s: axe-core held only %d rules", name, rules)
		}
		for _, v := range broken {
			t.Errorf("%s: %s: %s\n%+v", name, v.ID, v.Help, v.Nodes)
		}
	}
	// It can find something.
	if _, broken := axe(t, strings.Replace(b.String(), `<html lang="en">`, "<html>", 1), `{runOnly: ["html-has-lang"]}`); len(broken) != 1 || broken[0].ID != "html-has-lang" {
		t.Errorf("a page without a language: %+v", broken)
	}
}

// TestPagePolicyHolds: the browser applies the page's style under its policy, and
// would refuse any other.
func TestPagePolicyHolds(t *testing.T) {
	var b bytes.Buffer
	if err := fullReport(t).WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	if _, log := chromium(t, b.String()); strings.Contains(log, "Content Security Policy") {
		t.Errorf("the browser refused something\n%s", log)
	}
	if _, log := chromium(t, strings.Replace(b.String(), "</body>", `<style>body { color: red }</style><script>1</script><img src="data:,x" alt=""></body>`, 1)); strings.Count(log, "Content Security Policy") < 3 {
		t.Errorf("the browser took a style, a script or a picture that are not ours\n%s", log)
	}
}
