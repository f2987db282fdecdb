package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"vignette/scenes/drive"
	"vignette/testdata/vm/powercut"
)

// look looks at what is left on each of the disks, which lie one behind the other.
func look(images int) (any, error) {
	name, err := disk(dataDisk)
	if err != nil {
		return nil, err
	}
	c, err := startCar()
	if err != nil {
		return nil, err
	}
	c.bench(1, 1) // holds that go on find what they hold for; nothing begins by a first sample
	var list []*powercut.Facts
	for i := range images {
		f := &powercut.Facts{Found: map[string]string{}, States: map[string]string{}, Left: map[string]float64{}}
		list = append(list, f)
		if err := lookAt(name, i, c, f); err != nil {
			f.Failed = err.Error()
		}
		if (i+1)%10 == 0 {
			say("%d power losses looked at", i+1)
		}
	}
	return list, c.close()
}

// lookAt mounts a disk, which takes its journal up, and looks at it.
func lookAt(disk string, i int, c *car, f *powercut.Facts) error {
	loop, err := attach(disk, int64(i)*powercut.DiskBytes)
	if err != nil {
		return err
	}
	defer loop.Close()
	if err = unix.Mount("/dev/loop0", mounted, "ext4", 0, ""); err != nil {
		err = fmt.Errorf("mount: %w", err)
	} else {
		err = errors.Join(c.found(f), unix.Unmount(mounted, 0))
	}
	return errors.Join(err, unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_CLR_FD, 0))
}

// attach makes a part of a disk a block device.
func attach(disk string, offset int64) (*os.File, error) {
	loop, err := os.OpenFile("/dev/loop0", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	back, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, loop.Close())
	}
	defer back.Close()
	if err := unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_SET_FD, int(back.Fd())); err != nil {
		return nil, errors.Join(fmt.Errorf("loop: %w", err), loop.Close())
	}
	info := unix.LoopInfo64{Offset: uint64(offset), Sizelimit: powercut.FileSystemBytes}
	if err := unix.IoctlLoopSetStatus64(int(loop.Fd()), &info); err != nil {
		return nil, errors.Join(fmt.Errorf("loop: %w", err), loop.Close())
	}
	return loop, nil
}

// found starts the agent on what is there and asks it all.
func (c *car) found(f *powercut.Facts) (err error) {
	c.mu.Lock()
	c.fan, c.calls = 0, nil // by now the service has ended every lease
	c.mu.Unlock()
	if err := kept(f); err != nil {
		return err
	}
	a, err := startAgent()
	if err != nil {
		return err
	}
	defer func() {
		clean, stopped := a.stop()
		f.Clean, f.Log = clean, a.said()
		err = errors.Join(err, stopped, aside(f))
	}()
	if err := c.afterBoot(a, f); err != nil {
		return err
	}
	for user := uint64(1); user <= 2; user++ {
		if err := a.ofUser(user, f); err != nil {
			return err
		}
	}
	return errors.Join(a.property(agentName, "Problems", &f.Problems), a.property(traceInterface, "Problem", &f.Trace))
}

// kept reads the newest whole record of the state: what leases and holds there
// were.
func kept(f *powercut.Facts) error {
	saved, err := newest(state)
	if err != nil {
		return err
	}
	f.Found["lease"], f.Found["hold"] = "none", "off"
	if saved == nil {
		return nil
	}
	for _, a := range saved.Kept.Actuators {
		if a.Path == driverFan && a.Top > 0 && a.Leases[a.Top-1].Card == powercut.LeaseCard {
			f.Found["lease"] = fmt.Sprint(a.Leases[a.Top-1].Value.Num)
		}
	}
	f.Found["hold"], f.Kept = holds(saved)
	return nil
}

// holds says which holds a state has: off, all of them, or those that go on after
// the agent was killed; and how many s are left of what resumes.
func holds(saved *drive.Saved) (what string, left float64) {
	var ids []string
	for _, h := range saved.Kept.Holds {
		ids = append(ids, h.Card)
		if h.Card == powercut.HoldResume {
			left = float64(h.Deadline-saved.Kept.Now) / 1e9
		}
	}
	switch {
	case len(ids) == 0:
		return "off", 0
	case slices.Equal(ids, powercut.Holds):
		return "on", left
	case slices.Equal(ids, []string{powercut.HoldRestart, powercut.HoldResume}):
		return powercut.HoldsWentOn, left
	}
	return fmt.Sprint(saved.Kept.Holds), left
}

// newest is the newest whole record of a directory of state; see the agent's
// stateFiles.
func newest(dir string) (saved *drive.Saved, err error) {
	number := uint64(0)
	for _, name := range []string{"state.0", "state.1"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for len(b) >= 16 {
			n := int64(binary.LittleEndian.Uint32(b))
			if n < 8 || n > int64(len(b)-8) || crc32.Checksum(b[8:8+n], crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[4:]) {
				break // torn
			}
			if m := binary.LittleEndian.Uint64(b[8:]); saved == nil || m > number {
				if saved, err = drive.ParseSaved(b[16 : 8+n]); err != nil {
					return nil, err
				}
				number = m
			}
			b = b[8+n:]
		}
	}
	return saved, nil
}

// afterBoot awaits what a boot brings: the holds as their on_boot says, and the
// end of a lease.
func (c *car) afterBoot(a *agent, f *powercut.Facts) error {
	for _, id := range powercut.Holds {
		err := await("the hold of "+id+" is known", func() (bool, error) {
			p, err := a.cardProperties(id)
			if err != nil || p["State"].Value() == "unknown" {
				return false, err
			}
			details, _ := p["Details"].Value().(map[string]dbus.Variant)
			f.States[id], _ = p["State"].Value().(string)
			f.Left[id], _ = details["hold"].Value().(float64)
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	if f.Found["lease"] == "none" {
		return nil
	}
	if err := await("the lease is ended", func() (bool, error) { return c.called(false) > 0, nil }); err != nil {
		return nil // told by Ended
	}
	f.Ended = []string{"lease"}
	return nil
}

// ofUser asks for what is a driver's own, and for the cards that are there.
func (a *agent) ofUser(user uint64, f *powercut.Facts) error {
	if err := a.ask("SetUser", []any{user}); err != nil {
		return err
	}
	var objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	if err := a.ask("org.freedesktop.DBus.ObjectManager.GetManagedObjects", nil, &objects); err != nil {
		return err
	}
	of := func(id string) map[string]dbus.Variant {
		return objects[dbus.ObjectPath(agentPath+"/card/"+id)][cardInterface]
	}
	for _, id := range append(append([]string(nil), plainCards[:2]...), installable...) {
		register := fmt.Sprintf("card %d %s", user, id)
		if f.Found[register] = "none"; of(id) != nil {
			f.Found[register] = word(of(id)["Enabled"].Value() == true, "on", "off")
		}
	}
	for _, id := range installable {
		if f.Found["installed "+id] = "none"; of(id) != nil {
			f.Found["installed "+id], _ = of(id)["Version"].Value().(string)
		}
	}
	f.Found["deck"], _ = of(changingCard)["Version"].Value().(string)
	var decisions []map[string]dbus.Variant
	if err := a.ask(traceInterface+".ConsentHistory", nil, &decisions); err != nil {
		return err
	}
	given := len(decisions) > 0 && decisions[len(decisions)-1]["given"].Value() == true
	f.Found[fmt.Sprint("consent ", user)] = word(given, "given", "none")
	var places []struct {
		Name                string
		North, East, Radius float64
	}
	if err := a.ask("Places", nil, &places); err != nil {
		return err
	}
	if f.Found[fmt.Sprint("place ", user)] = "none"; len(places) > 0 {
		f.Found[fmt.Sprint("place ", user)] = fmt.Sprint(places[0].North)
	}
	var habits bool
	err := a.property(agentName, "Habits", &habits)
	f.Found[fmt.Sprint("habits ", user)] = word(habits, "on", "off")
	return err
}

// property reads a property of the agent's object.
func (a *agent) property(face, name string, into any) error {
	var v dbus.Variant
	if err := a.ask("org.freedesktop.DBus.Properties.Get", []any{face, name}, &v); err != nil {
		return err
	}
	return v.Store(into)
}

// aside lists what was set aside or left half written, once the agent has run.
func aside(f *powercut.Facts) error {
	return filepath.WalkDir(mounted, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(name, ".damaged"), strings.HasSuffix(name, ".from-the-future"), strings.HasSuffix(name, ".new"),
			strings.HasPrefix(d.Name(), ".habits"), strings.HasPrefix(d.Name(), ".places"):
			f.Aside = append(f.Aside, name)
		}
		return nil
	})
}
