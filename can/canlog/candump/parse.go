package candump

import (
	"encoding/binary"

	"vignette/can"
)

// Flag bits of identifiers and of CAN FD frames, as in linux/can.h.
const (
	errFlag   = 0x20000000
	idMask    = 0x1FFFFFFF
	stdIDMax  = 0x7FF
	flagBRS   = 1
	flagESI   = 2
	flagFDF   = 4
	notHex    = 0xFF
	maxSecond = 9223372035 // the last whole second that int64 nanoseconds hold with any fraction
)

// hexValue maps an ASCII hex digit to its value and the rest to notHex.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = notHex
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c - '0'
	}
	for c := byte('A'); c <= 'F'; c++ {
		t[c] = c - 'A' + 10
		t[c+'a'-'A'] = c - 'A' + 10
	}
	return t
}()

// parseLine fills *f, all but Bus, from one line that is not blank. It returns
// the channel's name as a part of line. If what is not empty, it says what is
// wrong at the 0-based byte col. Nothing is allocated.
func parseLine(line []byte, f *can.Frame) (channel []byte, col int, what string) {
	*f = can.Frame{}
	pos, what := parseTime(line, f)
	if what != "" {
		return nil, pos, what
	}
	if pos = skipSpaces(line, pos); pos == len(line) {
		return nil, pos, "expected an interface name and a frame after the time"
	}
	start := pos
	pos += nameLength(line[pos:])
	channel = line[start:pos]
	if len(channel) == 0 || pos < len(line) && line[pos] != ' ' {
		return nil, pos, "interface name has a control character; names have printable characters only"
	}
	pos = skipSpaces(line, pos)
	if pos, what = parseID(line, pos, f); what != "" {
		return nil, pos, what
	}
	if pos, what = parsePayload(line, pos, f); what != "" {
		return nil, pos, what
	}
	pos, what = parseDirection(line, pos, f)
	return channel, pos, what
}

func skipSpaces(line []byte, pos int) int {
	for pos < len(line) && line[pos] == ' ' {
		pos++
	}
	return pos
}

// parseTime reads `(seconds.fraction)` and the space behind it.
func parseTime(line []byte, f *can.Frame) (int, string) {
	if len(line) > 20 && line[0] == '(' && line[11] == '.' && line[18] == ')' && line[19] == ' ' {
		// as candump writes today's times: ten digits of seconds, six of a fraction
		most, ok1 := eightDigits(binary.LittleEndian.Uint64(line[1:]))
		micros, ok2 := eightDigits(binary.LittleEndian.Uint64(line[10:])&^0xFFFF | '0'<<8 | '0')
		tens, ones := line[9]-'0', line[10]-'0'
		if ok1 && ok2 && tens <= 9 && ones <= 9 && most < 92_233_720 {
			f.Time = (int64(most)*100+int64(tens)*10+int64(ones))*1_000_000_000 + int64(micros)*1000
			return 20, ""
		}
	}
	if line[0] != '(' {
		return 0, "expected `(seconds.fraction) interface ID#DATA`; check that the file is a candump log"
	}
	seconds, n := digits(line[1:], 18)
	pos := 1 + n
	switch {
	case n == 0:
		return pos, "expected the digits of the seconds after `(`"
	case seconds > maxSecond || n == 18:
		return 1, "time is too large; seconds go up to 9223372035 (year 2262)"
	case pos == len(line) || line[pos] != '.':
		return pos, "expected `.` after the seconds"
	}
	pos++
	fraction, n := digits(line[pos:], 10)
	switch n {
	case 6:
		fraction *= 1000
	case 9:
	default:
		return pos, "fraction of the time needs 6 digits (microseconds) or 9 digits (nanoseconds)"
	}
	if pos += n; pos+1 >= len(line) || line[pos] != ')' || line[pos+1] != ' ' {
		return pos, "expected `) ` after the time"
	}
	f.Time = seconds*1_000_000_000 + fraction
	return pos + 2, ""
}

// digits reads the decimal digits that text begins with, most of them at most
// and 18 in any case: those cannot overflow.
func digits(text []byte, most int) (value int64, n int) {
	for _, c := range text {
		d := c - '0'
		if d > 9 || n == most {
			break
		}
		value = value*10 + int64(d)
		n++
	}
	return value, n
}

// parseID reads 3 or 8 hex digits and the `#` behind them.
func parseID(line []byte, pos int, f *can.Frame) (int, string) {
	start := pos
	var id uint32
	if len(line)-pos > 3 && line[pos+3] == '#' { // nearly always
		a, b, c := hexValue[line[pos]], hexValue[line[pos+1]], hexValue[line[pos+2]]
		if id = uint32(a)<<8 | uint32(b)<<4 | uint32(c); a <= 7 && b|c <= 15 {
			f.ID = id
			return pos + 4, ""
		}
		id = 0
	}
	for pos < len(line) && pos-start < 9 {
		v := hexValue[line[pos]]
		if v == notHex {
			break
		}
		id = id<<4 | uint32(v)
		pos++
	}
	if pos == len(line) || line[pos] != '#' {
		return pos, "expected an id of 3 or 8 hex digits and `#`"
	}
	switch pos - start {
	case 3:
		if id > stdIDMax {
			return start, "11-bit id is larger than 7FF; write a 29-bit id with 8 digits"
		}
		f.ID = id
	case 8:
		return parseLongID(start, pos, id, f)
	case 5:
		return start, "id has 5 hex digits, as CAN XL logs have: CAN XL is not supported, record classic CAN or CAN FD"
	default:
		return start, "id needs 3 hex digits (11 bits) or 8 (29 bits)"
	}
	return pos + 1, ""
}

// parseLongID judges an id of 8 digits: extended, or an error frame.
func parseLongID(start, pos int, id uint32, f *can.Frame) (int, string) {
	switch {
	case id&^uint32(idMask|errFlag) != 0:
		return start, "id has bits above the 29 of an id and the error bit 20000000; candump never writes them"
	case id&errFlag != 0:
		f.Flags |= can.Error
	default:
		f.Flags |= can.Extended
	}
	f.ID = id & idMask
	return pos + 1, ""
}

// parsePayload reads what follows `#`.
func parsePayload(line []byte, pos int, f *can.Frame) (int, string) {
	if pos == len(line) || line[pos] == ' ' {
		return pos, ""
	}
	switch line[pos] {
	case 'R', 'r':
		return parseRemote(line, pos+1, f)
	case '#':
		return parseFD(line, pos+1, f)
	}
	pos, n, what := parseData(line, pos, 8, f)
	if what != "" {
		return pos, what
	}
	f.Len = uint8(n)
	if pos < len(line) && line[pos] == '_' {
		return parseRawDLC(line, pos+1, f)
	}
	return pos, ""
}

// parseRemote reads the optional length of a remote request.
func parseRemote(line []byte, pos int, f *can.Frame) (int, string) {
	if f.Flags&can.Error != 0 {
		return pos - 1, "an error frame cannot be a remote request"
	}
	f.Flags |= can.Remote
	if pos == len(line) || line[pos] == ' ' {
		return pos, ""
	}
	if line[pos] < '0' || line[pos] > '8' {
		return pos, "length of a remote request is one digit, 0 to 8"
	}
	f.Len = line[pos] - '0'
	if pos++; pos < len(line) && line[pos] == '_' {
		return parseRawDLC(line, pos+1, f)
	}
	return pos, ""
}

// parseRawDLC checks the raw DLC of a classic frame with 8 bytes.
func parseRawDLC(line []byte, pos int, f *can.Frame) (int, string) {
	if f.Len != 8 || pos == len(line) || hexValue[line[pos]] < 9 || hexValue[line[pos]] > 15 {
		return pos - 1, "`_` gives a raw DLC of 9 to F and only follows a length of 8"
	}
	return pos + 1, ""
}

// parseFD reads the flag nibble and the data of a CAN FD frame.
func parseFD(line []byte, pos int, f *can.Frame) (int, string) {
	if f.Flags&can.Error != 0 {
		return pos - 1, "an error frame cannot be a CAN FD frame"
	}
	if pos == len(line) || hexValue[line[pos]] == notHex {
		return pos, "expected the flag digit of a CAN FD frame after `##`"
	}
	bits := hexValue[line[pos]]
	if bits&^(flagBRS|flagESI|flagFDF) != 0 {
		return pos, "CAN FD flag digit has an unknown bit; 1 is BRS, 2 ESI, 4 FDF"
	}
	f.Flags |= can.FD
	if bits&flagBRS != 0 {
		f.Flags |= can.BRS
	}
	if bits&flagESI != 0 {
		f.Flags |= can.ESI
	}
	start := pos + 1
	pos, n, what := parseData(line, start, can.MaxLen, f)
	if what != "" {
		return pos, what
	}
	if !can.ValidLength(n, true) {
		return start, "CAN FD frames have 0 to 8, 12, 16, 20, 24, 32, 48 or 64 bytes; the line may be damaged"
	}
	f.Len = uint8(n)
	return pos, ""
}

// parseData reads up to most bytes of hex, single points between them allowed.
func parseData(line []byte, pos, most int, f *can.Frame) (end, n int, what string) {
	rest := line[pos:]
	for n < most && len(rest) >= 8 { // plain digits, nearly every line has no others
		four, ok := eightHex(binary.LittleEndian.Uint64(rest))
		if !ok {
			break
		}
		binary.LittleEndian.PutUint32(f.Data[n&(can.MaxLen-4):], four)
		n += 4
		rest = rest[8:]
	}
	for n < most && len(rest) >= 2 {
		hi, lo := hexValue[rest[0]], hexValue[rest[1]]
		if hi|lo > 15 {
			break
		}
		f.Data[n&(can.MaxLen-1)] = hi<<4 | lo
		n++
		rest = rest[2:]
	}
	pos = len(line) - len(rest)
	for pos < len(line) { // whatever stopped them
		if line[pos] == ' ' || line[pos] == '_' {
			break
		}
		if line[pos] == '.' && n > 0 && pos+1 < len(line) {
			pos++
		}
		if pos+1 >= len(line) {
			return pos, n, "data ends in the middle of a byte; each byte has two hex digits"
		}
		hi, lo := hexValue[line[pos]], hexValue[line[pos+1]]
		if hi|lo > 15 {
			return badDigit(line, pos, hi, n)
		}
		if n == most {
			return pos, n, tooMuch(most)
		}
		f.Data[n&(can.MaxLen-1)] = hi<<4 | lo
		n++
		pos += 2
	}
	return pos, n, ""
}

// badDigit words the error of a byte whose first digit has the value hi.
func badDigit(line []byte, pos int, hi byte, n int) (int, int, string) {
	if hi == notHex {
		return pos, n, "data has a character that is no hex digit"
	}
	if line[pos+1] == ' ' {
		return pos, n, "data ends in the middle of a byte; each byte has two hex digits"
	}
	return pos + 1, n, "data has a character that is no hex digit"
}

func tooMuch(most int) string {
	if most == 8 {
		return "classic CAN frame has more than 8 bytes; CAN FD frames are written with `##` and a flag digit"
	}
	return "CAN FD frame has more than 64 bytes"
}

// parseDirection reads the optional ` R` or ` T` at the end of a line.
func parseDirection(line []byte, pos int, f *can.Frame) (int, string) {
	pos = skipSpaces(line, pos)
	if pos == len(line) {
		return pos, ""
	}
	if pos+1 == len(line) && line[pos-1] == ' ' {
		switch line[pos] {
		case 'R':
			return pos, ""
		case 'T':
			f.Flags |= can.Sent
			return pos, ""
		}
	}
	return pos, "expected the end of the line, or the direction R or T"
}
