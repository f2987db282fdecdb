package drive

import (
	"fmt"
	"slices"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// LogTime is the time base of a recording: its own times.
const LogTime = "log"

// BootTime is the time base of live buses: CLOCK_BOOTTIME.
const BootTime = "boottime"

// NewHeader names what a run decides over.
func NewHeader(p *scenes.Program, session uint64, timeBase string) Header {
	h := p.Hashes()
	return Header{Engine: engine.Version, Vehicle: h.Profile.SHA256, DBCs: h.DBC, Cards: h.Cards, Off: off(p),
		Session: session, TimeBase: timeBase}
}

// become makes a header that of another program in the same session.
func (h *Header) become(p *scenes.Program) { *h = NewHeader(p, h.Session, h.TimeBase) }

// off lists the cards of a program that were installed.
func off(p *scenes.Program) (ids []string) {
	for _, c := range p.Cards {
		if c.Off {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// withOff is a program over the same content in which these cards were
// installed and no others.
func withOff(p *scenes.Program, ids []string) (*scenes.Program, error) {
	if slices.Equal(ids, off(p)) {
		return p, nil
	}
	cards := make([]*scenes.Card, len(p.Cards))
	for i, c := range p.Cards {
		as := *c
		as.Off = slices.Contains(ids, c.ID)
		cards[i] = &as
	}
	return scenes.Compile(p.Vehicle, cards)
}

// Fits reports, as an error that names the difference, whether a journal was
// made by this engine over the same profile, DBCs and cards as the program.
func (j *JournalReader) Fits(p *scenes.Program) error {
	want := NewHeader(p, j.Header.Session, j.Header.TimeBase)
	h := &j.Header
	switch {
	case h.Engine != want.Engine:
		return fmt.Errorf("%s: written by engine %s; this is %s, whose decisions may differ", j.name, h.Engine, want.Engine)
	case h.Vehicle != want.Vehicle:
		return fmt.Errorf("%s: made with the vehicle profile of SHA-256 %.12s…; %s has %.12s…", j.name, h.Vehicle, p.Vehicle.File, want.Vehicle)
	}
	if err := sameHashes(j.name, "DBC", h.DBCs, want.DBCs); err != nil {
		return err
	}
	return sameHashes(j.name, "card", h.Cards, want.Cards)
}

// sameHashes compares what a journal was made with to what is given now.
func sameHashes(name, kind string, made, given []scenes.Hash) error {
	for i := range max(len(made), len(given)) {
		switch {
		case i >= len(given):
			return fmt.Errorf("%s: made with %s %s, which is not given", name, kind, made[i].Name)
		case i >= len(made):
			return fmt.Errorf("%s: made without %s %s; leave it out", name, kind, given[i].Name)
		case made[i].Name != given[i].Name:
			return fmt.Errorf("%s: made with %s %s where %s is given", name, kind, made[i].Name, given[i].Name)
		case made[i].SHA256 != given[i].SHA256:
			return fmt.Errorf("%s: %s %s was another version (SHA-256 %.12s…, given %.12s…)", name, kind, made[i].Name, made[i].SHA256, given[i].SHA256)
		}
	}
	return nil
}
