package uibridge

import "github.com/godbus/dbus/v5"

// Driver is what the HMI tells of the driver: what he answers, which cards he
// switches, who he is, and what happens that the profile's events bind to the
// HMI. Each method returns when the engine has taken it.
type Driver interface {
	// Answer answers the question of record n of this session, an `asked`.
	Answer(n uint64, yes bool) error
	// EnableCard enables or disables a card for the present user.
	EnableCard(card string, on bool) error
	// RunCard runs a card by hand.
	RunCard(card string) error
	// FreeCard frees a card from quarantine for the present user.
	FreeCard(card string) error
	// SetUser says who drives from now on: a number that is nobody's name, 0 the
	// guest.
	SetUser(user uint64) error
	// Occur tells of an occurrence by its text, such as `button star` or `place
	// enter home`; now: it happens now, else it is found to be so already.
	Occur(what string, now bool) error
	// SetPlace says where a place of the present user is, instead of what was said
	// before; the profile has its name.
	SetPlace(p Place) error
	// ForgetPlace forgets where a place of the present user is.
	ForgetPlace(name string) error
	// Places lists the present user's places by name.
	Places() ([]Place, error)
}

func (br *Bridge) onAnswer(n uint64, yes bool) *dbus.Error {
	return br.guard(func() error { return br.opt.Handler.Answer(n, yes) })
}

func (br *Bridge) onEnableCard(card string, on bool) *dbus.Error {
	return br.named("card", card, func() error { return br.opt.Handler.EnableCard(card, on) })
}

func (br *Bridge) onRunCard(card string) *dbus.Error {
	return br.named("card", card, func() error { return br.opt.Handler.RunCard(card) })
}

func (br *Bridge) onFreeCard(card string) *dbus.Error {
	return br.named("card", card, func() error { return br.opt.Handler.FreeCard(card) })
}

func (br *Bridge) onSetUser(user uint64) *dbus.Error {
	return br.guard(func() error { return br.opt.Handler.SetUser(user) })
}

func (br *Bridge) onOccur(what string, now bool) *dbus.Error {
	return br.named("event", what, func() error { return br.opt.Handler.Occur(what, now) })
}

// named runs an incoming call that names something.
func (br *Bridge) named(what, name string, f func() error) *dbus.Error {
	return br.guard(func() error {
		if err := bounded(what, name); err != nil {
			return err
		}
		return f()
	})
}
