package pack

import "errors"

// inflate reads a DEFLATE stream (RFC 1951) that begins with a dictionary, of at
// most limit bytes, and tells how much of in it was. The agent has this instead of
// compress/flate because that brings its compressor along, which is larger than
// all of this.
func inflate(in, dictionary []byte, limit int) (out []byte, used int, err error) {
	z := &inflater{in: in, out: append(make([]byte, 0, len(dictionary)+4*len(in)), dictionary...), limit: len(dictionary) + limit}
	for last := false; !last; {
		last = z.bits(1) == 1
		switch z.bits(2) {
		case 0:
			z.stored()
		case 1:
			z.codes(&fixedLengths, &fixedDistances)
		case 2:
			var lengths, distances huffman
			if z.tables(&lengths, &distances); z.err == nil {
				z.codes(&lengths, &distances)
			}
		default:
			z.fail(errDeflate)
		}
		if z.err != nil {
			return nil, 0, z.err
		}
	}
	return z.out[len(dictionary):], z.at, nil
}

var (
	errDeflate  = errors.New("it is no DEFLATE stream")
	errCut      = errors.New("it is cut")
	errTooLarge = errors.New("it is larger than any pack of a QR code")
)

// inflater is a stream that is being read. After an error all that is read is 0.
type inflater struct {
	in    []byte
	at    int
	hold  uint32 // bits that were taken from in, the next one lowest
	n     int    // of them
	out   []byte
	limit int
	err   error
}

func (z *inflater) fail(err error) {
	if z.err == nil {
		z.err = err
	}
}

// bits reads the next bits, at most 13.
func (z *inflater) bits(count int) int {
	for z.n < count {
		if z.at == len(z.in) {
			z.fail(errCut)
			return 0
		}
		z.hold |= uint32(z.in[z.at]) << z.n
		z.at++
		z.n += 8
	}
	got := z.hold & (1<<count - 1)
	z.hold >>= count
	z.n -= count
	return int(got)
}

// stored copies a block that is not compressed.
func (z *inflater) stored() {
	z.hold, z.n = 0, 0 // fewer than 8 bits, those to the next byte
	size, inverse := z.bits(8)|z.bits(8)<<8, z.bits(8)|z.bits(8)<<8
	switch {
	case z.err != nil:
	case size != inverse^0xffff:
		z.fail(errDeflate)
	case size > len(z.in)-z.at:
		z.fail(errCut)
	case size > z.limit-len(z.out):
		z.fail(errTooLarge)
	default:
		z.out = append(z.out, z.in[z.at:z.at+size]...)
		z.at += size
	}
}

// huffman is a canonical Huffman code of up to 15 bits.
type huffman struct {
	count  [16]int16 // codes by length
	symbol [288]int16
}

// makeHuffman makes the code whose symbols have codes of these lengths; ok is
// false if there is none, or it leaves codes without a meaning.
func makeHuffman(h *huffman, lengths []byte) (ok bool) {
	*h = huffman{}
	for _, l := range lengths {
		h.count[l]++
	}
	left := 1
	var next [16]int16
	for l := 1; l < 16; l++ {
		if left = left<<1 - int(h.count[l]); left < 0 {
			return false
		}
		next[l] = next[l-1]
		if l > 1 {
			next[l] += h.count[l-1]
		}
	}
	for symbol, l := range lengths {
		if l > 0 {
			h.symbol[next[l]] = int16(symbol)
			next[l]++
		}
	}
	used := len(lengths) - int(h.count[0])
	h.count[0] = 0
	return left == 0 || used == 0 || used == 1 && h.count[1] == 1
}

// next reads a symbol.
func (z *inflater) next(h *huffman) int {
	code, first, index := 0, 0, 0
	for l := 1; l < 16 && z.err == nil; l++ {
		code |= z.bits(1)
		count := int(h.count[l])
		if code-first < count {
			return int(h.symbol[index+code-first])
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	z.fail(errDeflate)
	return 0
}

// What the codes of lengths and distances begin at, and how many bits follow.
var (
	lengthFrom     = [29]int16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthBits     = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceFrom   = [30]int16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceBits   = [30]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
	lengthsOrder   = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	fixedLengths   huffman
	fixedDistances huffman
)

func init() {
	var l [288]byte
	for i := range l {
		switch {
		case i < 144, i >= 280:
			l[i] = 8
		case i < 256:
			l[i] = 9
		default:
			l[i] = 7
		}
	}
	makeHuffman(&fixedLengths, l[:])
	for i := range 30 {
		l[i] = 5
	}
	makeHuffman(&fixedDistances, l[:30])
}

// codes reads a compressed block.
func (z *inflater) codes(lengths, distances *huffman) {
	for z.err == nil {
		symbol := z.next(lengths)
		switch {
		case z.err != nil || symbol == 256:
			return
		case len(z.out) >= z.limit:
			z.fail(errTooLarge)
		case symbol < 256:
			z.out = append(z.out, byte(symbol))
		case symbol > 285:
			z.fail(errDeflate)
		default:
			z.copy(int(lengthFrom[symbol-257])+z.bits(int(lengthBits[symbol-257])), z.next(distances))
		}
	}
}

// copy repeats what was written at a distance, whose code is given.
func (z *inflater) copy(length, code int) {
	if code > 29 {
		z.fail(errDeflate)
		return
	}
	distance := int(distanceFrom[code]) + z.bits(int(distanceBits[code]))
	switch {
	case z.err != nil:
	case distance > len(z.out):
		z.fail(errDeflate)
	case length > z.limit-len(z.out):
		z.fail(errTooLarge)
	default:
		for range length {
			z.out = append(z.out, z.out[len(z.out)-distance])
		}
	}
}

// tables reads the codes of a block that brings its own.
func (z *inflater) tables(lengths, distances *huffman) {
	nLength, nDistance, nCode := z.bits(5)+257, z.bits(5)+1, z.bits(4)+4
	var l [286 + 30 + 138]byte
	for i := range nCode {
		l[lengthsOrder[i]] = byte(z.bits(3))
	}
	var code huffman
	if nLength > 286 || nDistance > 30 || !makeHuffman(&code, l[:19]) {
		z.fail(errDeflate)
		return
	}
	l = [len(l)]byte{}
	for i := 0; i < nLength+nDistance && z.err == nil; {
		symbol, repeat := z.next(&code), 1
		value := byte(symbol)
		switch symbol {
		case 16:
			if i == 0 {
				z.fail(errDeflate)
				return
			}
			value, repeat = l[i-1], 3+z.bits(2)
		case 17:
			value, repeat = 0, 3+z.bits(3)
		case 18:
			value, repeat = 0, 11+z.bits(7)
		}
		for range repeat {
			l[i] = value
			i++
		}
		if i > nLength+nDistance {
			z.fail(errDeflate)
		}
	}
	if z.err == nil && (l[256] == 0 || !makeHuffman(lengths, l[:nLength]) || !makeHuffman(distances, l[nLength:nLength+nDistance])) {
		z.fail(errDeflate)
	}
}
