package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
)

// The files of a state directory that keep by whose word the driver lets cards be
// enabled.
const (
	ownTrustName = "trust.yaml" // a trust list
	acceptedName = "accepted"   // SHA-256 of unsigned packs, one a line
)

// maxAccepted bounds the unsigned packs that are accepted.
const maxAccepted = 256

// accepted is the standing of an author, or of an unsigned pack, that the driver
// has accepted.
const accepted = "accepted"

// warrants are by whose word packs are let in, and their cards may be enabled. They
// are replaced as a whole, so any goroutine may read them.
type warrants struct {
	contents [32]byte     // stamp of the files
	trust    scenes.Trust // the manufacturer's
	own      scenes.Trust // the driver's
	unsigned []string     // SHA-256 of unsigned packs that the driver has accepted
	revoked  scenes.Revocations
	ledger   scenes.Ledger // of what was installed
	faults   []string      // what of the files cannot be read
}

// all are both lists.
func (w *warrants) all() scenes.Trust { return w.trust.With(w.own) }

// standing is what is known of who made a pack: trusted, accepted, unknown, lapsed
// or unsigned.
func (w *warrants) standing(p *scenes.Pack, day time.Time) string {
	s, _ := w.trust.Judge(p, day) // an impostor is let in nowhere
	switch own, _ := w.own.Judge(p, day); {
	case s == scenes.Trusted:
	case own == scenes.Trusted, !p.Signed && slices.Contains(w.unsigned, p.SHA256):
		return accepted
	}
	return s.String()
}

// vouched reports whether the cards of a pack may be enabled.
func (w *warrants) vouched(p *scenes.Pack, day time.Time) bool {
	s := w.standing(p, day)
	return s == accepted || s == scenes.Trusted.String()
}

// proof is how the author of a pack is named in AcceptAuthor: by his key, or where
// nobody signed it by the very bytes.
func proof(p *scenes.Pack) string {
	if p.Signed {
		return p.Key.Line()
	}
	return "unsigned:" + p.SHA256
}

// warrantPaths are the files whose change may mean other warrants.
func (c *Config) warrantPaths() (paths []string) {
	if c.Packs.Trust != "" {
		paths = append(paths, c.Packs.Trust)
	}
	if c.Packs.Revoked != "" {
		paths = append(paths, c.Packs.Revoked, c.Packs.Revoked+signature)
	}
	if c.State != "" {
		paths = append(paths, filepath.Join(c.State, ownTrustName), filepath.Join(c.State, acceptedName), filepath.Join(c.installed(), scenes.LedgerName))
	}
	return paths
}

// readWarrants reads the files anew if they are others, and reports whether they
// are. What cannot be read keeps what was read before, and is told.
func (d *deck) readWarrants() bool {
	was := d.warrants.Load()
	now := stamp(d.config.warrantPaths(), nil)
	if was != nil && was.contents == now {
		return false
	}
	w := &warrants{contents: now}
	if was != nil {
		*w = *was
		w.contents, w.faults = now, nil
	}
	c := d.config
	note := func(err error) {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.faults = append(w.faults, strings.Split(err.Error(), "\n")...)
		}
	}
	if c.Packs.Trust != "" {
		list, err := scenes.LoadTrust(c.Packs.Trust)
		if err == nil {
			w.trust = list
		}
		note(err)
	}
	if c.Packs.Revoked != "" {
		list, err := d.loadRevoked()
		if err == nil {
			w.revoked = list
		}
		note(err)
	}
	if c.State != "" {
		note(w.readOwn(c.State))
		ledger, err := scenes.LoadLedger(c.installed())
		if err == nil {
			w.ledger = ledger
		}
		note(err)
	}
	d.warrants.Store(w)
	return true
}

// readOwn reads what the driver has accepted.
func (w *warrants) readOwn(state string) error {
	w.own, w.unsigned = scenes.Trust{}, nil
	path := filepath.Join(state, ownTrustName)
	_, err := os.Stat(path)
	if err == nil {
		w.own, err = scenes.LoadTrust(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	text, noText := scenes.ReadFile(filepath.Join(state, acceptedName))
	w.unsigned = strings.Fields(string(text))
	if errors.Is(noText, fs.ErrNotExist) {
		noText = nil
	}
	return errors.Join(err, noText)
}

// loadRevoked reads the manufacturer's list of what is called back, whose version
// only grows.
func (d *deck) loadRevoked() (scenes.Revocations, error) {
	c := d.config
	var keys []sign.PublicKey
	if !c.Unsigned {
		var err error
		if keys, err = readKeys(c.Trust); err != nil {
			return scenes.Revocations{}, err
		}
	}
	list, err := scenes.LoadRevocations(c.Packs.Revoked, keys)
	if err == nil && !c.Unsigned && c.State != "" {
		err = grown(filepath.Join(c.State, revokedName), versioned{file: c.Packs.Revoked, what: "the list of packs that are called back", id: "packs", version: list.Version}, d.log)
	}
	return list, err
}

// bars says why an installed pack has no cards: it is an impostor's whose file came
// by another way than ImportPack, it was called back since, or it is being refused.
// The ledger does not count: it is ahead of the pack where an update was cut short.
func (d *deck) bars(p *scenes.Pack) error {
	if d.refusing != "" && proof(p) == d.refusing {
		return errors.New("is being refused")
	}
	w := d.warrants.Load()
	shelf := scenes.Shelf{Trust: w.all(), Revoked: w.revoked}
	_, err := shelf.Admit(p)
	return err
}

// AcceptAuthor is the driver's word for the author of an installed pack.
func (a *agent) AcceptAuthor(pack, author string) error {
	d := a.deck
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.pack(pack)
	if err != nil {
		return err
	}
	if author != proof(p) {
		return fmt.Errorf("%w: the pack %s is by another; name the key that its report shows", uibridge.ErrInvalidValue, pack)
	}
	if err := notNewer(filepath.Join(d.config.State, ownTrustName)); err != nil {
		return err
	}
	w := d.warrants.Load()
	if !p.Signed {
		if slices.Contains(w.unsigned, p.SHA256) {
			return nil
		}
		return d.write(acceptedName, strings.Join(append(w.unsigned[max(0, len(w.unsigned)+1-maxAccepted):len(w.unsigned):len(w.unsigned)], p.SHA256), "\n")+"\n")
	}
	one := scenes.TrustedAuthor{Author: p.Manifest.Author, Key: p.Key}
	if slices.ContainsFunc(w.own.Authors, func(o scenes.TrustedAuthor) bool { return o.Author == one.Author && o.Key.Same(one.Key) }) {
		return nil
	}
	if err := w.own.Fault(one); err != nil {
		return fmt.Errorf("%w: %w", uibridge.ErrImpostor, err)
	}
	own := w.own.With(scenes.Trust{Authors: []scenes.TrustedAuthor{one}})
	return d.write(ownTrustName, string(own.Text()))
}

// RefuseAuthor takes the driver's word back. The cards of the author, or of the
// unsigned pack, are gone for a moment, and with them what any user has said of
// them; that is on the disk before the word is taken back.
func (a *agent) RefuseAuthor(pack string) error {
	d := a.deck
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.pack(pack)
	if err != nil {
		return err
	}
	if err := notNewer(filepath.Join(d.config.State, ownTrustName)); err != nil {
		return err
	}
	d.refusing = proof(p)
	_, err = d.exchange()
	d.refusing = ""
	if err == nil {
		err = a.settle()
	}
	if err != nil {
		return errors.Join(err, d.update())
	}
	w := d.warrants.Load()
	if !p.Signed {
		left := slices.DeleteFunc(slices.Clone(w.unsigned), func(sum string) bool { return sum == p.SHA256 })
		return d.write(acceptedName, strings.Join(append(left, ""), "\n"))
	}
	own := scenes.Trust{Authors: slices.DeleteFunc(slices.Clone(w.own.Authors), func(o scenes.TrustedAuthor) bool { return o.Key.Same(p.Key) })}
	if len(own.Authors) == 0 {
		if err := os.Remove(filepath.Join(d.config.State, ownTrustName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return errors.Join(syncDir(d.config.State), d.update())
	}
	return d.write(ownTrustName, string(own.Text()))
}

// write writes a file of what the driver has accepted, and has it count. The
// caller holds mu.
func (d *deck) write(name, text string) error {
	if err := replaceFile(filepath.Join(d.config.State, name), text); err != nil {
		return err
	}
	return d.update()
}
