package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// member is an entry of an archive as a kernel reads it.
type member struct {
	name string
	mode uint64
	data string
	dev  [2]uint64
}

// readArchive reads a newc archive by the field positions that the format names.
func readArchive(t *testing.T, b []byte) (list []member) {
	t.Helper()
	for at := 0; ; {
		header := string(b[at : at+110])
		field := func(i int) uint64 {
			n, err := strconv.ParseUint(header[6+8*i:14+8*i], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if header[:6] != "070701" || at%4 != 0 {
			t.Fatalf("at byte %d: %q is no header", at, header)
		}
		nameEnd := at + 110 + int(field(11))
		name := strings.TrimSuffix(string(b[at+110:nameEnd]), "\x00")
		data := (nameEnd + 3) &^ 3
		end := data + int(field(6))
		if name == "TRAILER!!!" {
			return list
		}
		list = append(list, member{name, field(1), string(b[data:end]), [2]uint64{field(9), field(10)}})
		at = (end + 3) &^ 3
	}
}

func TestArchive(t *testing.T) {
	var b bytes.Buffer
	a := newArchive(&b)
	a.directory("/tmp")
	a.file("/usr/bin/odd", 0o755, []byte("five5"))
	a.file("usr/bin/empty", 0o644, nil)
	a.device("dev/console", 5, 1)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	want := []member{
		{"tmp", 0o040755, "", [2]uint64{}},
		{"usr", 0o040755, "", [2]uint64{}},
		{"usr/bin", 0o040755, "", [2]uint64{}},
		{"usr/bin/odd", 0o100755, "five5", [2]uint64{}},
		{"usr/bin/empty", 0o100644, "", [2]uint64{}},
		{"dev", 0o040755, "", [2]uint64{}},
		{"dev/console", 0o020600, "", [2]uint64{5, 1}},
	}
	if got := readArchive(t, b.Bytes()); !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestArchiveRefusesTwoOfAName(t *testing.T) {
	a := newArchive(&bytes.Buffer{})
	a.file("init", 0o755, []byte("1"))
	a.file("/init", 0o755, []byte("2"))
	if err := a.close(); err == nil || !strings.Contains(err.Error(), "init is added twice") {
		t.Errorf("got %v", err)
	}
}

// writeModule writes the smallest ELF file that has a .modinfo.
func writeModule(t *testing.T, file, modinfo string) {
	t.Helper()
	names := "\x00.modinfo\x00.shstrtab\x00"
	const headerSize, sectionSize = 64, 64
	header := elf.Header64{Ident: [16]byte{0x7F, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_REL), Version: 1,
		Shoff: headerSize, Ehsize: headerSize, Shentsize: sectionSize, Shnum: 3, Shstrndx: 2}
	at := uint64(headerSize + 3*sectionSize)
	sections := []elf.Section64{{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: at, Size: uint64(len(modinfo))},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: at + uint64(len(modinfo)), Size: uint64(len(names))}}
	var b bytes.Buffer
	for _, part := range []any{header, sections, []byte(modinfo), []byte(names)} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestModuleClosure(t *testing.T) {
	dir := t.TempDir()
	for name, depends := range map[string]string{"can": "", "can-raw": "can", "vcan": "can-dev", "can-dev": "", "virtio_blk": "virtio_ring"} {
		writeModule(t, filepath.Join(dir, name+".ko"), fmt.Sprintf("license=GPL\x00depends=%s\x00name=%s\x00", depends, name))
	}
	if err := os.WriteFile(filepath.Join(dir, "modules.builtin"), []byte("kernel/drivers/virtio/virtio_ring.ko\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := findModules(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, err := m.closure("can-raw", "can", "vcan", "virtio-blk")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if want := []string{"can.ko", "can-raw.ko", "can-dev.ko", "vcan.ko", "virtio_blk.ko"}; !slices.Equal(files, want) {
		t.Errorf("got %v, want %v", files, want)
	}
	if _, err := m.closure("slcan"); err == nil || !strings.Contains(err.Error(), "no module slcan") {
		t.Errorf("got %v", err)
	}
}

func TestNeededOfAStaticProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "static.ko")
	writeModule(t, file, "")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := needed(data); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := needed([]byte("#!/bin/sh")); err == nil {
		t.Error("a script passed as a program")
	}
}
