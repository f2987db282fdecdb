package qr

import (
	"bytes"
	"testing"

	"github.com/makiuchi-d/gozxing"
)

// FuzzRead reads pictures of a code in which rectangles are turned over: nothing
// panics but what read expects to, and a code that nothing covers is read.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a code"), []byte{})
	f.Add(noise(100), []byte{10, 10, 5, 5, 40, 40, 1, 90})
	f.Add(noise(150), []byte{0, 0, 255, 30})
	f.Fuzz(func(t *testing.T, data, turned []byte) {
		data = data[:min(len(data), 200)]
		if len(data) == 0 {
			return
		}
		m := matrix(t, data)
		side, covered := m.GetWidth(), false
		for turned = turned[:min(len(turned), 64)]; len(turned) >= 4; turned = turned[4:] {
			left, top := int(turned[0])*side/256, int(turned[1])*side/256
			for y := top; y < min(side, top+int(turned[3])); y++ {
				for x := left; x < min(side, left+int(turned[2])); x++ {
					m.Flip(x, y)
					covered = true
				}
			}
		}
		if got := read(m); !covered && !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d others", len(data), len(got))
		}
	})
}

// matrix is a code of data in black and white, three pixels a module.
func matrix(t *testing.T, data []byte) *gozxing.BitMatrix {
	t.Helper()
	code, err := Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	const pixels = 3
	n := code.modules.GetWidth()
	m, err := gozxing.NewSquareBitMatrix((n + 2*quiet) * pixels)
	if err != nil {
		t.Fatal(err)
	}
	for y := range n {
		for x := range n {
			if code.modules.Get(x, y) == 1 {
				if err := m.SetRegion((x+quiet)*pixels, (y+quiet)*pixels, pixels, pixels); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return m
}
