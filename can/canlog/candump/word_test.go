package candump

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// Every character at every place of eight, among digits, is judged as one by
// one; so are random eights.
func TestEightAtOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const hex = "0123456789abcdefABCDEF"
	tried, good := 0, 0
	try := func(text string) {
		x := binary.LittleEndian.Uint64([]byte(text))
		want, err := strconv.ParseUint(text, 10, 64)
		if strings.ContainsAny(text, "+-_") {
			err = strconv.ErrSyntax
		}
		if got, ok := eightDigits(x); ok != (err == nil) || ok && got != want {
			t.Fatalf("digits %q: %d, %v", text, got, ok)
		}
		bytes := make([]byte, 4)
		n, _ := fmt.Sscanf(text, "%x", &bytes)
		whole := n == 1 && strings.Trim(text, hex) == "" && len(bytes) == 4
		if got, ok := eightHex(x); ok != whole || ok && got != binary.LittleEndian.Uint32(bytes) {
			t.Fatalf("hex %q: %x, %v", text, got, ok)
		}
		length := 0
		for length < 8 && text[length] > ' ' && text[length] != 0x7F {
			length++
		}
		if got := nameLength([]byte(text)); got != length {
			t.Fatalf("name %q: %d, want %d", text, got, length)
		}
		tried++
		if whole {
			good++
		}
	}
	for c := range 256 {
		for place := range 8 {
			for _, set := range []string{hex[:10], hex} {
				text := make([]byte, 8)
				for i := range text {
					text[i] = set[rng.IntN(len(set))]
				}
				text[place] = byte(c)
				try(string(text))
			}
		}
	}
	for range 100_000 {
		text := make([]byte, 8)
		for i := range text {
			if text[i] = byte(rng.Uint32()); rng.IntN(10) > 0 {
				text[i] = hex[rng.IntN(len(hex))]
			}
		}
		try(string(text))
	}
	if tried < 100_000 || good < 10_000 {
		t.Errorf("%d eights, %d of hex digits", tried, good)
	}
}
