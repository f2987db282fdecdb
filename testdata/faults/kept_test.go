package faults

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// kept is one record of the agent's state files.
type kept struct {
	number uint64
	drive.Saved
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// state reads the records of both state files, the newest last: what the agent
// has kept, and what it had kept before.
func (r *rig) state() (list []kept) {
	r.t.Helper()
	for _, name := range []string{"state.0", "state.1"} {
		b, err := os.ReadFile(filepath.Join(r.config.State, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r.must(err)
		for len(b) >= 16 {
			n := int(binary.LittleEndian.Uint32(b))
			if n > len(b)-8 || crc32.Checksum(b[8:8+n], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
				break // torn
			}
			saved, err := drive.ParseSaved(b[16 : 8+n])
			r.must(err)
			list = append(list, kept{binary.LittleEndian.Uint64(b[8:]), *saved})
			b = b[8+n:]
		}
	}
	slices.SortFunc(list, func(a, b kept) int { return int(int64(a.number - b.number)) })
	return list
}

// another is the id of another boot of the kernel.
const another = "another"

// longer is how much further its clock had come, ns.
const longer = 1e15

// reboot makes the newest record one of another boot of the kernel, which had
// counted further.
func (r *rig) reboot(newest kept) {
	r.t.Helper()
	if newest.BootID == another {
		return
	}
	newest.BootID = another
	newest.Kept.Now += longer
	for i := range newest.Kept.Actuators {
		a := &newest.Kept.Actuators[i]
		a.Started, a.HandEnds, a.EndUntil = a.Started+longer, a.HandEnds+longer, a.EndUntil+longer
		for j := range a.Leases {
			a.Leases[j].Deadline += longer
		}
	}
	b := binary.LittleEndian.AppendUint64(make([]byte, 8), newest.number)
	b = drive.AppendSaved(b, &newest.Saved)
	binary.LittleEndian.PutUint32(b, uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	r.must(os.WriteFile(filepath.Join(r.config.State, "state.0"), b, 0o600))
	r.must(os.WriteFile(filepath.Join(r.config.State, "state.1"), nil, 0o600))
}

// of finds an actuator in a record; the zero value: nothing is kept of it.
func (k *kept) of(fan string) engine.KeptActuator {
	for i := range k.Kept.Actuators {
		if k.Kept.Actuators[i].Path == fan {
			return k.Kept.Actuators[i]
		}
	}
	return engine.KeptActuator{}
}

// known reports whether the agent still has to do with an actuator.
func known(a *engine.KeptActuator) bool { return len(a.Leases) > 0 || a.HasEnd }

// story tells what records have of a fan, for people.
func story(list []kept, fan string) (text string) {
	for i := range list {
		a := list[i].of(fan)
		text += fmt.Sprintf("%d at %d, session %d, command %v, end %t, in force %d:", list[i].number, list[i].Kept.Now, list[i].Kept.Session, a.Command.Num, a.HasEnd, a.Top)
		for _, l := range a.Leases {
			text += fmt.Sprintf(" %s %v until %d", l.Card, l.Value.Num, l.Deadline)
		}
		text += "\n"
	}
	return text
}
