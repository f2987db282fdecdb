package uibridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Bounds of one message in bytes, as it is sent; in memory it can be twenty times
// as large. A bus lets through 32 MiB.
const (
	maxCallBytes   = 256 << 10 // a method call of another program
	maxOtherBytes  = 4 << 20   // a reply or a signal of a service
	maxHeaderBytes = 16 << 10  // of a message that is over its bound
)

// frames passes messages to the library, which would take any into memory, and ends
// the connection at one that it cannot read. Such a one, and one over its bound,
// becomes a small one of types that nobody asks for: a call is refused by its name
// then, a reply does not fit, and a value is none.
type frames struct {
	in      *bufio.Reader
	begun   bool            // messages, no longer lines
	message []byte          // what the library has not read of the present one
	types   string          // of the present one, a call, as it was sent
	refused error           // why the present one became another, if not for its types
	calls   map[string]bool // the types that calls may have
	skip    func()          // is told of a message that even its answer cannot be made of
}

func (f *frames) Read(p []byte) (n int, err error) {
	if !f.begun {
		return f.in.Read(p)
	}
	for len(f.message) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n = copy(p, f.message)
	if f.message = f.message[n:]; len(f.message) == 0 {
		f.message = nil // what it was a part of may be large
	}
	return n, nil
}

// next begins the next message (D-Bus specification, Message Format).
func (f *frames) next() error {
	head, err := f.in.Peek(16)
	if err != nil {
		return err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'B' {
		order = binary.BigEndian
	}
	body, header := uint64(order.Uint32(head[4:])), 16+(uint64(order.Uint32(head[12:]))+7)&^7
	limit := uint64(maxOtherBytes)
	if dbus.Type(head[1]) == dbus.TypeMethodCall {
		limit = maxCallBytes
	}
	switch f.types, f.refused = "", nil; {
	case header+body <= limit:
		return f.take(order, int(header), int(body))
	case header > maxHeaderBytes:
		f.skip()
		return f.discard(header + body)
	}
	f.refused = fmt.Errorf("%w: a call of over %d KiB", ErrLimit, maxCallBytes>>10)
	cut := make([]byte, header)
	if _, err := io.ReadFull(f.in, cut); err != nil {
		return err
	}
	if err := f.discard(body); err != nil {
		return err
	}
	f.shorten(order, cut)
	return nil
}

func (f *frames) discard(n uint64) error {
	_, err := io.CopyN(io.Discard, f.in, int64(n))
	return err
}

// take reads a message.
func (f *frames) take(order binary.ByteOrder, header, body int) error {
	m := make([]byte, header+body)
	if _, err := io.ReadFull(f.in, m); err != nil {
		return err
	}
	f.message = m
	if dbus.Type(m[1]) == dbus.TypeMethodCall && !f.fits(order, header) {
		f.shorten(order, m[:header:header])
	}
	if f.refused == nil {
		f.refused = unreadable(f.message)
	}
	if f.refused == nil {
		return nil
	}
	f.shorten(order, m[:header:header])
	if unreadable(f.message) != nil { // in its header
		f.message = nil
		f.skip()
	}
	return nil
}

// fits reports whether a call's types are those of some method, and refuses values
// that are none. The library makes Go types of whatever a call brings, and what they
// take is never given back.
func (f *frames) fits(order binary.ByteOrder, header int) bool {
	_, types := bodyTypes(f.message[:header])
	f.types = string(types)
	if f.types != "" && !f.calls[f.types] {
		return false
	}
	texts, _, some := strings.Cut(f.types, "v")
	if !some || strings.Trim(texts, "s") != "" {
		return true
	}
	if of := variantType(order, f.message[header:], len(texts)); len(of) != 1 || of == "v" {
		f.refused = fmt.Errorf("%w: type %s; send a number, a boolean or a string", ErrInvalidValue, of)
	}
	return true
}

// variantType is the type of the variant behind some texts that begin a body; empty:
// there is none.
func variantType(order binary.ByteOrder, body []byte, texts int) string {
	at, all := uint64(0), uint64(len(body))
	for range texts {
		if at = (at + 3) &^ 3; at+4 > all {
			return ""
		}
		at += 4 + uint64(order.Uint32(body[at:])) + 1
	}
	if at >= all || at+1+uint64(body[at]) > all {
		return ""
	}
	return string(body[at+1 : at+1+uint64(body[at])])
}

// unreadable tells why the library cannot read a message.
func unreadable(m []byte) error {
	if !odd(m) {
		return nil
	}
	_, err := dbus.DecodeMessage(bytes.NewReader(m))
	if _, left := err.(dbus.InvalidMessageError); err == nil || left { // those it leaves out
		return nil
	}
	return fmt.Errorf("%w: a dictionary has keys of a type that the agent does not read: %w", ErrInvalidValue, err)
}

// odd tells whether there may be a dictionary in a message whose keys are booleans
// or signatures: the bus allows them, the library cannot read them.
func odd(m []byte) bool { return bytes.Contains(m, []byte("a{b")) || bytes.Contains(m, []byte("a{g")) }

// signatureField begins the header field of the body's types: its code, and the
// type of its value. Every field begins at a multiple of 8, and no name in a header
// may hold such bytes.
var signatureField = []byte{byte(dbus.FieldSignature), 1, 'g', 0}

// shorten makes of the header of a message one whose body is as many empty
// signatures as its signature has types.
func (f *frames) shorten(order binary.ByteOrder, cut []byte) {
	at, types := bodyTypes(cut)
	if at == 0 {
		f.message = nil
		f.skip() // a body without a signature, which no daemon lets through
		return
	}
	size := 2 * len(types)
	copy(cut[at:], bytes.Repeat([]byte{'g'}, len(types)))
	order.PutUint32(cut[4:], uint32(size))
	f.message = append(cut, make([]byte, size)...)
}

// bodyTypes finds the signature of the body in a header; at 0 there is none.
func bodyTypes(header []byte) (at int, types []byte) {
	for at := 16; at+5 < len(header); at += 8 {
		if end := at + 5 + int(header[at+4]); bytes.HasPrefix(header[at:], signatureField) && end < len(header) {
			return at + 5, header[at+5 : end]
		}
	}
	return 0, nil
}
