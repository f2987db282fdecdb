package uibridge

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestNames holds the functions for D-Bus names and types against the regular
// expressions of what the D-Bus specification says of them.
func TestNames(t *testing.T) {
	for _, c := range []struct {
		re string
		is func(string) bool
	}{
		{`^(:[0-9]+(\.[0-9]+)+|[A-Za-z_-][A-Za-z0-9_-]*(\.[A-Za-z_-][A-Za-z0-9_-]*)+)$`, isBusName},
		{`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$`, isInterface},
		{`^[A-Za-z_][A-Za-z0-9_]*$`, isMember},
	} {
		re := regexp.MustCompile(c.re)
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.StringMatching(c.re).Draw(t, "text")
			i := rapid.IntRange(0, len(s)).Draw(t, "at")
			s = s[:i] + rapid.StringOfN(rapid.RuneFrom([]rune("aZ@[`{0:._-/é\n")), 0, 2, -1).Draw(t, "piece") + s[rapid.IntRange(i, len(s)).Draw(t, "past"):]
			if got, want := c.is(s), re.MatchString(s); got != want {
				t.Fatalf("%q: %v, want %v by %s", s, got, want, c.re)
			}
		})
	}
	re := regexp.MustCompile(`^a([ybnqiuxtdsv]|\{[ybnqiuxtds][ybnqiuxtdsv]\})`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("aaa{{}}sivz")), 1, 7, -1).Draw(t, "signature")
		want := re.FindString(s)
		if want == "" {
			want = s[:1]
		}
		if got := firstType(s); got != want {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
	})
}
