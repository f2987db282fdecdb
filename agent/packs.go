package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/check"
	"vignette/scenes/pack"
	"vignette/scenes/rehearse"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
)

// newPack is the file name of a pack that comes as bytes, in messages.
const newPack = "pack"

// refusals are why a pack is not taken, as the bus names it.
var refusals = []struct{ err, named error }{
	{pack.ErrFormat, uibridge.ErrBadPack}, {pack.ErrTerse, uibridge.ErrBadPack}, {sign.ErrTampered, uibridge.ErrBadPack}, {scenes.ErrImpostor, uibridge.ErrImpostor},
	{scenes.ErrPackRevoked, uibridge.ErrPackRevoked}, {scenes.ErrPackExpired, uibridge.ErrPackExpired}, {scenes.ErrPackOlder, uibridge.ErrPackOlder},
	{scenes.ErrPackTaken, uibridge.ErrOtherAuthor}, {scenes.ErrCardTaken, uibridge.ErrOtherAuthor}, {scenes.ErrShelfFull, uibridge.ErrLimit},
}

// refused names the error of a pack that is not taken.
func refused(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return fmt.Errorf("%w: %w", r.named, err)
		}
	}
	return err
}

// The methods of uibridge.Packs.

// ImportPack checks a pack and has its cards run, disabled for every user.
func (a *agent) ImportPack(data []byte) (uibridge.Report, error) { return a.deck.takePack(data, true) }

// PreviewPack reports what ImportPack would.
func (a *agent) PreviewPack(data []byte) (uibridge.Report, error) {
	return a.deck.takePack(data, false)
}

// takePack looks at a pack, and installs it if it is to be kept and nothing is
// wrong with it. One is looked at at a time. A kill or a power loss at any point
// leaves the pack as it was or the new one, which nobody has enabled.
func (d *deck) takePack(data []byte, keep bool) (uibridge.Report, error) {
	if d.config.installed() == "" {
		return nil, fmt.Errorf("%w: the configuration names no state directory, where installed packs would be", uibridge.ErrUnsupported)
	}
	if !d.previewing.TryLock() {
		return nil, fmt.Errorf("%w: another card or pack is being looked at", uibridge.ErrBusy)
	}
	defer d.previewing.Unlock()
	if len(data) > 0 && data[0] == pack.TerseMark {
		var err error
		if data, err = pack.Expand(data); err != nil {
			return nil, refused(err)
		}
	}
	p, err := scenes.OpenPack(newPack, data)
	if found, ok := check.Refused(err); ok {
		return uibridge.Report{"imported": false, "diagnostics": rows(found)}, nil
	} else if err != nil {
		return nil, refused(err)
	}
	day, err := d.welcome(p)
	if err != nil {
		return nil, err
	}
	running, err := d.running()
	if err != nil {
		return nil, err
	}
	j := d.judgePack(running, p)
	report := d.packReport(running, p, &j, day)
	if !keep || j.next == nil {
		return report, nil
	}
	if err := d.keepPack(p, data); err != nil {
		return nil, err
	}
	report["imported"] = true
	return report, nil
}

// welcome reports whether a pack may be installed beside the others, today.
func (d *deck) welcome(p *scenes.Pack) (day time.Time, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admitted(p)
}

// admitted is welcome; the caller holds mu. The day is zero where nobody vouches for
// the clock.
func (d *deck) admitted(p *scenes.Pack) (day time.Time, err error) {
	if err := d.a.do(func() error { day = d.a.today(); return nil }); err != nil {
		return day, err
	}
	w := d.warrants.Load()
	shelf := scenes.Shelf{Trust: w.all(), Revoked: w.revoked, Ledger: w.ledger, Installed: d.cards.Packs(), Cards: d.cards.Loose(), Day: day}
	_, err = shelf.Admit(p)
	return day, refused(err)
}

// today is 00:00 UTC of the day if somebody vouches for the clock.
func (a *agent) today() time.Time {
	if now := a.vouched(); !now.IsZero() {
		return now.UTC().Truncate(24 * time.Hour)
	}
	return time.Time{}
}

// keepPack installs a pack whose cards fit.
func (d *deck) keepPack(p *scenes.Pack, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.admitted(p); err != nil { // somebody may have installed another meanwhile
		return err
	}
	for _, name := range []string{scenes.LedgerName, scenes.PackFileName(p.Manifest.ID)} {
		if err := notNewer(filepath.Join(d.config.installed(), name)); err != nil {
			return err
		}
	}
	if err := d.a.settle(); err != nil {
		return fmt.Errorf("nothing is installed: %w", err)
	}
	ledger := scenes.Ledger{Packs: slices.Clone(d.warrants.Load().ledger.Packs)}
	if err := scenes.PutPack(d.config.installed(), p, data, &ledger, observeDecks); err != nil {
		return err
	}
	if err := d.update(); err != nil {
		return err
	}
	now, err := d.running()
	if err != nil {
		return err
	}
	for _, c := range p.Cards {
		if i, ok := now.Card(c.ID); !ok || now.Cards[i].SHA256 != c.SHA256 {
			return fmt.Errorf("the pack is installed, but its cards do not run beside the others:\n%s", strings.Join(d.Problems(), "\n"))
		}
	}
	return nil
}

// judged is what was found of a pack.
type judged struct {
	next     *scenes.Program // with its cards; nil: something is wrong with them
	findings []check.Finding // say what, or warn
	results  []rehearse.Result
}

// judgePack compiles a pack's cards beside those that run, runs all checks on
// them, and tells its scenarios to them where they are alone in the car.
func (d *deck) judgePack(running *scenes.Program, p *scenes.Pack) (j judged) {
	cards := slices.DeleteFunc(slices.Clone(running.Cards), func(o *scenes.Card) bool { return o.From != nil && o.From.Manifest.ID == p.Manifest.ID })
	next, err := scenes.Compile(running.Vehicle, append(cards, p.Cards...))
	if err == nil {
		err = room(next, "pack")
	}
	if err != nil {
		j.findings = refusal(err)
		return j
	}
	j.findings = slices.DeleteFunc(check.Run(next), func(f check.Finding) bool { return !strings.HasPrefix(f.File, newPack+"/") })
	if worst, some := check.Worst(j.findings); some && worst == check.Error {
		return j
	}
	j.next = next
	alone := make([]*scenes.Card, len(p.Cards))
	for i, c := range p.Cards {
		on := *c
		on.Off = false
		alone[i] = &on
	}
	troupe, err := scenes.Compile(running.Vehicle, alone)
	if err != nil { // they compiled among more
		j.findings, j.next = refusal(err), nil
		return j
	}
	j.results = rehearse.All(troupe, p.Scenarios)
	return j
}

// RemovePack removes a pack.
func (a *agent) RemovePack(id string) error {
	d := a.deck
	d.mu.Lock()
	defer d.mu.Unlock()
	name := scenes.PackFileName(id)
	if !slices.ContainsFunc(d.cards.Files(), func(path string) bool { return path == filepath.Join(d.config.installed(), name) }) {
		return unknownPack(id)
	}
	if err := scenes.RemoveInstalled(d.config.installed(), name); err != nil {
		return err
	}
	return d.update()
}

func unknownPack(id string) error {
	return fmt.Errorf("%w: no pack %s is installed", uibridge.ErrUnknownPack, id)
}

// pack finds an installed pack; the caller holds mu.
func (d *deck) pack(id string) (*scenes.Pack, error) {
	for _, p := range d.cards.Packs() {
		if p.Manifest.ID == id {
			return p, nil
		}
	}
	return nil, unknownPack(id)
}

// ofPack finds the pack that has a card; nil: none.
func (d *deck) ofPack(card string) *scenes.Pack {
	for _, p := range d.cards.Packs() {
		if slices.ContainsFunc(p.Cards, func(c *scenes.Card) bool { return c.ID == card }) {
			return p
		}
	}
	return nil
}

// Packs are the packs that are installed.
func (a *agent) Packs() ([]uibridge.Report, error) {
	d := a.deck
	d.mu.Lock()
	defer d.mu.Unlock()
	var day time.Time
	if err := a.do(func() error { day = a.today(); return nil }); err != nil {
		return nil, err
	}
	list := []uibridge.Report{}
	for _, p := range d.cards.Packs() {
		r := d.packHead(p, day)
		ids := []string{}
		for _, c := range p.Cards {
			ids = append(ids, c.ID)
		}
		r["cards"] = ids
		list = append(list, r)
	}
	return list, nil
}

// mayEnable is nil if a card may be enabled: one of a pack may if somebody vouches
// for its author.
func (a *agent) mayEnable(c *scenes.Card) error {
	if c.From == nil || a.deck.warrants.Load().vouched(c.From, a.today()) {
		return nil
	}
	return fmt.Errorf("%w: %s is by %s, %s; show the driver who made it, and name the key with AcceptAuthor", uibridge.ErrNotAccepted, c.From.Manifest.Name(),
		c.From.Manifest.Author, a.deck.warrants.Load().standing(c.From, a.today()))
}
