package uibridge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/godbus/dbus/v5"
)

// Bounds of one message in bytes, as it is sent; in memory it can be twenty times
// as large. A bus lets through 32 MiB.
const (
	maxCallBytes   = 256 << 10 // a method call of another program
	maxOtherBytes  = 4 << 20   // a reply or a signal of a service
	maxHeaderBytes = 16 << 10  // of a message that is over its bound
)

// frames passes messages to the library, which would take any into memory. One
// over its bound becomes a small one of other types than it had: a call is refused
// by its name then, and a reply does not fit.
type frames struct {
	in    *bufio.Reader
	begun bool   // messages, no longer lines
	left  uint64 // bytes of the present message that the library has not read
	cut   []byte // of a message over its bound: what the library gets instead
	over  bool   // the present message was over its bound
	skip  func() // is told of a message that even its answer cannot be made of
}

func (f *frames) Read(p []byte) (n int, err error) {
	if !f.begun {
		return f.in.Read(p)
	}
	for f.left == 0 && len(f.cut) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	if len(f.cut) > 0 {
		n = copy(p, f.cut)
		f.cut = f.cut[n:]
		return n, nil
	}
	n, err = f.in.Read(p[:min(uint64(len(p)), f.left)])
	f.left -= uint64(n)
	return n, err
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
	f.over = header+body > limit
	if !f.over {
		f.left = header + body
		return nil
	}
	if header > maxHeaderBytes {
		f.skip()
		return f.discard(header + body)
	}
	return f.shorten(order, int(header), body)
}

func (f *frames) discard(n uint64) error {
	_, err := io.CopyN(io.Discard, f.in, int64(n))
	return err
}

// signatureField begins the header field of the body's types: its code, and the
// type of its value. Every field begins at a multiple of 8, and no name in a header
// may hold such bytes.
var signatureField = []byte{byte(dbus.FieldSignature), 1, 'g', 0}

// shorten reads a message and makes one of it whose body is as many zero bytes as
// its signature has types.
func (f *frames) shorten(order binary.ByteOrder, header int, body uint64) error {
	cut := make([]byte, header)
	if _, err := io.ReadFull(f.in, cut); err != nil {
		return err
	}
	if err := f.discard(body); err != nil {
		return err
	}
	for at := 16; at+5 < header; at += 8 {
		types := int(cut[at+4])
		if bytes.HasPrefix(cut[at:], signatureField) && at+5+types < header {
			copy(cut[at+5:], bytes.Repeat([]byte{'y'}, types))
			order.PutUint32(cut[4:], uint32(types))
			f.cut = append(cut, make([]byte, types)...)
			return nil
		}
	}
	f.skip() // a body without a signature, which no daemon lets through
	return nil
}
