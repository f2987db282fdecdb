package canlog

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"vignette/can"
)

// readHostile reads content with the reader of a format. Whatever the bytes,
// each frame is one that a bus can carry, and the end is io.EOF or damage, twice.
func readHostile(t *testing.T, r decoder) {
	t.Helper()
	var f can.Frame
	var err error
	for err = r.Read(&f); err == nil; err = r.Read(&f) {
		if e := check(&f); e != nil {
			t.Fatalf("%+v: %v", f, e)
		}
		if int(f.Bus) >= len(r.Channels()) {
			t.Fatalf("bus %d of %q", f.Bus, r.Channels())
		}
	}
	var damage *can.FormatError
	if err != io.EOF && !errors.As(err, &damage) {
		t.Fatal(err)
	}
	if again := r.Read(&f); again != err {
		t.Fatalf("%v after %v", again, err)
	}
}

func fuzzFormat(f *testing.F, format string) {
	f.Fuzz(func(t *testing.T, content []byte) {
		r := newDecoder(format, "log", bytes.NewReader(content))
		readHostile(t, r)
		if n := r.Offset(); n < 0 || n > int64(len(content)) {
			t.Fatalf("offset %d of %d", n, len(content))
		}
	})
}

func FuzzASC(f *testing.F)     { fuzzFormat(f, "asc") }
func FuzzBLF(f *testing.F)     { fuzzFormat(f, "blf") }
func FuzzTRC(f *testing.F)     { fuzzFormat(f, "trc") }
func FuzzCSV(f *testing.F)     { fuzzFormat(f, "csv") }
func FuzzConsole(f *testing.F) { fuzzFormat(f, "console") }

// FuzzStart recognises, unpacks and reads whatever comes.
func FuzzStart(f *testing.F) {
	f.Fuzz(func(t *testing.T, content []byte) {
		log := Log{path: "log"}
		defer log.release()
		if err := log.start(bytes.NewReader(content)); err == nil {
			readHostile(t, log.decoder)
		}
	})
}
