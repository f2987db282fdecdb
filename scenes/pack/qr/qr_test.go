package qr

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// noise are bytes that look like nothing.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// drawn is the picture of a code.
func drawn(t *testing.T, data []byte) (*Code, image.Image) {
	t.Helper()
	c, err := Encode(data)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := c.WritePNG(&file); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	return c, img
}

// photo is a picture turned by some degrees and blurred by a box of some pixels.
func photo(img image.Image, degrees float64, blur int) *image.Gray {
	side := img.Bounds().Dx() * 3 / 2
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	turned := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			dx, dy := float64(x-side/2), float64(y-side/2)
			p := image.Pt(int(math.Round(cos*dx+sin*dy))+img.Bounds().Dx()/2, int(math.Round(cos*dy-sin*dx))+img.Bounds().Dy()/2)
			c := color.Gray{Y: 230}
			if p.In(img.Bounds()) {
				c = color.GrayModel.Convert(img.At(p.X, p.Y)).(color.Gray)
			}
			turned.SetGray(x, y, c)
		}
	}
	out := image.NewGray(turned.Rect)
	for y := range side {
		for x := range side {
			sum, n := 0, 0
			for by := -blur; by <= blur; by++ {
				for bx := -blur; bx <= blur; bx++ {
					if p := image.Pt(x+bx, y+by); p.In(turned.Rect) {
						sum, n = sum+int(turned.GrayAt(p.X, p.Y).Y), n+1
					}
				}
			}
			out.SetGray(x, y, color.Gray{Y: uint8(sum / n)})
		}
	}
	return out
}

// encoded is a picture as a file.
func encoded(t *testing.T, img image.Image) *bytes.Buffer {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return &file
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		bytes, version int
		level          string
	}{{1, 1, "M"}, {450, 17, "M"}, {610, 19, "M"}, {990, 25, "M"}, {2330, 40, "M"}, {2340, 36, "L"}, {2952, 40, "L"}} {
		data := noise(c.bytes)
		code, img := drawn(t, data)
		if code.Version != c.version || code.Level != c.level {
			t.Errorf("%d bytes: version %d-%s, want %d-%s", c.bytes, code.Version, code.Level, c.version, c.level)
		}
		got, err := Decode(encoded(t, img))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d, %v", c.bytes, len(got), err)
		}
	}
	if _, err := Encode(noise(2953)); err == nil {
		t.Error("more bytes than fit were written")
	}
}

// TestPhotos reads a typical code turned, upside down and slightly blurred.
func TestPhotos(t *testing.T) {
	data := noise(610)
	_, img := drawn(t, data)
	for _, c := range []struct {
		degrees float64
		blur    int
	}{{0, 1}, {7, 0}, {7, 1}, {90, 1}, {180, 0}, {-12, 1}, {45, 0}} {
		got, err := Decode(encoded(t, photo(img, c.degrees, c.blur)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("turned by %v°, blurred by %d: %d bytes, %v", c.degrees, c.blur, len(got), err)
		}
	}
}

// TestEveryCodeIsRead reads codes of typical sizes as they are and some turned and
// blurred. Of one in fifteen the data look like a corner, as those of the seeds 7,
// 22, 53 and 61 do.
func TestEveryCodeIsRead(t *testing.T) {
	for seed := range uint64(70) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 200+r.IntN(1000))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		_, img := drawn(t, data)
		got, err := Decode(encoded(t, img))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("seed %d: %d bytes of %d, %v", seed, len(got), len(data), err)
		}
		if seed%10 != 7 {
			continue
		}
		degrees := r.Float64() * 360
		got, err = Decode(encoded(t, photo(img, degrees, 1)))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("seed %d, turned by %.0f° and blurred: %d bytes of %d, %v", seed, degrees, len(got), len(data), err)
		}
	}
}

// hostile is a picture full of corners.
func hostile(side int) image.Image {
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if ring := max(abs(x/2%8-3), abs(y/2%8-3)); ring < 2 || ring == 3 {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	return img
}

func abs(x int) int { return max(x, -x) }

// TestHostilePictures looks at a bounded part of what looks like corners.
func TestHostilePictures(t *testing.T) {
	start := time.Now()
	if _, err := Decode(encoded(t, hostile(2048))); !errors.Is(err, ErrNoCode) {
		t.Errorf("a picture full of corners: %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("a picture full of corners took %v", took)
	}
}

func TestRefusedPictures(t *testing.T) {
	if _, err := Decode(strings.NewReader("no picture")); err == nil || !strings.Contains(err.Error(), "is no PNG picture") {
		t.Errorf("a text: %v", err)
	}
	if _, err := Decode(encoded(t, image.NewGray(image.Rect(0, 0, 300, 300)))); !errors.Is(err, ErrNoCode) {
		t.Errorf("a black picture: %v", err)
	}
	if _, err := Decode(encoded(t, image.NewPaletted(image.Rect(0, 0, maxSide+1, 1), color.Palette{color.White}))); err == nil || !strings.Contains(err.Error(), "make it smaller") {
		t.Errorf("a wide picture: %v", err)
	}
	whole := encoded(t, photo(image.NewGray(image.Rect(0, 0, 9, 9)), 0, 0)).Bytes()
	if _, err := Decode(bytes.NewReader(whole[:len(whole)-20])); err == nil || !strings.Contains(err.Error(), "is no PNG picture") {
		t.Errorf("a cut picture: %v", err)
	}
}
