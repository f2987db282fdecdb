package trace

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strings"
)

// sealed is the text of a file of lines, each with its line end: a first line
// that says what it is, and a last one with the CRC-32C of all before it.
func sealed(head string, lines []string) []byte {
	b := []byte(head + strings.Join(lines, ""))
	return fmt.Appendf(b, "sum %08x\n", crc32.Checksum(b, castagnoli))
}

// unsealed returns the lines of a text that is exactly as sealed makes it.
func unsealed(head string, text []byte) (lines []string, ok bool) {
	body, isOurs := bytes.CutPrefix(text, []byte(head))
	if !isOurs {
		return nil, false
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "sum ") {
			break
		}
		lines = append(lines, line)
	}
	return lines, bytes.Equal(sealed(head, lines), text)
}

// parsed reads at most so many lines of a sealed text with parse. If one is not
// what this package writes, nothing is guessed from the others.
func parsed[T any](head string, text []byte, most int, parse func(line string) (T, bool)) (list []T, ok bool) {
	lines, ok := unsealed(head, text)
	if !ok || len(lines) > most {
		return nil, false
	}
	for _, line := range lines {
		one, ok := parse(line)
		if !ok {
			return nil, false
		}
		list = append(list, one)
	}
	return list, true
}
