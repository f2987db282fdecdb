package scenes

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// allPatterns are those of the formats, by name.
var allPatterns = map[string]pattern{
	"idText": idText, "handleText": handleText, "wordText": wordText, "nameText": nameText, "licenceText": licenceText, "claimText": claimText,
	"ifaceText": ifaceText, "hashText": hashText, "versionText": versionText, "parentText": parentText, "langTag": langTag, "pathText": pathText,
	"neverText": neverText, "decimalText": decimalText, "wholeText": wholeText, "durationText": durationText, "slewText": slewText, "dateText": dateText,
	"timeOfDayText": timeOfDayText, "localText": localText, "busNameText": busNameText, "objectText": objectText, "interfaceText": interfaceText,
	"memberText": memberText, "containerText": containerText,
}

// mutant is a text that matches, perhaps with one piece replaced, removed or put
// in twice: near the edge of what fits.
func mutant(t *rapid.T, matching string) string {
	s := rapid.StringMatching(matching).Draw(t, "text")
	i := rapid.IntRange(0, len(s)).Draw(t, "from")
	j := rapid.IntRange(i, len(s)).Draw(t, "to")
	switch rapid.IntRange(0, 5).Draw(t, "how") {
	case 0:
		return s
	case 1:
		return s[:i] + s[j:]
	case 2:
		return s[:j] + s[i:]
	}
	piece := rapid.SampledFrom([]string{"", "0", "00", "9", "a", "Z", "_", "-", "--", ".", "..", "/", "*", ".*", "+", "e", "E1", ":", "@", "{", "}", "v", "s", " ", "\n", "é", "\x80",
		"Vehicle", "20", strings.Repeat("a", 60), strings.Repeat("1", 15)}).Draw(t, "piece")
	return s[:i] + piece + s[rapid.SampledFrom([]int{i, min(i+1, len(s)), j}).Draw(t, "past"):]
}

// TestPatterns holds that each pattern's function takes what its regular
// expression does, which the JSON Schemas publish.
func TestPatterns(t *testing.T) {
	source, err := os.ReadFile("patterns.go")
	if n := strings.Count(string(source), "= pattern{`"); err != nil || n != len(allPatterns) {
		t.Fatalf("patterns.go has %d patterns, %d are tested (%v)", n, len(allPatterns), err)
	}
	for name, p := range allPatterns {
		re := regexp.MustCompile(p.text)
		t.Run(name, func(t *testing.T) {
			took := map[bool]int{}
			rapid.Check(t, func(t *rapid.T) {
				for range 20 {
					s := mutant(t, p.text)
					if got, want := p.fits(s), re.MatchString(s); got != want {
						t.Fatalf("%q: %v, want %v by %s", s, got, want, p.text)
					}
					took[p.fits(s)]++
				}
			})
			if took[true] < 100 || took[false] < 100 {
				t.Errorf("%d texts fit and %d did not; want 100 of each", took[true], took[false])
			}
		})
	}
}

// TestPlaceholders holds names in braces against the regular expression for them.
func TestPlaceholders(t *testing.T) {
	re := regexp.MustCompile(`\{([A-Za-z0-9_-]*)\}`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("{}{}{}a0_- é"))).Draw(t, "text")
		var want []string
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			want = append(want, m[1])
		}
		if names, rest := placeholders(text); !slices.Equal(names, want) || rest != re.ReplaceAllString(text, "") {
			t.Fatalf("%q: %q and %q, want %q", text, names, rest, want)
		}
	})
}

// TestHasKey holds the search for a key against the regular expression for it.
func TestHasKey(t *testing.T) {
	re := regexp.MustCompile(`(?m)^[\s{]*"?k"?\s*:`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("kk::\"\"{ \t\n\ra"))).Draw(t, "text")
		if got, want := hasKey(text, "k"), re.MatchString(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}
