package agent

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// parkedState is the drive state in which another profile is taken and consent
// is asked for.
const parkedState = "parked"

// parked reports whether the car is in it now.
func (a *agent) parked() bool {
	states, now := a.prog.Engine.States, a.pump.State().DriveState()
	return now < len(states) && states[now].Name == parkedState
}

// profile is what a deck knows of the vehicle profile's files.
type profile struct {
	files   []string        // the profile, its signature and its DBCs
	seen    [32]byte        // what was in them when they were last looked at
	waiting *scenes.Vehicle // another profile that is to run; nil: none
	faults  []string        // why what is in them does not run

	contents string // of the profile that runs
}

// took notes the files of a profile that was loaded, besides the ones so far, and
// that this is what was in them.
func (p *profile) took(v *scenes.Vehicle) {
	read := map[string]string{v.File: v.SHA256}
	for _, b := range v.Buses {
		for _, f := range b.DBCs {
			path := f.File
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(v.File), path)
			}
			read[path] = f.SHA256
		}
	}
	p.files = append(p.files, v.File+signature)
	p.files = slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(p.files, maps.Keys(read)))))
	p.seen = stamp(p.files, read)
}

// openProfile loads the profile that a start runs: the one that is configured or,
// in a car where that one is torn, gone, not signed or older than one that the car
// has had, the last good one. Its signature and version are held to as ever.
func (d *deck) openProfile() (*scenes.Vehicle, error) {
	c, p := d.config, &d.profile
	v, err := loadVehicle(c)
	if err == nil && c.State != "" && !c.Unsigned {
		err = errors.Join(os.MkdirAll(c.State, 0o700), grownProfile(c.State, v, d.log))
	}
	if err == nil {
		p.took(v)
		d.versions.profile(v)
		return v, nil
	}
	if c.State == "" || c.Unsigned {
		return nil, err
	}
	last, none := d.versions.last(c)
	if none != nil {
		return nil, fmt.Errorf("%w\nno profile of before can take its place: %w", err, none)
	}
	d.log.Error("the last good profile takes the place of the one that is configured", "vehicle", last.ID, "version", last.Version)
	p.files = []string{c.Vehicle, c.Vehicle + signature}
	for _, b := range last.Buses {
		for _, f := range b.DBCs {
			p.files = append(p.files, filepath.Join(filepath.Dir(c.Vehicle), f.File))
		}
	}
	p.took(last)
	p.faults, p.seen = strings.Split(err.Error(), "\n"), [32]byte{} // and the files are looked at once more
	d.taken <- struct{}{}
	return last, nil
}

// stamp is what is in files now, but for those that were read, by SHA-256.
func stamp(files []string, read map[string]string) (sum [32]byte) {
	h := sha256.New()
	for _, path := range files {
		one, ok := read[path]
		if !ok {
			if text, err := scenes.ReadFile(path); err == nil {
				one = fmt.Sprintf("%x", sha256.Sum256(text))
			}
		}
		fmt.Fprintln(h, path, one)
	}
	return [32]byte(h.Sum(nil))
}

// lookAtProfile reads the profile if its files have changed, and has it wait for
// the car to be parked. It returns what is to be shown of it.
func (d *deck) lookAtProfile() ([]string, error) {
	running, err := d.running()
	if err != nil {
		return nil, err
	}
	p := &d.profile
	p.contents = running.Vehicle.Contents()
	if p.waiting != nil && p.waiting.Contents() == running.Vehicle.Contents() {
		*p = profile{contents: p.contents} // it was taken
		p.took(running.Vehicle)
	}
	if now := stamp(p.files, nil); now != p.seen {
		p.seen = now
		d.readProfile(running.Vehicle)
	}
	return d.wait(running)
}

// readProfile reads the profile that is in the files now.
func (d *deck) readProfile(running *scenes.Vehicle) {
	p := &d.profile
	p.waiting, p.faults = nil, nil
	v, err := loadVehicle(d.config)
	if err == nil {
		p.took(v)
		if v.Contents() == running.Contents() {
			return
		}
		err = d.admit(running, v)
	}
	if err != nil {
		p.faults = strings.Split(err.Error(), "\n")
		return
	}
	d.versions.profile(v)
	p.waiting = v
}

// admit reports why a profile cannot take over from the one that runs.
func (d *deck) admit(running, v *scenes.Vehicle) error {
	same := slices.EqualFunc(running.Buses, v.Buses, func(a, b scenes.Bus) bool {
		return a.Name == b.Name && a.Interface == b.Interface && a.FD == b.FD
	})
	at := fmt.Sprintf("%s: version %d of profile %s", v.File, v.Version, v.ID)
	switch {
	case !same:
		return fmt.Errorf("%s has other buses than the one that runs; restart the agent to take it", at)
	case !slices.ContainsFunc(running.States, func(s scenes.State) bool { return s.Name == parkedState }):
		return fmt.Errorf("%s waits for a restart: the profile that runs has no state `parked` in which it could be taken", at)
	case d.config.State != "" && !d.config.Unsigned:
		return grownProfile(d.config.State, v, d.log)
	}
	return nil
}

// wait has the loop take the profile that waits once the car is parked, with the
// cards of now, and returns what is to be shown.
func (d *deck) wait(running *scenes.Program) ([]string, error) {
	p := &d.profile
	var next *scenes.Program
	shown := p.faults
	if p.waiting != nil {
		var faults scenes.Diagnostics
		if next, faults = d.cards.Compile(p.waiting); next == nil {
			shown = texts(faults)
		} else {
			shown = []string{fmt.Sprintf("%s: version %d of profile %s waits until the car is parked", p.waiting.File, p.waiting.Version, p.waiting.ID)}
		}
	}
	err := d.a.do(func() error {
		if d.a.prog != running {
			return nil // the one before was taken meanwhile, and there is another look to come
		}
		d.a.pending = next
		return d.a.takePending()
	})
	return shown, err
}

// takePending has the profile that waits take over if the car is parked.
func (a *agent) takePending() error {
	if a.pending == nil || !a.parked() {
		return nil
	}
	next := a.pending
	a.pending = nil
	if err := a.swap(a.prog, next); err != nil {
		a.log.Error("a profile is not taken", "error", err)
		return a.broken
	}
	select {
	case a.deck.taken <- struct{}{}:
	default: // told already
	}
	return nil
}

// grownProfile holds that the version of a profile only grows.
func grownProfile(state string, v *scenes.Vehicle, log uibridge.Logger) error {
	return grown(filepath.Join(state, profilesName), versioned{v.File, "profile " + v.ID, v.ID, v.Version}, log)
}
