package canlog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"vignette/can"
)

// show gives a frame a short form: time in ns, channel, id, flags, data.
func show(f *can.Frame, channels []string) string {
	flags := ""
	for i, letter := range "xrefbst" {
		if f.Flags>>i&1 != 0 {
			flags += string(letter)
		}
	}
	data := hex.EncodeToString(f.Payload())
	if f.Flags&can.Remote != 0 {
		data = fmt.Sprint(f.Len)
	}
	return fmt.Sprintf("%d %s %X %s %s", f.Time, channels[f.Bus], f.ID, flags, data)
}

// readText reads a log and returns its frames and what ended it.
func readText(t *testing.T, format, text string) ([]string, error) {
	t.Helper()
	r := newDecoder(format, "log", strings.NewReader(text))
	var out []string
	var f can.Frame
	for {
		if err := r.Read(&f); err != nil {
			return out, err
		}
		out = append(out, show(&f, r.Channels()))
	}
}

func TestFormats(t *testing.T) {
	const v21 = ";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n"
	tests := []struct {
		format, text string
		want         []string
	}{
		{"asc", "base dec timestamps relative\n0.5 Start of measurement\n0.25 1 100 Rx d 2 255 1\n0.25 2 4000x Tx r 3\n",
			[]string{"750000000 1 64  ff01", "1000000000 2 FA0 xrt 3"}},
		{"asc", "date Die Mär 1 2017\r\nbase hex\r\n 1.5 1 7ff Rx d 0\r\n 2.000000001 1 1 TxRq d 1 00\r\n 3 1 1 Rx d 1 0A",
			[]string{"1500000000 1 7FF  ", "3000000000 1 1  0a"}},
		{"asc", "1.0 CANFD 1 Rx 12 0 0 0 0 0 0 1000\n2.0 CANFD 1 Rx 12 Speed 1 1 9 12 1 2 3 4 5 6 7 8 9 A B C 0 0\n3.0 CANFD 1 Tx 12x 0 0 5 0\n",
			[]string{"1000000000 1 12 f ", "2000000000 1 12 fbs 0102030405060708090a0b0c", "3000000000 1 12 xrt 5"}},
		{"asc", "1.0 CANFD 1 Rx 12 0 0 2  2 01 02 130000 130 0 0\n2.0 CANFD 1 Rx 12 0 0 0  0 130000 130 10\n3.0 CANFD 1 Rx 12 0 0 0  0 130000 130 1000\n",
			[]string{"1000000000 1 12  0102", "2000000000 1 12 r 0", "3000000000 1 12 f "}},
		{"asc", "1.0 1 J1939TP FEE3p 6 0 0 - Rx d 1785" + strings.Repeat(" FF", 1785) + "\n2.0 1 1 Rx d 1 0A\n", []string{"2000000000 1 1  0a"}},
		{"trc", ";x\n 1) 17535.5 0100 1 07\n 2) 18 00000100 1 RTR\n 3) 19 FFFFFFFF 4 00 00 00 04\n",
			[]string{"17535500000 1 100  07", "18000000 1 100 xr 1"}},
		{"trc", ";$FILEVERSION=1.3\n 1) 1.5 2 Tx 0100 - 2 07 08\n 2) 2.5 3 Error 0004 - 0\n 3) 3.5 2 Warng FFFFFFFF - 4 00 00 00 08\n",
			[]string{"1500000 2 100 t 0708", "2500000 3 0 e "}},
		{"trc", v21 + " 1 1.001 FB 1 0100 Rx - 9 00 01 02 03 04 05 06 07 08 09 0A 0B\n 2 2 FE 1 0100 Tx - 1 FF\n 3 2 BI 1 0100 Rx - 0\n 4 2 FD 2 00000100 Rx - 0\n 5 3 ER 2 0001 Rx - 1 00\n 6 4 EC 1 Rx 00 00\n",
			[]string{"1001000 1 100 fb 000102030405060708090a0b", "2000000 1 100 fbst ff", "2000000 1 100 fs ", "2000000 2 100 xf ", "3000000 2 0 e "}},
		{"csv", pythonCSV + "\n1e-05,0x1,0,0,0,1,/w==\n-2,0x12345678,1,1,0,8,\n0.30000000000000004,0x4,1,0,1,0,\n1,0x1,0,0,0,12,AAAAAAAAAAAAAAAA",
			[]string{"10000 0 1  ff", "-2000000000 0 12345678 xr 8", "300000000 0 4 e ", "1000000000 0 1 f 000000000000000000000000"}},
		{"csv", "Time, Bus, ID, Data\n1.5,can1,7FF,00-11\n1.5,can0,800,0x2233\n1.5,can1,00000001,\n",
			[]string{"1500000000 can1 7FF  0011", "1500000000 can0 800 x 2233", "1500000000 can1 1 x "}},
		{"console", " (1.5) can0 RX B E 123 [02] AA BB\n (1.5) can0 20000004 [1] 00 ERRORFRAME\n\n (1.5) can1 TX - - 12345678 [4] remote request\n",
			[]string{"1500000000 can0 123 fbs aabb", "1500000000 can0 4 e 00", "1500000000 can1 12345678 xrt 4"}},
	}
	for _, tt := range tests {
		got, err := readText(t, tt.format, tt.text)
		if err != io.EOF || strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%s %q: %v\n%s\nwant\n%s", tt.format, tt.text, err, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}

func TestDamagedText(t *testing.T) {
	const v2 = ";$FILEVERSION=2.0\n;$COLUMNS=N,O,T,I,d,l,D\n"
	const csv = "time,id,data\n"
	tests := []struct{ format, text, want string }{
		{"asc", "base oct\n", "log:1:6: base must be hex or dec"},
		{"asc", "base hex timestamps often\n", "log:1:21: timestamps must be absolute or relative"},
		{"asc", "1.0 1 123 Rx d 2 00\n", "log:1:20: data byte is missing"},
		{"asc", "1.0 1 123 Rx d 1 100\n", "log:1:18: data byte is no number from 0 to 255"},
		{"asc", "1.0 1 Speed Rx d 1 10\n", "log:1:7: id is no number in the log's base"},
		{"asc", "1.0 1 800 Rx d 1 10\n", "log:1:7: id has more than 11 bits"},
		{"asc", "1.0 1 20000000x Rx d 1 10\n", "log:1:7: id has more than 29 bits"},
		{"asc", "1.0 1 100 Rx q 1 10\n", "log:1:14: expected d (data) or r (remote)"},
		{"asc", "1.0 CANFD 1 Rx 12 0 0 9 13 00\n", "log:1:25: data length must be"},
		{"asc", "1.0 CANFD 1 Rx 12 name\n", "log:1:23: expected the bit rate switch"},
		{"asc", "9223372037.0 1 100 Rx d 0\n", "log:1:1: time is no number of seconds"},
		{"asc", "1.0 1 123 Rx d 1 1", "log:1:19: last line has no newline"},
		{"asc", "1.0 CANFD 1 Rx 12 0 0 1  1 01 130000 130 10", "log:1:44: last line has no newline"},
		{"asc", "1.0 1 123 Rx", "log:1:13: expected d (data)"},
		{"asc", "1.0 1 123 R", "log:1:12: last line has no newline"},
		{"asc", "\x00\x00\n", "log:1:1: line begins with a control character"},
		{"asc", "1.0 1 123 Rx d 1 11" + strings.Repeat(" ", 33000) + "\n", "log:1: line is longer than 32768 bytes"},
		{"trc", ";$FILEVERSION=3.0\n", `log:1: trace version "3.0" is not supported`},
		{"trc", ";$FILEVERSION=2.1\n1 1 DT\n", "log:2: trace of version 2.1 has no $COLUMNS line"},
		{"trc", ";$COLUMNS=N,O\n", "log:1: $COLUMNS has 0 columns T"},
		{"trc", ";$COLUMNS=O,T,I,D\n", "log:1: $COLUMNS needs one of l and L"},
		{"trc", v2 + "1 x DT 0100 Rx 0\n", "log:3:3: time is no number of milliseconds"},
		{"trc", v2 + "1 1 XX 0100 Rx 0\n", "log:3:5: unknown type"},
		{"trc", v2 + "1 1 DT 0800 Rx 0\n", "log:3:8: id of 4 digits has more than 11 bits"},
		{"trc", v2 + "1 1 DT 0100 Up 0\n", "log:3:13: direction must be Rx or Tx"},
		{"trc", v2 + "1 1 DT 0100 Rx 9 00\n", "log:3:16: length is none of its kind"},
		{"trc", v2 + "1 1 DT 0100 Rx 2 00\n", "log:3:20: data byte is missing"},
		{"trc", v2 + "1 1 DT 0100 Rx 1 0", "log:3:19: last line has no newline"},
		{"csv", csv + "1,123\n", "log:2: line has 2 cells where 3 are needed"},
		{"csv", csv + "x,123,00\n", "log:2:1: time is no number"},
		{"csv", csv + "1,20000000,00\n", "log:2:3: id is no hex number of 29 bits"},
		{"csv", csv + "1,123,0\n", "log:2:7: data ends in the middle of a byte"},
		{"csv", csv + "1,123,000102030405060708\n", "log:2:7: data has a length that no frame has"},
		{"csv", csv + "1,123,00", "log:2:9: last line has no newline"},
		{"csv", pythonCSV + "\n1,0x800,0,0,0,0,\n", "log:2:3: id has more than 11 bits and extended is 0"},
		{"csv", pythonCSV + "\n1,0x1,2,0,0,0,\n", "log:2:7: must be 0 or 1"},
		{"csv", pythonCSV + "\n1,0x1,0,0,0,1,\n", "log:2:13: dlc does not agree with the data"},
		{"csv", pythonCSV + "\n1,0x1,0,0,0,1,?\n", "log:2:15: data is no base64"},
		{"console", "can0 123 [1] 00\n", "log:1:1: line has no time in seconds"},
		{"console", "(1.5) can0 123 [9] 00\n", "log:1:16: length is none of its kind"},
		{"console", "(1.5) can0 1234 [1] 00\n", "log:1:12: id needs 3 hex digits"},
		{"console", "(1.5) can0 123 [1] 0", "log:1:21: last line has no newline"},
	}
	for _, tt := range tests {
		_, err := readText(t, tt.format, tt.text)
		var damage *can.FormatError
		if !errors.As(err, &damage) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s %q: %v\nwant %s", tt.format, tt.text, err, tt.want)
		}
	}
}

func TestDamagedBLF(t *testing.T) {
	good := blfFile(nil, 0, 0)
	zero := bytes.Clone(good)
	zero = append(zero, "LOBJ\x10\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00"...)
	zero = append(zero, make([]byte, 16)...)
	long := bytes.Clone(good)
	long[17] = 0xFF
	tests := []struct{ name, text, want string }{
		{"short", "LOGG", "log: byte 4: the log ends in the middle of an object: it is cut"},
		{"header", "LOGG" + strings.Repeat("\x00", 100), "log: byte 72: header size 0 is none of a BLF file"},
		{"size", string(zero), "log: byte 176: object has a size of 0 bytes"},
		{"long", string(long), "log: byte 176: the log is cut here: its header says 65280 bytes"},
		{"method", string(blfFile([]byte("x"), 7, 1)), "log: container at byte 144: container is compressed with method 7"},
		{"junk", string(good) + "no object is here", "log: byte 184: no object begins here"},
		{"zlib", string(blfFile([]byte("\x78\x9cxxxxxxxxxxxxxxxxxxxxxx"), 2, 100)), "log: container at byte 144: compressed data is damaged"},
		{"object", string(blfFile([]byte("LOBJ\x20\x00\x01\x00\x20\x00\x00\x00\x01\x00\x00\x00"+strings.Repeat("\x00", 16)), 0, 0)),
			"log: container at byte 144: object of type 1 has 32 bytes, a header of 32 and version 1: it is damaged"},
	}
	for _, tt := range tests {
		_, err := readText(t, "blf", tt.text)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}
