//go:build oracle

package review

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/testdata/oracle"
	fleet "vignette/testdata/review"
)

// written is the page as a file.
func written(t *testing.T, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
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
	oracle.Accessible(t, written(t, b.String()))
	// It can find something.
	if _, broken := oracle.Axe(t, written(t, strings.Replace(b.String(), `<html lang="en">`, "<html>", 1)), `{runOnly: ["html-has-lang"]}`); len(broken) != 1 || broken[0].ID != "html-has-lang" {
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
	if _, log := oracle.Chromium(t, written(t, b.String())); strings.Contains(log, "Content Security Policy") {
		t.Errorf("the browser refused something\n%s", log)
	}
	if _, log := oracle.Chromium(t, written(t, strings.Replace(b.String(), "</body>", `<style>body { color: red }</style><script>1</script><img src="data:,x" alt=""></body>`, 1))); strings.Count(log, "Content Security Policy") < 3 {
		t.Errorf("the browser took a style, a script or a picture that are not ours\n%s", log)
	}
}
