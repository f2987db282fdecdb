package scenes

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Shelf is where packs are installed, a car's or a copy of it on a desk, and by
// whose word one is let in. It decides and touches no file; see Rack.
type Shelf struct {
	Trust     Trust // the manufacturer's and the driver's
	Revoked   Revocations
	Ledger    Ledger
	Installed []*Pack
	// Cards are the ids of cards that came without a pack, with the car or by
	// themselves, and where each is.
	Cards map[string]string
	// Day is 00:00 UTC of today; zero: nobody vouches for the clock, and then
	// nothing has expired.
	Day time.Time
}

// Why a pack is not installed, beside ErrImpostor.
var (
	ErrPackRevoked = errors.New("is called back")
	ErrPackExpired = errors.New("has expired")
	ErrPackOlder   = errors.New("is older than what was installed")
	ErrPackTaken   = errors.New("has the id of another author's pack")
	ErrCardTaken   = errors.New("has a card with the id of another")
	ErrShelfFull   = errors.New("finds no room")
)

// maxShelf bounds the packs that are installed.
const maxShelf = 64

// Admit tells whether a pack may be installed, in the place of an older version
// of it where there is one, and what is known of who made it. Errors are
// ErrImpostor or one of those above.
func (s *Shelf) Admit(p *Pack) (Standing, error) {
	standing, err := s.Trust.Judge(p, s.Day)
	if err != nil {
		return standing, fmt.Errorf("%s %w", p.Manifest.Name(), err)
	}
	for _, check := range []func(*Pack) error{s.current, s.newest, s.place, s.cards} {
		if err := check(p); err != nil {
			return standing, fmt.Errorf("%s %w", p.Manifest.Name(), err)
		}
	}
	return standing, nil
}

// current checks that nobody has called the pack back, and its date.
func (s *Shelf) current(p *Pack) error {
	m := p.Manifest
	switch {
	case p.Signed && s.Revoked.HasKey(p.Key):
		return fmt.Errorf("%w: so is its author's key, %s, with all that it signed; take nothing of it", ErrPackRevoked, p.Key.ID)
	case s.Revoked.HasPack(p):
		return fmt.Errorf("%w; ask its author for a newer version", ErrPackRevoked)
	case !s.Day.IsZero() && !m.Expires.IsZero() && !s.Day.Before(m.Expires):
		return fmt.Errorf("%w, on %s; ask its author for a newer version", ErrPackExpired, m.Expires.Format(time.DateOnly))
	}
	return nil
}

// newest checks that the pack is no step back: neither behind what is installed
// nor behind what ever was.
func (s *Shelf) newest(p *Pack) error {
	m := p.Manifest
	if had := s.Ledger.highest(p); CompareVersions(m.Version, had) < 0 {
		return fmt.Errorf("%w: version %s of it was here, and a step back could bring an old fault; take that version or a newer one", ErrPackOlder, had)
	}
	for _, o := range s.Installed {
		if !o.sameAs(p) {
			continue
		}
		switch c := CompareVersions(m.Version, o.Manifest.Version); {
		case c < 0:
			return fmt.Errorf("%w: version %s of it is installed; remove that first if you want the old one", ErrPackOlder, o.Manifest.Version)
		case c == 0 && o.SHA256 != p.SHA256:
			return fmt.Errorf("%w: version %s of it is installed with other contents; its author must give what he changed a higher version", ErrPackOlder, o.Manifest.Version)
		}
	}
	return nil
}

// place checks that the pack's id is not another author's, and that there is room.
func (s *Shelf) place(p *Pack) error {
	room := maxShelf
	for _, o := range s.Installed {
		if o.Manifest.ID != p.Manifest.ID {
			room--
			continue
		}
		if !o.sameAs(p) {
			return fmt.Errorf("%w, %s by %s, which is installed; remove that first, or ask for another id", ErrPackTaken, o.Manifest.Name(), o.by())
		}
	}
	if room <= 0 {
		return fmt.Errorf("%w: %d packs are installed already; remove one", ErrShelfFull, maxShelf)
	}
	return nil
}

// cards checks that the ids of the pack's cards are its author's.
func (s *Shelf) cards(p *Pack) error {
	for _, c := range p.Cards {
		if where, taken := s.Cards[c.ID]; taken {
			return fmt.Errorf("%w: `%s` is in %s; remix the pack under another id", ErrCardTaken, c.ID, where)
		}
		for _, o := range s.Installed {
			if !o.sameAs(p) && slices.ContainsFunc(o.Cards, func(have *Card) bool { return have.ID == c.ID }) {
				return fmt.Errorf("%w: `%s` is in the pack %s by %s; remix the pack under another id", ErrCardTaken, c.ID, o.Manifest.Name(), o.by())
			}
		}
		if of, key := s.Ledger.owner(c.ID); of != "" && !(p.Signed && key.Same(p.Key)) {
			return fmt.Errorf("%w: `%s` came first in the pack %s with the key %s; remix the pack under another id", ErrCardTaken, c.ID, of, key.ID)
		}
	}
	return nil
}

// sameAs reports whether two packs are versions of one: of one id and key, or of
// one id and unsigned.
func (p *Pack) sameAs(o *Pack) bool {
	return p.Manifest.ID == o.Manifest.ID && p.Signed == o.Signed && (!p.Signed || p.Key.Same(o.Key))
}

// by names who made a pack.
func (p *Pack) by() string {
	if !p.Signed {
		return p.Manifest.Author + " (not signed)"
	}
	return p.Manifest.Author + " (key " + p.Key.ID.String() + ")"
}
