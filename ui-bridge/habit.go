package uibridge

import (
	"vignette/scenes/habit"

	"github.com/godbus/dbus/v5"
)

// Habits is what the HMI does with what the present driver does again and again.
type Habits interface {
	// SetHabits has the present driver's habits learnt, or all of it forgotten.
	SetHabits(on bool) error
	// Drafts are the cards that would do what the driver does by hand, the surest
	// first.
	Drafts() ([]habit.Draft, error)
	// DismissDraft has what a draft does not offered any more.
	DismissDraft(id string) error
}

func (br *Bridge) onSetHabits(on bool) *dbus.Error {
	return br.guard(func() error { return br.opt.Handler.SetHabits(on) })
}

func (br *Bridge) onDrafts() ([]map[string]dbus.Variant, *dbus.Error) {
	return listed(br, br.opt.Handler.Drafts, func(d *habit.Draft) map[string]dbus.Variant {
		return map[string]dbus.Variant{"id": dbus.MakeVariant(d.ID), "title": dbus.MakeVariant(map[string]string(d.Title)),
			"why": dbus.MakeVariant(map[string]string(d.Why)), "times": dbus.MakeVariant(uint32(d.Times)), "of": dbus.MakeVariant(uint32(d.Of)),
			"days": dbus.MakeVariant(uint32(d.Days)), "text": dbus.MakeVariant(d.Text)}
	})
}

func (br *Bridge) onDismissDraft(id string) *dbus.Error {
	return br.named("draft", id, func() error { return br.opt.Handler.DismissDraft(id) })
}
