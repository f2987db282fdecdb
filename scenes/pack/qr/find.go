package qr

import (
	"cmp"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/common"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// What is looked at of a picture.
const (
	maxSeen    = 2000 // things that look like corners, after which no more are looked for
	maxCenters = 48   // of these, those seen in most rows
	maxTriples = 64   // of these, as the corners of a code
)

// read gives the bytes of the code in a picture in black and white, nil where
// there is none. The library's own search takes the first three things that look
// like corners; of codes of typical size one in fifteen has data that look so. So
// all are found, and threes of them are tried, the likeliest first.
func read(m *gozxing.BitMatrix) []byte {
	for _, c := range triples(centers(m)) {
		if data := at(m, c.info); data != nil {
			return data
		}
	}
	return nil
}

// at gives the bytes of the code with these corners, nil where there is none. The
// library indexes what it finds in pictures, and some make it panic.
func at(m *gozxing.BitMatrix, c *detector.FinderPatternInfo) (data []byte) {
	defer func() {
		if recover() != nil {
			data = nil
		}
	}()
	if found, err := detector.NewDetector(m).ProcessFinderPatternInfo(c); err == nil {
		if data := decode(found.GetBits()); data != nil {
			return data
		}
	}
	return decode(flat(m, c))
}

// flat samples a code by its corners alone, in the size whose timing patterns, row
// and column 6, alternate best: data may look like the alignment pattern too, and
// the library guesses the size by the width of a corner, which blur changes.
func flat(m *gozxing.BitMatrix, c *detector.FinderPatternInfo) *gozxing.BitMatrix {
	var best *gozxing.BitMatrix
	least := 0.25
	for n := 21; n <= 177; n += 4 {
		t := detector.Detector_createTransform(c.GetTopLeft(), c.GetTopRight(), c.GetBottomLeft(), nil, n)
		if wrong := mistimed(m, t, n); wrong < least {
			if bits, err := detector.Detector_sampleGrid(m, t, n); err == nil {
				best, least = bits, wrong
			}
		}
	}
	return best
}

// mistimed is the share of the timing patterns' modules that have the wrong colour
// in a code of n modules a side.
func mistimed(m *gozxing.BitMatrix, t *common.PerspectiveTransform, n int) float64 {
	wrong := 0
	for i := 8; i < n-8; i++ {
		p := []float64{float64(i) + 0.5, 6.5, 6.5, float64(i) + 0.5}
		t.TransformPoints(p)
		for ; len(p) > 0; p = p[2:] {
			x, y := int(p[0]), int(p[1])
			black := x >= 0 && y >= 0 && x < m.GetWidth() && y < m.GetHeight() && m.Get(x, y)
			if black != (i%2 == 0) {
				wrong++
			}
		}
	}
	return float64(wrong) / float64(2*(n-16))
}

// asBytes has bytes that no segment declares otherwise read as Latin-1, as
// Encode marks them.
var asBytes = map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_CHARACTER_SET: "ISO-8859-1"}

// decode gives a code's bytes, nil where it is none. Digits and capitals may be in
// segments of their own, so its text is what counts; each character is a byte.
func decode(bits *gozxing.BitMatrix) []byte {
	if bits == nil {
		return nil
	}
	result, err := decoder.NewDecoder().Decode(bits, asBytes)
	if err != nil {
		return nil
	}
	var data []byte
	for _, r := range result.GetText() {
		if r > 0xff {
			return slices.Concat(result.GetByteSegments()...)
		}
		data = append(data, byte(r))
	}
	return data
}

// centers are the places whose rows, columns and diagonals are black, white,
// black, white and black in the proportions 1:1:3:1:1 (ISO/IEC 18004, 6.3.3), those
// seen in most rows first.
func centers(m *gozxing.BitMatrix) []*detector.FinderPattern {
	f := detector.NewFinderPatternFinder(m, nil)
	for y := 0; y < m.GetHeight() && len(f.GetPossibleCenters()) < maxSeen; y++ {
		var runs [5]int
		black := false
		for x := range m.GetWidth() + 1 {
			now := x < m.GetWidth() && m.Get(x, y)
			if now == black {
				runs[4]++
				continue
			}
			if black && detector.FinderPatternFinder_foundPatternCross(runs[:]) {
				f.HandlePossibleCenter(runs[:], y, x)
			}
			copy(runs[:], runs[1:])
			runs[4], black = 1, now
		}
	}
	found := f.GetPossibleCenters()
	slices.SortStableFunc(found, func(a, b *detector.FinderPattern) int { return b.GetCount() - a.GetCount() })
	return found[:min(len(found), maxCenters)]
}

// triple are three centers and how far they are from a square's corners of one size.
type triple struct {
	info *detector.FinderPatternInfo
	off  float64
}

// triples are the likeliest corners of codes.
func triples(c []*detector.FinderPattern) []triple {
	var all []triple
	for i := range c {
		for j := range i {
			for k := range j {
				if t := corners(c[i], c[j], c[k]); t.off < 1 {
					all = append(all, t)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b triple) int { return cmp.Compare(a.off, b.off) })
	return all[:min(len(all), maxTriples)]
}

// corners are three centers as those of a code: the sides at its top left are as
// long as each other and square, and the three are of one size.
func corners(p, q, r *detector.FinderPattern) triple {
	a, b, c := gozxing.ResultPoint_OrderBestPatterns(p, q, r)
	left, top, right := a.(*detector.FinderPattern), b.(*detector.FinderPattern), c.(*detector.FinderPattern)
	down, across, slope := gozxing.ResultPoint_Distance(top, left), gozxing.ResultPoint_Distance(top, right), gozxing.ResultPoint_Distance(left, right)
	sizes := []float64{p.GetEstimatedModuleSize(), q.GetEstimatedModuleSize(), r.GetEstimatedModuleSize()}
	off := math.Abs(down-across)/slope + math.Abs(down*down+across*across-slope*slope)/(slope*slope) + slices.Max(sizes)/slices.Min(sizes) - 1
	return triple{detector.NewFinderPatternInfo(left, top, right), off}
}
