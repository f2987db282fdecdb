package scenes

import (
	"cmp"
	"strings"
)

// CompareVersions orders versions as semantic versioning does: -1, 0 or 1. What
// follows a + does not count. An empty version is below any.
func CompareVersions(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	a, preA, earlierA := strings.Cut(a, "-")
	b, preB, earlierB := strings.Cut(b, "-")
	c := compareParts(a, b)
	switch {
	case c != 0 || !earlierA && !earlierB:
		return c
	case !earlierA:
		return 1
	case !earlierB:
		return -1
	}
	return compareParts(preA, preB)
}

// compareParts compares what lies between dots, one by one: numbers as such and
// below texts.
func compareParts(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		nx, ny := isDigits(x), isDigits(y)
		c := cmp.Compare(x, y)
		switch {
		case nx && ny:
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			c = cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
		case nx != ny && nx:
			c = -1
		case nx != ny:
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}
