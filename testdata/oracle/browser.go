package oracle

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
)

// Chromium opens a page that is a file, in a window of 1280 × 2000 unless args say
// otherwise, and returns what is in it then, and what was logged. With a budget of
// virtual time in args (--virtual-time-budget) it waits for timers and promises.
func Chromium(t testing.TB, page string, args ...string) (dom, log string) {
	t.Helper()
	path, err := filepath.Abs(page)
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("chromium-headless-shell", append([]string{"--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1280,2000",
		"--user-data-dir=" + t.TempDir(), "--dump-dom"}, append(args, "file://"+path)...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, &stderr)
	}
	return string(out), stderr.String()
}

// AxeResult is a rule of axe-core that a page breaks.
type AxeResult struct {
	ID, Help string
	Nodes    []struct{ HTML, FailureSummary string }
}

var (
	policyTag = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)
	axeOutput = regexp.MustCompile(`(?s)<pre id="axe">(.*?)</pre>`)
)

// Axe runs axe-core, all its rules unless options say otherwise, in a page that is a
// file, with its details open, and returns how many rules it held and those that are
// broken. The page's own policy may let no such script run, so a copy beside it has
// none.
func Axe(t testing.TB, page, options string, args ...string) (rules int, broken []AxeResult) {
	t.Helper()
	script := Python(t, "-c", `import axe_core_python, pathlib, sys
sys.stdout.write((pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))`)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	copied := policyTag.ReplaceAllString(string(text), "")
	copied = regexp.MustCompile(`<details( class="[a-z]*")?>`).ReplaceAllString(copied, "<details$1 open>")
	copied = strings.Replace(copied, "</body>", "<script>"+string(script)+`</script><script>addEventListener("load", () => axe.run(`+options+`).then(r => {
		const p = document.createElement("pre"); p.id = "axe"
		p.textContent = JSON.stringify({passes: r.passes.length, violations: r.violations})
		document.body.append(p) }))</script></body>`, 1)
	beside := filepath.Join(filepath.Dir(page), "axe-"+filepath.Base(page))
	if err := os.WriteFile(beside, []byte(copied), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(beside)
	dom, log := Chromium(t, beside, append([]string{"--virtual-time-budget=10000"}, args...)...)
	m := axeOutput.FindStringSubmatch(dom)
	if m == nil {
		t.Fatalf("axe-core did not end\n%s", log)
	}
	var r struct {
		Passes     int
		Violations []AxeResult
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &r); err != nil {
		t.Fatal(err)
	}
	return r.Passes, r.Violations
}

// Accessible holds a page that is a file to axe-core: in light and wide, and in dark
// and narrow it has nothing to say against it.
func Accessible(t testing.TB, page string) {
	t.Helper()
	for name, args := range map[string][]string{
		"light": nil, "dark and narrow": {"--blink-settings=preferredColorScheme=0", "--window-size=390,844"},
	} {
		rules, broken := Axe(t, page, "", args...)
		if rules < 15 {
			t.Errorf("%s: axe-core held only %d rules", name, rules)
		}
		for _, v := range broken {
			t.Errorf("%s: %s: %s: %s\n%+v", page, name, v.ID, v.Help, v.Nodes)
		}
	}
}
