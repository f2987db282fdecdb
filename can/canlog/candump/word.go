package candump

import (
	"encoding/binary"
	"math/bits"
)

// Eight characters of a line at once, the first one in the lowest byte.
const (
	each = 0x0101010101010101 // times a byte: that byte eight times
	high = each * 0x80
)

// eightDigits is the value of eight decimal digits; ok is false if one is none.
func eightDigits(x uint64) (value uint64, ok bool) {
	if x&(each*0xF0)|(x+each*6)&(each*0xF0)>>4 != each*0x33 {
		return 0, false
	}
	x -= each * '0'
	x = x*10 + x>>8 // pairs, in bytes 0, 2, 4, 6
	const pair = 0x000000FF000000FF
	return ((x&pair)*(100+1_000_000<<32) + (x>>16&pair)*(1+10_000<<32)) >> 32, true
}

// eightHex is the value of eight hex digits as four bytes, the first one in the
// lowest; ok is false if one is none.
func eightHex(x uint64) (value uint32, ok bool) {
	if x&high != 0 {
		return 0, false
	}
	// Sums that reach bit 7 tell where a byte is at least so large.
	lower := x | each*0x20
	digit := (x + each*(0x80-'0')) &^ (x + each*(0x7F-'9'))
	letter := (lower + each*(0x80-'a')) &^ (lower + each*(0x7F-'f'))
	if (digit|letter)&high != high {
		return 0, false
	}
	x = x&(each*0xF) + (x>>6&each)*9 // letters have bit 6, and 9 to add
	x = (x<<4 | x>>8) & 0x00FF00FF00FF00FF
	x = (x | x>>8) & 0x0000FFFF0000FFFF
	return uint32(x | x>>16), true
}

// nameLength is the length of the printable characters that text begins with.
func nameLength(text []byte) int {
	if len(text) >= 8 {
		x := binary.LittleEndian.Uint64(text)
		if end := (^(x + each*(0x80-'!')) | (x + each)) & high; x&high == 0 && end != 0 {
			return bits.TrailingZeros64(end) / 8
		}
	}
	n := 0
	for n < len(text) && text[n] > ' ' && text[n] != 0x7F {
		n++
	}
	return n
}
