package scenes

import (
	"slices"
	"strings"
)

// hint returns "; did you mean `x`?" for the candidate nearest to what was
// written, and an empty string when none is near.
func hint(written string, candidates []string) string {
	if near := nearest(written, candidates); near != "" {
		return "; did you mean `" + near + "`?"
	}
	return ""
}

// hintPath is hint for VSS paths: where none is near, those that end in the
// same word are, at most three of them.
func hintPath(written string, paths []string) string {
	if h := hint(written, paths); h != "" {
		return h
	}
	leaf := strings.ToLower(written[strings.LastIndexByte(written, '.')+1:])
	var same []string
	for _, p := range paths {
		if len(same) < 3 && strings.ToLower(p[strings.LastIndexByte(p, '.')+1:]) == leaf {
			same = append(same, "`"+p+"`")
		}
	}
	if len(same) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(same, " or ") + "?"
}

// nearest returns the candidate with the fewest edits from what was written,
// the first of equals, or an empty string when more than a third of the
// characters would have to change.
func nearest(written string, candidates []string) string {
	if len(written) > 200 {
		return ""
	}
	best, least := "", max(2, len(written)/3)+1
	for _, c := range candidates {
		if abs(len(c)-len(written)) >= least {
			continue
		}
		if d := edits(strings.ToLower(written), strings.ToLower(c), least); d < least && d < len(c) {
			best, least = c, d
		}
	}
	return best
}

// edits is the Levenshtein distance in bytes, a swap of neighbours counted as
// one. It gives up at limit and returns that.
func edits(a, b string, limit int) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		least := row[0]
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
			least = min(least, row[j+1])
		}
		if least > limit {
			return limit
		}
		before, last = last, row
	}
	return last[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// quoted lists names as `a`, `b` and `c`, at most eight of them.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	rest := len(names) - 8
	names = slices.Clone(names[:min(len(names), 8)])
	for i, n := range names {
		names[i] = "`" + n + "`"
	}
	switch {
	case rest > 0:
		return strings.Join(names, ", ") + ", …"
	case len(names) == 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
