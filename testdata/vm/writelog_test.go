package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// logOf writes a log as QEMU does, with sectors of 512 bytes.
func logOf(t *testing.T, entries ...diskWrite) string {
	t.Helper()
	head := make([]byte, deviceSector)
	binary.LittleEndian.PutUint64(head, writeLogMagic)
	binary.LittleEndian.PutUint64(head[8:], writeLogVersion)
	binary.LittleEndian.PutUint64(head[16:], uint64(len(entries)))
	binary.LittleEndian.PutUint32(head[24:], deviceSector)
	for i, e := range entries {
		b := make([]byte, deviceSector)
		binary.LittleEndian.PutUint64(b, uint64(e.offset/deviceSector))
		binary.LittleEndian.PutUint64(b[8:], uint64(e.size/deviceSector))
		binary.LittleEndian.PutUint64(b[16:], e.flags)
		head = append(append(head, b...), bytes.Repeat([]byte{byte('a' + i)}, int(e.size))...)
	}
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// memoryDisk is a disk in memory.
type memoryDisk []byte

func (d memoryDisk) WriteAt(b []byte, at int64) (int, error) { return copy(d[at:], b), nil }

// TestReplayKeepsWhatWasSynced cuts a log everywhere: what a flush or FUA stands
// behind is there, what comes after the cut is not, and what lies between is as
// chance has it, a page whole or not at all.
func TestReplayKeepsWhatWasSynced(t *testing.T) {
	l, err := openWriteLog(logOf(t, diskWrite{offset: 0, size: pageSize}, diskWrite{flags: flagFlush}, diskWrite{offset: pageSize, size: 2 * pageSize},
		diskWrite{offset: 4 * pageSize, size: pageSize, flags: flagFUA}, diskWrite{offset: 0, size: pageSize}, diskWrite{flags: flagFlush}))
	if err != nil {
		t.Fatal(err)
	}
	states := map[int]map[string]bool{}
	for at := range len(l.entries) + 1 {
		states[at] = map[string]bool{}
		for seed := range uint64(2000) {
			random := rand.New(rand.NewPCG(seed, 1))
			d := make(memoryDisk, 5*pageSize)
			if err := l.replay(d, drawCut(at, random), random); err != nil {
				t.Fatal(err)
			}
			states[at][d.String()] = true
		}
	}
	for at, want := range []string{"-----", "----- a----", "a----", "a---- a-c-- ac--- acc--", "a---d a-c-d ac--d acc-d",
		"a---d a-c-d ac--d acc-d e---d e-c-d ec--d ecc-d", "ecc-d"} {
		if got := states[at]; len(got) != len(strings.Fields(want)) {
			t.Errorf("cut before %d: %v, want %s", at, got, want)
		}
		for _, one := range strings.Fields(want) {
			if !states[at][one] {
				t.Errorf("cut before %d: %v, never %s", at, states[at], one)
			}
		}
	}
	if bytes, flushes := l.volume(); bytes != 5*pageSize || flushes != 2 {
		t.Errorf("%d bytes and %d flushes in all", bytes, flushes)
	}
}

// String has a letter a page, which must be of one write; "-": untouched.
func (d memoryDisk) String() (text string) {
	for at := 0; at < len(d); at += pageSize {
		if page := d[at : at+pageSize]; !bytes.Equal(page, bytes.Repeat(page[:1], pageSize)) {
			text += "?"
		} else if page[0] == 0 {
			text += "-"
		} else {
			text += string(page[:1])
		}
	}
	return text
}

// TestBadWriteLogs has logs that are none, each with its error.
func TestBadWriteLogs(t *testing.T) {
	whole, err := os.ReadFile(logOf(t, diskWrite{offset: 0, size: 512}, diskWrite{flags: flagFlush}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		change     func(b []byte) []byte
	}{
		{"empty", "EOF", func([]byte) []byte { return nil }},
		{"another file", "does not begin with the magic", func(b []byte) []byte { b[0] = 0; return b }},
		{"another version", "version 2; this program reads version 1", func(b []byte) []byte { b[8] = 2; return b }},
		{"odd sectors", "sectors of 513 bytes", func(b []byte) []byte { b[24] = 1; return b }},
		{"cut", "entry 1 at byte 1536: EOF", func(b []byte) []byte { return b[:3*deviceSector] }},
		{"a mark", "entry 0 is a mark", func(b []byte) []byte { b[deviceSector+16] = flagMark; return b }},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(name, c.change(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := openWriteLog(name); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestCopySparse(t *testing.T) {
	from := append(make([]byte, 200<<10), "end"...)
	d := make(memoryDisk, len(from)+7)
	if err := copySparse(d, 7, bytes.NewReader(from)); err != nil || !bytes.Equal(d[7:], from) {
		t.Errorf("%v, or it is another copy", err)
	}
}
