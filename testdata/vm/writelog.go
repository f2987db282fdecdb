package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
)

// The log of what a disk was asked to do, as QEMU's blklogwrites and Linux's
// dm-log-writes write it, all little endian: a sector with the magic, the version,
// the number of entries and the size of a sector; then each entry's sector, with
// where it writes to, how many sectors, its flags and the length of a mark, and
// behind it the data. See Documentation/admin-guide/device-mapper/log-writes.rst
// of Linux.
const (
	writeLogMagic   = 0x6a736677736872
	writeLogVersion = 1

	flagFlush   = 1 // what was written before is on the disk
	flagFUA     = 2 // this write is
	flagDiscard = 4
	flagMark    = 8

	deviceSector = 512 // of a disk

	// What a disk writes whole or not at all, as flash does, whose pages are no
	// smaller. ext4 counts on it: where the block that commits its journal's last
	// transaction is torn, it does not mount until e2fsck was there.
	pageSize = 4096
)

// diskWrite is one entry: a write, or a flush without data.
type diskWrite struct {
	offset int64 // on the disk, bytes
	size   int64
	flags  uint64
	at     int64 // of its data in the log, bytes
}

// writeLog is an open log.
type writeLog struct {
	file    *os.File
	entries []diskWrite
}

// openWriteLog reads the entries of a log, and none of their data.
func openWriteLog(name string) (*writeLog, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	l := &writeLog{file: file}
	if err := l.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return l, nil
}

func (l *writeLog) read() error {
	var head [28]byte
	if _, err := l.file.ReadAt(head[:], 0); err != nil {
		return err
	}
	sector := int64(binary.LittleEndian.Uint32(head[24:]))
	switch {
	case binary.LittleEndian.Uint64(head[:]) != writeLogMagic:
		return errors.New("it does not begin with the magic of a log of writes")
	case binary.LittleEndian.Uint64(head[8:]) != writeLogVersion:
		return fmt.Errorf("version %d; this program reads version %d", binary.LittleEndian.Uint64(head[8:]), writeLogVersion)
	case sector < deviceSector || sector&(sector-1) != 0:
		return fmt.Errorf("sectors of %d bytes", sector)
	}
	at := sector
	for range binary.LittleEndian.Uint64(head[16:]) {
		var e [32]byte
		if _, err := l.file.ReadAt(e[:], at); err != nil {
			return fmt.Errorf("entry %d at byte %d: %w", len(l.entries), at, err)
		}
		w := diskWrite{offset: int64(binary.LittleEndian.Uint64(e[:])) * sector, size: int64(binary.LittleEndian.Uint64(e[8:])) * sector,
			flags: binary.LittleEndian.Uint64(e[16:]), at: at + sector}
		at += sector
		switch {
		case w.flags&flagMark != 0:
			return fmt.Errorf("entry %d is a mark, which QEMU does not write", len(l.entries))
		case w.flags&flagDiscard == 0:
			at += w.size
		}
		l.entries = append(l.entries, w)
	}
	return nil
}

// data reads what an entry writes.
func (l *writeLog) data(w *diskWrite) ([]byte, error) {
	b := make([]byte, w.size)
	_, err := l.file.ReadAt(b, w.at)
	return b, err
}

// cut is a power loss: entries[:at] had been asked for. What was written since
// the last flush is on the disk or not, each page of its own, as chance has it;
// kept is how likely a write is, and torn how likely not all of it is.
type cut struct {
	at         int
	kept, torn float64
}

// drawCut draws a power loss, before the entry of an index.
func drawCut(at int, random *rand.Rand) cut {
	return cut{at: at, kept: []float64{0, 0.5, 0.9}[random.IntN(3)], torn: []float64{0, 0.3}[random.IntN(2)]}
}

// replay writes to disk what it holds after a power loss. The writes that were
// synced come first, in their order; of those after the last flush, any.
func (l *writeLog) replay(disk io.WriterAt, c cut, random *rand.Rand) error {
	synced := 0
	for i := range l.entries[:c.at] {
		if l.entries[i].flags&flagFlush != 0 {
			synced = i
		}
	}
	for i := range l.entries[:c.at] {
		w := &l.entries[i]
		if w.size == 0 || w.flags&flagDiscard != 0 {
			continue // what is discarded may still be there
		}
		data, err := l.data(w)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		certain := i < synced || w.flags&flagFUA != 0
		if !certain && random.Float64() >= c.kept {
			continue
		}
		torn := !certain && random.Float64() < c.torn
		if err := writePages(disk, w.offset, data, torn, random); err != nil {
			return err
		}
	}
	return nil
}

// writePages writes data, torn: only some of its pages.
func writePages(disk io.WriterAt, offset int64, data []byte, torn bool, random *rand.Rand) error {
	if !torn {
		_, err := disk.WriteAt(data, offset)
		return err
	}
	for len(data) > 0 {
		n := min(len(data), int(pageSize-offset%pageSize))
		if random.IntN(2) == 1 {
			if _, err := disk.WriteAt(data[:n], offset); err != nil {
				return err
			}
		}
		data, offset = data[n:], offset+int64(n)
	}
	return nil
}

// volume is what a log asked of a disk in all.
func (l *writeLog) volume() (bytes int64, flushes int) {
	for i := range l.entries {
		bytes += l.entries[i].size
		if l.entries[i].flags&flagFlush != 0 {
			flushes++
		}
	}
	return bytes, flushes
}

// copySparse copies a file's bytes to an offset, leaving holes where it is zero.
func copySparse(to io.WriterAt, offset int64, from io.Reader) error {
	in := bufio.NewReaderSize(from, 1<<20)
	block := make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(in, block)
		if !zero(block[:n]) {
			if _, err := to.WriteAt(block[:n], offset); err != nil {
				return err
			}
		}
		if offset += int64(n); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
