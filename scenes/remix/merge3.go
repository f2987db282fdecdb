package remix

import (
	"slices"
	"strings"
)

// The marks around what both have changed, as other merge tools write them.
const (
	markMine   = "<<<<<<< yours\n"
	markBase   = "||||||| before\n"
	markMiddle = "=======\n"
	markTheirs = ">>>>>>> the parent's\n"
)

// split parts a text into its lines, with their ends.
func split(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	}
	lines[len(lines)-1] += "\n"
	return lines
}

// merge3 merges two changed versions of lines (three-way merge, "diff3"; Khanna,
// Kunal, Pierce, A Formal Investigation of Diff3, 2007): between lines that are in
// all three the change of whoever has changed something is taken. Where both
// have, both are written between marks; conflicts are the lines, from 1, of the
// marks that begin them.
func merge3(base, mine, theirs []string) (out []string, conflicts []int) {
	inMine, inTheirs := matches(base, mine), matches(base, theirs)
	i, j, k := 0, 0, 0
	for i < len(base) || j < len(mine) || k < len(theirs) {
		// The next line that all three have.
		next := i
		for next < len(base) && (inMine[next] < 0 || inTheirs[next] < 0) {
			next++
		}
		toMine, toTheirs := len(mine), len(theirs)
		if next < len(base) {
			toMine, toTheirs = inMine[next], inTheirs[next]
		}
		out, conflicts = settle(out, conflicts, base[i:next], mine[j:toMine], theirs[k:toTheirs])
		i, j, k = next, toMine, toTheirs
		if next < len(base) {
			out = append(out, base[next])
			i, j, k = i+1, j+1, k+1
		}
	}
	return out, conflicts
}

// settle writes one stretch of lines that are not in all three.
func settle(out []string, conflicts []int, base, mine, theirs []string) ([]string, []int) {
	switch {
	case slices.Equal(base, mine):
		return append(out, theirs...), conflicts
	case slices.Equal(base, theirs), slices.Equal(mine, theirs):
		return append(out, mine...), conflicts
	}
	conflicts = append(conflicts, len(out)+1)
	for _, part := range []struct {
		mark  string
		lines []string
	}{{markMine, mine}, {markBase, base}, {markMiddle, theirs}} {
		out = append(append(out, part.mark), part.lines...)
	}
	return append(out, markTheirs), conflicts
}

// maxTable bounds the memory of matches; beyond it the lines between the first
// and the last change count as changed.
const maxTable = 4 << 20

// matches finds for each line of a which of b it is, -1 for none, in order: a
// longest common subsequence.
func matches(a, b []string) []int {
	in := make([]int, len(a))
	for i := range in {
		in[i] = -1
	}
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		in[head] = head
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
		in[len(a)-tail] = len(b) - tail
	}
	a, b = a[head:len(a)-tail], b[head:len(b)-tail]
	width := len(b) + 1
	if (len(a)+1)*width > maxTable {
		return in
	}
	longest := make([]int32, (len(a)+1)*width) // of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if l := &longest[i*width+j]; a[i] == b[j] {
				*l = longest[(i+1)*width+j+1] + 1
			} else {
				*l = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			in[head+i] = head + j
			i, j = i+1, j+1
		case longest[(i+1)*width+j] >= longest[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return in
}
