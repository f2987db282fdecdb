package uibridge

import (
	"fmt"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// maxCardText is the most bytes of a card, as in its format.
const maxCardText = 64 << 10

// Deck is what the HMI does with cards as texts. Its methods may take as long as
// checking a card does.
type Deck interface {
	// Problems is what is wrong with the files of cards and profile that are not
	// taken, as file:line:col: what; none is an empty list.
	Problems() []string
	// Reload looks at all files now and returns Problems.
	Reload() ([]string, error)
	// Install checks a card and, if nothing is wrong with it, has it run, disabled
	// for every user. It reports what the card can do, or what is wrong.
	Install(text []byte) (Report, error)
	// Remove removes a card that Install brought.
	Remove(card string) error
	// Preview tells what a card would have done in the last minutes, or what is
	// wrong with it.
	Preview(text []byte) (Report, error)
}

// Report is an a{sv}. Its values are texts, truths, numbers, lists of texts, lists
// of reports, and lists of records as Decisions has them.
type Report map[string]any

// variants are a report as it travels.
func (r Report) variants() map[string]dbus.Variant {
	m := make(map[string]dbus.Variant, len(r))
	for key, value := range r {
		switch list := value.(type) {
		case []Report:
			all := make([]map[string]dbus.Variant, len(list))
			for i := range list {
				all[i] = list[i].variants()
			}
			value = all
		case []engine.Record:
			value = dictionaries(list)
		}
		m[key] = dbus.MakeVariant(value)
	}
	return m
}

func (br *Bridge) onInstall(text string) (map[string]dbus.Variant, *dbus.Error) {
	return br.withCard(text, br.opt.Handler.Install)
}

// withCard runs an incoming call with a card's text that is answered by a report.
func (br *Bridge) withCard(text string, do func([]byte) (Report, error)) (map[string]dbus.Variant, *dbus.Error) {
	return br.reported(func() (Report, error) {
		if len(text) > maxCardText {
			return nil, fmt.Errorf("%w: a card has at most %d bytes", ErrLimit, maxCardText)
		}
		return do([]byte(text))
	})
}

// reported runs an incoming call that is answered by a report.
func (br *Bridge) reported(do func() (Report, error)) (report map[string]dbus.Variant, _ *dbus.Error) {
	err := br.guard(func() error {
		r, err := do()
		report = r.variants()
		return err
	})
	return report, err
}

func (br *Bridge) onPreview(text string) (map[string]dbus.Variant, *dbus.Error) {
	return br.withCard(text, br.opt.Handler.Preview)
}

func (br *Bridge) onRemove(card string) *dbus.Error {
	return br.named("card", card, func() error { return br.opt.Handler.Remove(card) })
}

func (br *Bridge) onReload() (problems []string, _ *dbus.Error) {
	err := br.guard(func() (err error) {
		problems, err = br.opt.Handler.Reload()
		return err
	})
	return problems, err
}
