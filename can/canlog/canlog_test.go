package canlog

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vignette/can"
)

// write puts content into a file of a temporary directory and returns its path.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRecognisesContent(t *testing.T) {
	const dump = "(1.000000) can0 123#AB\n"
	const csv = oldHeader + "1,21A,false,3,1,FE,\n"
	tests := []struct{ name, content, format, channel string }{
		{"a.log", dump, "candump", "can0"},
		{"a.csv", dump, "candump", "can0"},
		{"a.log", csv, "gvret", "3"},
		{"a", "\r\n\n" + dump, "candump", "can0"},
		{"bom.csv", byteOrderMark + csv, "gvret", "3"},
		{"bom.log", byteOrderMark + dump, "candump", "can0"},
		{"a.asc", "date Sat Sep 30\n 1.5 1 123 Rx d 0\n", "asc", "1"},
		{"a.trc", ";$FILEVERSION=1.1\n 1) 17.5 Rx 0123 0\n", "trc", "1"},
		{"old.trc", ";comment\n 1) 17.5 0123 0\n", "trc", "1"},
		{"p.csv", pythonCSV + "\n1.5,0x123,0,0,0,0,\n", "csv", "0"},
		{"t.csv", "time,id,data\n1.5,123,\n", "csv", "0"},
		{"n.csv", "1.5,123,00FF\n", "csv", "0"},
		{"a.txt", " (1.500000)  vcan0  123   [0]\n", "console", "vcan0"},
		{"drop.log", "DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 3)\n" + dump, "candump", "can0"},
	}
	for _, tt := range tests {
		log, err := Open(write(t, tt.name, tt.content))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		frames, err := readAll(log)
		if err != io.EOF || len(frames) != 1 || log.Format() != tt.format || !reflect.DeepEqual(log.Channels(), []string{tt.channel}) {
			t.Errorf("%s: %d frames of %s on %q, %v", tt.name, len(frames), log.Format(), log.Channels(), err)
		}
		read, total := log.Offset()
		if want := int64(len(tt.content)); read != want || total != want {
			t.Errorf("%s: offset %d of %d, want %d of both", tt.name, read, total, want)
		}
		if wantDrops := uint64(3 * strings.Count(tt.content, "DROP")); log.Dropped() != wantDrops {
			t.Errorf("%s: %d dropped, want %d", tt.name, log.Dropped(), wantDrops)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "none.log")
	tests := []struct{ path, want string }{
		{missing, ": cannot open the log: no such file or directory; check the path"},
		{dir, ": is a directory; name a log file in it"},
		{write(t, "a", ""), ": has no frames: empty file; record again"},
		{write(t, "a", "\n\r\n"), ": has no frames: only blank lines; record again"},
		{write(t, "a", "hello\nworld\n"), `: content is no known CAN log (it begins with "hello"); supported are candump, SavvyCAN's GVRET CSV, python-can's CSV, Vector ASC and BLF and PEAK TRC`},
		{write(t, "a", "\x00\x01\x02"), `: content is no known CAN log (it begins with "\x00\x01\x02"); supported are candump, SavvyCAN's GVRET CSV, python-can's CSV, Vector ASC and BLF and PEAK TRC`},
		{write(t, "a.log", "\x1F\x8B\x08"), ": gzip data is cut at about byte 3 of the file"},
		{write(t, "a.log", "\x1F\x8B\x08xxxxxxxxxxxxxxxxxxxxx"), ": gzip data is cut at about byte 24 of the file"},
		{write(t, "a.mf4", "MDF     4.10"), ": is an ASAM MDF log, which is not supported; export it as ASC, BLF or candump"},
		{write(t, "a.zip", "PK\x03\x04"), ": is a zip archive; unpack it first"},
	}
	for _, tt := range tests {
		log, err := Open(tt.path)
		if log != nil || err == nil || err.Error() != tt.path+tt.want {
			t.Errorf("error %v\nwant  %s%s", err, tt.path, tt.want)
		}
	}
}

func TestLogWithoutFrames(t *testing.T) {
	path := write(t, "a.csv", oldHeader)
	log, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var f can.Frame
	err = log.Read(&f)
	var format *can.FormatError
	if !errors.As(err, &format) || err.Error() != path+": has no frames; record again" {
		t.Errorf("error %v", err)
	}
}
