//go:build oracle

package qr

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vignette/testdata/oracle"
)

// readCodes reads the code in a picture that is turned and blurred, with zxing-cpp,
// and prints its bytes.
const readCodes = `
import sys, zxingcpp
from PIL import Image, ImageFilter
image = Image.open(sys.argv[1]).convert("L")
for turn, blur in (0, 0), (7, 0), (7, 1.5), (90, 1.5), (180, 0), (-20, 1):
    turned = image.rotate(turn, expand=True, fillcolor=255, resample=Image.BICUBIC).filter(ImageFilter.GaussianBlur(blur))
    codes = zxingcpp.read_barcodes(turned)
    print(turn, blur, codes[0].bytes.hex() if codes else "none")
`

// writeCodes writes codes of bytes with segno, turned and blurred, as PNG.
const writeCodes = `
import sys, io, segno
from PIL import Image, ImageFilter
data = bytes.fromhex(sys.argv[1])
for i, (turn, blur, level) in enumerate([(0, 0, "l"), (7, 0, "m"), (7, 1.2, "m"), (90, 1.2, "m"), (180, 0, "l")]):
    out = io.BytesIO()
    segno.make(data, mode="byte", error=level, boost_error=False, micro=False).save(out, kind="png", scale=6, border=4)
    image = Image.open(out).convert("L")
    image.rotate(turn, expand=True, fillcolor=255, resample=Image.BICUBIC).filter(ImageFilter.GaussianBlur(blur)).save(sys.argv[2] + f"/{i}.png")
`

// TestOthersRead lets zxing-cpp read what we write.
func TestOthersRead(t *testing.T) {
	for _, n := range []int{425, 610, 990} {
		data := noise(n)
		code, err := Encode(data)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "code.png")
		var file bytes.Buffer
		if err := code.WritePNG(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(oracle.Python(t, "-c", readCodes, name))), "\n")
		if len(lines) != 6 {
			t.Fatalf("%q", lines)
		}
		for _, line := range lines {
			if f := strings.Fields(line); f[2] != hex.EncodeToString(data) {
				t.Errorf("%d bytes, turned by %s°, blurred by %s: zxing-cpp reads %.40s…", n, f[0], f[1], f[2])
			}
		}
	}
}

// TestOthersWrite reads what segno writes.
func TestOthersWrite(t *testing.T) {
	for _, n := range []int{425, 610, 990} {
		data, dir := noise(n), t.TempDir()
		oracle.Python(t, "-c", writeCodes, hex.EncodeToString(data), dir)
		for i := range 5 {
			f, err := os.Open(filepath.Join(dir, strconv.Itoa(i)+".png"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(f)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, picture %d: %d bytes, %v", n, i, len(got), err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
