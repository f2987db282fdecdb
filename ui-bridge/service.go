package uibridge

import (
	"embed"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// maxTextBytes bounds a name in an interaction, a study or an actuator.
const maxTextBytes = 128

// Interfaces are the introspection files that are installed for other programs,
// one an interface, named after it.
//
//go:embed dbus/*.xml
var Interfaces embed.FS

// objects are the agent's objects as they are on a wire: its own, those of cards,
// and the nodes above, which can be introspected.
func (br *Bridge) objects(w *wire) func(dbus.ObjectPath) tables {
	agent, card := newTables(br.methods(w)), newTables(br.cardMethods())
	above := newTables(map[string]map[string]any{introspectable: {"Introspect": br.onIntrospect}})
	return func(path dbus.ObjectPath) tables {
		switch {
		case path == AgentPath:
			return agent
		case path == cardsPath || strings.HasPrefix(string(path), cardsPath+"/"):
			return card
		case childOf(path) != "":
			return above
		}
		return nil
	}
}

// childOf is the name under a path on the way to the agent's object.
func childOf(path dbus.ObjectPath) string {
	rest, ok := strings.CutPrefix(AgentPath, strings.TrimSuffix(string(path), "/")+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// methods are the methods of the agent's object by interface, as they are on a
// wire.
func (br *Bridge) methods(w *wire) map[string]map[string]any {
	return map[string]map[string]any{
		AgentInterface: {"Watch": w.onWatch(br), "Unwatch": w.onUnwatch(br), "WatchCard": w.onWatchCard(br), "UnwatchCard": w.onUnwatchCard(br),
			"Why": br.onWhy, "Override": br.onOverride, "Answer": br.onAnswer, "EnableCard": br.onEnableCard, "RunCard": br.onRunCard,
			"FreeCard": br.onFreeCard, "SetUser": br.onSetUser, "Occur": br.onOccur,
			"SetPlace": br.onSetPlace, "ForgetPlace": br.onForgetPlace, "Places": br.onPlaces,
			"Install": br.onInstall, "Preview": br.onPreview, "Remove": br.onRemove, "Reload": br.onReload,
			"ImportPack": br.onImportPack, "PreviewPack": br.onPreviewPack, "AcceptAuthor": br.onAcceptAuthor, "RefuseAuthor": br.onRefuseAuthor,
			"RemovePack": br.onRemovePack, "Packs": br.onPacks,
			"SetHabits": br.onSetHabits, "Drafts": br.onDrafts, "DismissDraft": br.onDismissDraft},
		TraceInterface: br.traceMethods(),
		objectManager:  {"GetManagedObjects": br.onGetManagedObjects},
		propertiesOf:   {"Get": br.onGet, "GetAll": br.onGetAll, "Set": br.onSet},
		introspectable: {"Introspect": br.onIntrospect},
	}
}

// cardMethods are those of every card's object, and of the node above them.
func (br *Bridge) cardMethods() map[string]map[string]any {
	return map[string]map[string]any{
		propertiesOf:   {"Get": br.onGet, "GetAll": br.onGetAll, "Set": br.onSet},
		introspectable: {"Introspect": br.onIntrospect},
	}
}

// guard names the error of an incoming call for the bus.
func (br *Bridge) guard(f func() error) *dbus.Error { return dbusError(f()) }

func (w *wire) onWatch(br *Bridge) func(dbus.Sender, []string) *dbus.Error {
	return func(sender dbus.Sender, paths []string) *dbus.Error {
		return br.guard(func() error { return br.startWatch(caller{w, string(sender)}, paths) })
	}
}

func (br *Bridge) startWatch(c caller, paths []string) error {
	fresh, err := br.watch.add(c, paths)
	if err != nil {
		return err
	}
	if fresh {
		if err := br.there(c); err != nil {
			br.watch.remove(c)
			return err
		}
	}
	err = br.look("")
	br.watch.poke()
	return err
}

func (w *wire) onUnwatch(br *Bridge) func(dbus.Sender) *dbus.Error {
	return func(sender dbus.Sender) *dbus.Error {
		return br.guard(func() error {
			br.watch.remove(caller{w, string(sender)})
			return nil
		})
	}
}

func (br *Bridge) onOverride(actuator string, value dbus.Variant) *dbus.Error {
	return br.guard(func() error {
		if err := bounded("actuator", actuator); err != nil {
			return err
		}
		v, err := fromVariant(value)
		if err != nil {
			return err
		}
		return br.opt.Handler.Override(actuator, v)
	})
}

// bounded refuses a name that is too long. It does not repeat it.
func bounded(what, s string) error {
	if len(s) > maxTextBytes {
		return fmt.Errorf("%w: %s has a name of %d bytes, at most %d", ErrLimit, what, len(s), maxTextBytes)
	}
	return nil
}
