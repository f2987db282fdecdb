// Package qr writes bytes as a QR code and reads them from a picture of one. It
// is for desks: in a car a camera app reads codes.
package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
)

// The picture of a code.
const (
	quiet    = 4        // modules of white around the code (ISO/IEC 18004, 9.1)
	pixels   = 6        // of a module
	maxSide  = 8192     // pixels of a picture that is read
	maxPhoto = 32 << 20 // bytes of its file
)

// Code is a QR code.
type Code struct {
	Version int    // 1 to 40; 17 + 4·Version modules a side
	Level   string // of error correction: M, or L where M does not fit

	modules *encoder.ByteMatrix
}

// Encode makes the smallest code that holds data, in level M (15 % may be lost)
// or, where that is too small, L (7 %). The bytes are marked as Latin-1, so that
// readers that give only text give one character for each.
func Encode(data []byte) (*Code, error) {
	text := make([]rune, len(data))
	for i, b := range data {
		text[i] = rune(b)
	}
	hints := map[gozxing.EncodeHintType]any{gozxing.EncodeHintType_CHARACTER_SET: "ISO-8859-1"}
	for _, level := range []decoder.ErrorCorrectionLevel{decoder.ErrorCorrectionLevel_M, decoder.ErrorCorrectionLevel_L} {
		if c, err := encoder.Encoder_encode(string(text), level, hints); err == nil {
			return &Code{c.GetVersion().GetVersionNumber(), level.String(), c.GetMatrix()}, nil
		}
	}
	return nil, fmt.Errorf("%d bytes do not fit into a QR code, whose largest (version 40, level L) holds 2952", len(data))
}

// WritePNG writes the code as a picture in black and white.
func (c *Code) WritePNG(w io.Writer) error {
	n := c.modules.GetWidth()
	side := (n + 2*quiet) * pixels
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range n * pixels {
		for x := range n * pixels {
			if c.modules.Get(x/pixels, y/pixels) == 1 {
				img.SetColorIndex(x+quiet*pixels, y+quiet*pixels, 1)
			}
		}
	}
	return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, img)
}

// ErrNoCode says that a picture has no QR code that can be read.
var ErrNoCode = errors.New("has no QR code that can be read; take the picture straight, sharp and in good light, with some white around the code")

// Decode reads the bytes of the one QR code in a PNG picture, of any
// orientation, a little blurred or askew.
func Decode(r io.Reader) (data []byte, err error) {
	img, err := picture(r)
	if err != nil {
		return nil, err
	}
	source := gozxing.NewLuminanceSourceFromImage(img)
	for _, b := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		if data = readIn(b); data != nil {
			return data, nil
		}
	}
	return nil, ErrNoCode
}

// picture reads a PNG picture whose head says that it has a bearable size.
func picture(r io.Reader) (image.Image, error) {
	r = io.LimitReader(r, maxPhoto)
	var head bytes.Buffer
	c, err := png.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, fmt.Errorf("is no PNG picture: %w", err)
	}
	if c.Width > maxSide || c.Height > maxSide {
		return nil, fmt.Errorf("is %d × %d pixels large, at most %d × %d are read; make it smaller", c.Width, c.Height, maxSide, maxSide)
	}
	img, err := png.Decode(io.MultiReader(&head, r))
	if err != nil {
		return nil, fmt.Errorf("is no PNG picture: %w", err)
	}
	return img, nil
}

// readIn reads a code, nil where there is none.
func readIn(b gozxing.Binarizer) []byte {
	m, err := b.GetBlackMatrix()
	if err != nil {
		return nil
	}
	return read(m)
}
