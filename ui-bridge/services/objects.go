package services

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// maxObjects bounds the objects of a manager that are looked at.
const maxObjects = 256

// objects are the values of a property: of one object, or of each object that a
// manager lists.
type objects struct {
	loaded  bool                                        // what is there was read
	single  engine.Value                                // without a manager
	managed map[dbus.ObjectPath]map[string]engine.Value // by property: the member and what `where` names
}

type properties = map[string]dbus.Variant

// read asks for all values. After an error nothing is known.
func (o *objects) read(ctx context.Context, p *uibridge.Peer, s *scenes.Listening) error {
	*o = objects{managed: map[dbus.ObjectPath]map[string]engine.Value{}}
	if s.Manager == "" {
		v, err := p.Get(ctx, s.Path, s.Interface, s.Member)
		o.single, o.loaded = uibridge.ValueOf(v), err == nil
		return err
	}
	var all map[dbus.ObjectPath]map[string]properties
	if err := p.Call(ctx, s.Manager, managerInterface, "GetManagedObjects").Store(&all); err != nil {
		return err
	}
	o.loaded = true
	for path, interfaces := range all {
		if err := o.add(path, interfaces, s); err != nil {
			*o = objects{}
			return err
		}
	}
	return nil
}

// add takes an object if it has the interface, and if those before it were taken.
func (o *objects) add(path dbus.ObjectPath, interfaces map[string]properties, s *scenes.Listening) error {
	list, ok := interfaces[s.Interface]
	if !ok || !o.loaded {
		return nil
	}
	if len(o.managed) == maxObjects && o.managed[path] == nil {
		return fmt.Errorf("there are more than %d objects of %s", maxObjects, s.Interface)
	}
	o.managed[path] = map[string]engine.Value{}
	o.update(path, list, s)
	return nil
}

// update takes properties of an object that is known.
func (o *objects) update(path dbus.ObjectPath, list properties, s *scenes.Listening) {
	known := o.managed[path]
	wanted := func(name string) bool {
		return name == s.Member || slices.ContainsFunc(s.Where, func(w scenes.Wanted) bool { return w.Property == name })
	}
	for name, v := range list {
		if known != nil && wanted(name) {
			known[name] = uibridge.ValueOf(v)
		}
	}
}

// take takes a signal; again: what is so must be read.
func (o *objects) take(sig *dbus.Signal, s *scenes.Listening) (again bool, err error) {
	switch managed := s.Manager != ""; {
	case sig.Name == propertiesInterface+".PropertiesChanged":
		return o.changed(sig, s)
	case managed && sig.Name == managerInterface+".InterfacesAdded":
		var path dbus.ObjectPath
		var interfaces map[string]properties
		if err := dbus.Store(sig.Body, &path, &interfaces); err != nil {
			return false, err
		}
		return false, o.add(path, interfaces, s)
	case managed && sig.Name == managerInterface+".InterfacesRemoved":
		var path dbus.ObjectPath
		var interfaces []string
		if err := dbus.Store(sig.Body, &path, &interfaces); err != nil {
			return false, err
		}
		if slices.Contains(interfaces, s.Interface) {
			delete(o.managed, path)
		}
		return false, nil
	}
	return false, errors.New("it was not asked for")
}

// changed takes PropertiesChanged.
func (o *objects) changed(sig *dbus.Signal, s *scenes.Listening) (again bool, err error) {
	var iface string
	var list properties
	var invalidated []string
	if err := dbus.Store(sig.Body, &iface, &list, &invalidated); err != nil {
		return false, err
	}
	if iface != s.Interface {
		return false, nil
	}
	for _, name := range invalidated {
		again = again || name == s.Member || slices.ContainsFunc(s.Where, func(w scenes.Wanted) bool { return w.Property == name })
	}
	if s.Manager != "" {
		o.update(sig.Path, list, s)
		return again && o.managed[sig.Path] != nil, nil
	}
	if v, ok := list[s.Member]; ok {
		o.single, o.loaded = uibridge.ValueOf(v), true
	}
	return again, nil
}

// judge tells of each fact whether it is so. Of a manager's objects that are as
// `where` wants, one is enough; without any it is not so.
func (o *objects) judge(facts []fact, s *scenes.Listening) (so, known []bool) {
	so, known = make([]bool, len(facts)), make([]bool, len(facts))
	if !o.loaded {
		return so, known
	}
	for i := range facts {
		if s.Manager == "" {
			so[i], known[i] = facts[i].Judge(o.single)
			continue
		}
		known[i] = true
		for _, object := range o.managed {
			if !counts(object, s.Where) {
				continue
			}
			one, ok := facts[i].Judge(object[s.Member])
			so[i] = so[i] || one && ok
			known[i] = known[i] && ok
		}
		known[i] = known[i] || so[i]
	}
	return so, known
}

// counts reports whether an object is as wanted.
func counts(object map[string]engine.Value, where []scenes.Wanted) bool {
	for _, w := range where {
		if !w.Value.Equals(object[w.Property]) {
			return false
		}
	}
	return true
}
