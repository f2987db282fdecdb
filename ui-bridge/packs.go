package uibridge

import (
	"github.com/godbus/dbus/v5"
)

// Packs is what the HMI does with packs of cards. Its methods may take as long as
// checking a pack and telling its scenarios does.
type Packs interface {
	// ImportPack checks a pack and, if nothing is wrong with it, has its cards run,
	// disabled for every user. It reports what they can do, or what is wrong.
	ImportPack(data []byte) (Report, error)
	// PreviewPack reports what ImportPack would, and changes nothing.
	PreviewPack(data []byte) (Report, error)
	// AcceptAuthor is the driver's word that the cards of an installed pack may be
	// enabled though nobody vouches for its author, who is named as reports do.
	AcceptAuthor(pack, author string) error
	// RefuseAuthor takes that back: the cards are disabled for every user.
	RefuseAuthor(pack string) error
	// RemovePack removes a pack: the leases of its cards end.
	RemovePack(pack string) error
	// Packs are those that are installed.
	Packs() ([]Report, error)
}

func (br *Bridge) onImportPack(data []byte) (map[string]dbus.Variant, *dbus.Error) {
	return br.reported(func() (Report, error) { return br.opt.Handler.ImportPack(data) })
}

func (br *Bridge) onPreviewPack(data []byte) (map[string]dbus.Variant, *dbus.Error) {
	return br.reported(func() (Report, error) { return br.opt.Handler.PreviewPack(data) })
}

func (br *Bridge) onAcceptAuthor(pack, author string) *dbus.Error {
	return br.named("pack", pack, func() error {
		if err := bounded("author", author); err != nil {
			return err
		}
		return br.opt.Handler.AcceptAuthor(pack, author)
	})
}

func (br *Bridge) onRefuseAuthor(pack string) *dbus.Error {
	return br.named("pack", pack, func() error { return br.opt.Handler.RefuseAuthor(pack) })
}

func (br *Bridge) onRemovePack(pack string) *dbus.Error {
	return br.named("pack", pack, func() error { return br.opt.Handler.RemovePack(pack) })
}

func (br *Bridge) onPacks() (packs []map[string]dbus.Variant, _ *dbus.Error) {
	packs = []map[string]dbus.Variant{}
	err := br.guard(func() error {
		list, err := br.opt.Handler.Packs()
		for _, p := range list {
			packs = append(packs, p.variants())
		}
		return err
	})
	return packs, err
}
