package uibridge

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// tables are the methods of an object by interface and name.
type tables map[string]map[string]*method

// method is a function that incoming calls reach. A dbus.Sender or dbus.Message
// among its parameters is the call's own, the others are its arguments; its last
// result is a *dbus.Error.
type method struct {
	function  reflect.Value
	signature dbus.Signature // of the arguments
}

// newTables readies functions for calls.
func newTables(functions map[string]map[string]any) tables {
	t := tables{}
	for iface, members := range functions {
		t[iface] = map[string]*method{}
		for name, f := range members {
			t[iface][name] = newMethod(f)
		}
	}
	t[peer] = map[string]*method{"Ping": newMethod(onPing), "GetMachineId": newMethod(onGetMachineID)}
	return t
}

func newMethod(f any) *method {
	m := &method{function: reflect.ValueOf(f)}
	text := ""
	for i := range m.function.Type().NumIn() {
		if t := m.function.Type().In(i); !ofCall(t) {
			text += dbus.SignatureOfType(t).String()
		}
	}
	m.signature = dbus.ParseSignatureMust(text)
	return m
}

// ofCall tells a parameter that is no argument.
func ofCall(t reflect.Type) bool {
	return t == reflect.TypeFor[dbus.Sender]() || t == reflect.TypeFor[dbus.Message]()
}

// find finds the method that a call asks for. A call may leave the interface out
// (D-Bus specification, Message Format).
func (t tables) find(iface, member string) (*method, *dbus.Error) {
	if _, ok := t[iface]; !ok && iface != "" {
		return nil, dbus.NewError("org.freedesktop.DBus.Error.UnknownInterface", []any{"no interface " + iface})
	}
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if m := t[name][member]; m != nil && (iface == "" || iface == name) {
			return m, nil
		}
	}
	return nil, dbus.NewError("org.freedesktop.DBus.Error.UnknownMethod", []any{"no method " + strings.TrimPrefix(iface+"."+member, ".")})
}

// take is what the library's reader shows every message to. Method calls go the
// bridge's way from here: the library leaves a message alone whose type it does
// not know.
func (w *wire) take(m *dbus.Message) {
	if m.Type != dbus.TypeMethodCall {
		return
	}
	call := *m
	m.Type = 0
	sender, _ := call.Headers[dbus.FieldSender].Value().(string)
	c := &incall{by: caller{w, sender}, msg: &call}
	var failed *dbus.Error
	if c.method, failed = w.find(&call); failed == nil {
		if err := w.in.take(c); err != nil {
			failed = dbusError(err)
		}
	}
	if failed == nil || call.Flags&dbus.FlagNoReplyExpected != 0 {
		return
	}
	call.Body = nil // the answer may have to wait
	select {
	case w.refusals <- refusal{c.by, &call, failed}:
	default:
		w.in.muted()
	}
}

// find finds the method of a call, if the arguments are of its types.
func (w *wire) find(m *dbus.Message) (*method, *dbus.Error) {
	path, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	iface, _ := m.Headers[dbus.FieldInterface].Value().(string)
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	t := w.objects(path)
	switch {
	case t == nil:
		return nil, unknownObject(path)
	case w.sock.refused != nil:
		return nil, dbusError(w.sock.refused)
	}
	method, failed := t.find(iface, member)
	if failed != nil {
		return nil, failed
	}
	if got := w.sock.types; got != method.signature.String() {
		return nil, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs",
			[]any{fmt.Sprintf("%s takes %q, not %q", member, method.signature, got)})
	}
	return method, nil
}

// types are those of the arguments of all methods.
func (w *wire) types() map[string]bool {
	all := map[string]bool{}
	for _, path := range []dbus.ObjectPath{AgentPath, cardsPath} {
		for _, members := range w.objects(path) {
			for _, m := range members {
				all[m.signature.String()] = true
			}
		}
	}
	return all
}

// refusal is a call that is not taken, and why.
type refusal struct {
	by  caller
	msg *dbus.Message
	err *dbus.Error
}

// refuse answers the calls that are not taken.
func (w *wire) refuse() {
	for {
		select {
		case r := <-w.refusals:
			if w.readers.behind(r.by) {
				w.in.muted()
				continue
			}
			r.by.reply(r.msg, nil, r.err)
		case <-w.ctx.Done():
			return
		}
	}
}

// answer calls the method, unless something keeps it from that, and replies.
func (c *incall) answer(closing error) {
	w := c.by.wire
	if w.ctx.Err() != nil {
		return // nobody waits for it
	}
	out, failed := []any(nil), dbusError(closing)
	if failed == nil {
		out, failed = c.method.call(c.msg)
	}
	if !w.readers.await(c.by) {
		w.in.muted()
		return
	}
	c.by.reply(c.msg, out, failed)
}

// call calls the function with a message's arguments, which are of its types.
func (m *method) call(msg *dbus.Message) ([]any, *dbus.Error) {
	typ := m.function.Type()
	in := make([]reflect.Value, typ.NumIn())
	var store []any
	for i := range in {
		p := reflect.New(typ.In(i))
		switch to := p.Interface().(type) {
		case *dbus.Sender:
			name, _ := msg.Headers[dbus.FieldSender].Value().(string)
			*to = dbus.Sender(name)
		case *dbus.Message:
			*to = *msg
		default:
			store = append(store, to)
		}
		in[i] = p.Elem()
	}
	if err := dbus.Store(msg.Body, store...); err != nil {
		return nil, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", []any{err.Error()})
	}
	results := m.function.Call(in)
	last := len(results) - 1
	if err := results[last].Interface().(*dbus.Error); err != nil {
		return nil, err
	}
	out := make([]any, last)
	for i := range out {
		out[i] = results[i].Interface()
	}
	return out, nil
}

// reply answers a call, if its caller wants to know.
func (c caller) reply(to *dbus.Message, out []any, failed *dbus.Error) {
	if to.Flags&dbus.FlagNoReplyExpected != 0 {
		return
	}
	m := &dbus.Message{Type: dbus.TypeMethodReply, Body: out, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: to.Headers[dbus.FieldSender], dbus.FieldReplySerial: dbus.MakeVariant(to.Serial())}}
	if failed != nil {
		m.Type, m.Body = dbus.TypeError, failed.Body
		m.Headers[dbus.FieldErrorName] = dbus.MakeVariant(failed.Name)
	}
	if len(m.Body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(m.Body...))
	}
	if err := c.wire.readers.send(c, m); err != nil && failed == nil { // a text that D-Bus does not carry
		c.reply(to, nil, dbusError(fmt.Errorf("the answer cannot be sent: %w", err)))
	}
}

// The methods of org.freedesktop.DBus.Peer, which every object has (D-Bus
// specification, Standard Interfaces).
func onPing() *dbus.Error { return nil }

func onGetMachineID() (string, *dbus.Error) {
	for _, file := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if id, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(id)), nil
		}
	}
	return "", dbus.NewError("org.freedesktop.DBus.Error.FileNotFound", []any{"this machine has no machine-id"})
}
