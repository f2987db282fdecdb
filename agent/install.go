package agent

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/scenes/check"
	uibridge "vignette/ui-bridge"
)

// maxInstalled bounds the installed cards.
const maxInstalled = 256

// newCard is the file name of a card that comes as a text, in messages.
const newCard = "card"

// observeDecks is told how far an installation is; a test kills the agent there.
var observeDecks = func(point string) {}

// The methods of uibridge.Deck.

// Problems is what is wrong with files that are not taken.
func (a *agent) Problems() []string { return a.deck.Problems() }

// Reload looks at all files now.
func (a *agent) Reload() ([]string, error) {
	err := a.deck.look()
	return a.deck.Problems(), err
}

// Install checks a card and has it run, disabled for every user.
func (a *agent) Install(text []byte) (uibridge.Report, error) { return a.deck.install(text) }

// Remove removes an installed card.
func (a *agent) Remove(card string) error { return a.deck.remove(card) }

// install checks a card and has it run. A kill or a power loss at any point leaves
// the card as it was or the new one, which nobody has enabled: the yes of a user is
// to the very version (scenes.Card.Off), and what users have said until now is on
// the disk before the card is.
func (d *deck) install(text []byte) (uibridge.Report, error) {
	dir := d.config.installed()
	if dir == "" {
		return nil, fmt.Errorf("%w: the configuration names no state directory, where installed cards would be", uibridge.ErrUnsupported)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	running, err := d.running()
	if err != nil {
		return nil, err
	}
	c, next, findings := judge(running, text)
	if next == nil {
		return uibridge.Report{"installed": false, "diagnostics": rows(findings)}, nil
	}
	name, err := d.fileOf(c.ID)
	if err != nil {
		return nil, err
	}
	if err := d.a.settle(); err != nil {
		return nil, fmt.Errorf("nothing is installed: %w", err)
	}
	if err := scenes.PutInstalled(dir, name, text, observeDecks); err != nil {
		return nil, err
	}
	if err := d.update(); err != nil {
		return nil, err
	}
	if p, err := d.running(); err != nil {
		return nil, err
	} else if i, ok := p.Card(c.ID); !ok || p.Cards[i].SHA256 != c.SHA256 {
		return nil, fmt.Errorf("the card is installed, but does not run beside the others:\n%s", strings.Join(d.Problems(), "\n"))
	}
	return d.report(running, next, c, findings), nil
}

// judge compiles a card beside those that run, and runs all checks on it. The
// program is nil if anything is wrong with the card; findings say what, or warn.
func judge(running *scenes.Program, text []byte) (c *scenes.Card, next *scenes.Program, findings []check.Finding) {
	c, err := scenes.ParseCard(newCard, text)
	if err == nil {
		c.Off = true
		cards := slices.DeleteFunc(slices.Clone(running.Cards), func(o *scenes.Card) bool { return o.ID == c.ID })
		next, err = scenes.Compile(running.Vehicle, append(cards, c))
	}
	if err == nil {
		err = room(next, "card")
	}
	if err != nil {
		return c, nil, refusal(err)
	}
	findings = slices.DeleteFunc(check.Run(next), func(f check.Finding) bool { return f.File != newCard })
	if worst, some := check.Worst(findings); some && worst == check.Error {
		next = nil
	}
	return c, next, findings
}

// room is the error of a program with more cards than can run, since a card or a
// pack has come.
func room(next *scenes.Program, with string) error {
	if n := len(next.Cards); n > uibridge.MaxCards {
		return fmt.Errorf("with the %s there would be %d cards, at most %d; remove some", with, n, uibridge.MaxCards)
	}
	return nil
}

// refusal is what is wrong with a card that does not compile.
func refusal(err error) []check.Finding {
	findings, ok := check.Refused(err)
	if !ok {
		findings = []check.Finding{{Diagnostic: scenes.Diagnostic{File: newCard, What: err.Error()}}}
	}
	return findings
}

// fileOf is the name of the file that a card of an id is installed in; it is an
// error if it may not be.
func (d *deck) fileOf(id string) (string, error) {
	if d.cards.CameWithCar(id) {
		return "", fmt.Errorf("%w: give the card an id other than %s, and name that one in derived_from", uibridge.ErrCameWithCar, id)
	}
	if p := d.ofPack(id); p != nil {
		return "", fmt.Errorf("%w: the card %s is of the pack %s; give yours another id, and name that one in derived_from", uibridge.ErrOtherAuthor, id, p.Manifest.ID)
	}
	files := d.cards.Installed()
	file, ok := files[id]
	switch {
	case !ok && len(files) >= maxInstalled:
		return "", fmt.Errorf("%w: %d cards are installed already; remove one", uibridge.ErrLimit, len(files))
	case !ok:
		return id + ".yaml", nil
	}
	return filepath.Base(file), notNewer(file)
}

// remove removes an installed card.
func (d *deck) remove(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, ok := d.cards.Installed()[id]
	switch {
	case !ok && d.cards.CameWithCar(id):
		return fmt.Errorf("%w and cannot be removed; it can be disabled", uibridge.ErrCameWithCar)
	case !ok && d.ofPack(id) != nil:
		return fmt.Errorf("%w: the card %s is of the pack %s; remove that with RemovePack", uibridge.ErrInvalidValue, id, d.ofPack(id).Manifest.ID)
	case !ok:
		return fmt.Errorf("%w: no card %s is installed", uibridge.ErrUnknownCard, id)
	}
	if err := scenes.RemoveInstalled(d.config.installed(), filepath.Base(file)); err != nil {
		return err
	}
	return d.update()
}
