package trace

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"vignette/scenes"
)

// cutDisk knows what a disk surely has when power is cut: of each file what was
// there when it was synced last, under the names that its directory had then. A
// rename from one directory to another is one step, as in the journals of ext4 and
// F2FS.
type cutDisk struct {
	files map[uint64][]byte            // by inode
	dirs  map[string]map[string]uint64 // by path; 0 stands for a directory
	cut   func()                       // looks at what a power cut would leave
	looks bool                         // it does
}

// sync takes the place of (*os.File).Sync; just before it, power may be cut. The
// machine's own disk has no part in it.
func (d *cutDisk) sync(f *os.File) error {
	if d.looks {
		return nil
	}
	d.looks = true
	d.cut()
	d.looks = false
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.IsDir() {
		d.files[info.Sys().(*syscall.Stat_t).Ino], err = os.ReadFile(f.Name())
		return err
	}
	names := map[string]uint64{}
	entries, err := os.ReadDir(f.Name())
	for _, e := range entries {
		if info, gone := e.Info(); gone == nil && !e.IsDir() {
			names[e.Name()] = info.Sys().(*syscall.Stat_t).Ino
		} else if e.IsDir() {
			names[e.Name()] = 0
		}
	}
	for _, others := range d.dirs { // what was renamed to here is there no more
		maps.DeleteFunc(others, func(_ string, inode uint64) bool {
			return inode > 0 && slices.Contains(slices.Collect(maps.Values(names)), inode)
		})
	}
	d.dirs[f.Name()] = names
	return err
}

// restore makes a directory as the disk has it.
func (d *cutDisk) restore(from, to string) error {
	err := os.Mkdir(to, 0o700)
	for name, inode := range d.dirs[from] { // in any order
		if at := filepath.Join(to, name); inode == 0 {
			err = errors.Join(err, d.restore(filepath.Join(from, name), at))
		} else {
			err = errors.Join(err, os.WriteFile(at, d.files[inode], 0o600))
		}
	}
	return err
}

// TestPowerCuts cuts the power before each of 500 syncs, on a disk that keeps
// nothing else: no decision that was told of is lost, no half record is read back,
// and no task and week has two episodes.
func TestPowerCuts(t *testing.T) {
	top, copies := t.TempDir(), t.TempDir()
	s := study(t)
	s.Until = s.From.AddDate(1, 0, 0)
	cuts, kept, last := 0, 0, ""
	d := &cutDisk{files: map[uint64][]byte{}, dirs: map[string]map[string]uint64{}}
	d.cut = func() {
		cuts++
		to := filepath.Join(copies, fmt.Sprint(cuts))
		if err := d.restore(top, to); err != nil {
			t.Fatal(err)
		}
		kept += checkKilled(t, filepath.Join(to, "traces"), last)
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
	}
	fsync = d.sync
	defer func() { fsync = (*os.File).Sync }()
	r := open(t, filepath.Join(top, "traces"), Options{Studies: []*scenes.Study{s}, OutboxSegments: 6})
	if err := recordOn(r, func(decision string) bool { last = decision; return cuts < 500 }); err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d cuts, %d episodes in what they left", cuts, kept); kept < 100 {
		t.Error("the test sees too little")
	}
}
