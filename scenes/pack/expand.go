package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"vignette/scenes/sign"
)

// A signed pack as few bytes (terse), for a QR code: a version byte, the key's id and the
// key, the two signatures, and as one DEFLATE stream (RFC 1951) with the preset
// dictionary below the trusted comment and each file's name and data, every one of
// them after its length as a varint. Since there is one way only to write a pack,
// all else of its bytes is made anew.

// TerseMark is the first byte of a terse pack, its version.
const TerseMark = 1

const (
	terseHead   = 1 + 8 + 32 + 128
	MaxTerse    = 2952     // what the largest QR code holds beside the mark of Latin-1
	maxExpanded = 96 << 10 // of comment, names and data
)

// ErrTerse says that bytes are not a pack as a QR code has it.
var ErrTerse = errors.New("is no pack of a QR code")

func badTerse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTerse, fmt.Sprintf(format, args...))
}

// Expand makes of a QR code's bytes the pack that they were made of, byte for
// byte, and checks its signature. Errors are ErrTerse, or Open's.
func Expand(payload []byte) ([]byte, error) {
	switch {
	case len(payload) > MaxTerse:
		return nil, badTerse("it has %d bytes, at most %d fit into a code", len(payload), MaxTerse)
	case len(payload) < terseHead:
		return nil, badTerse("it has %d bytes", len(payload))
	case payload[0] != TerseMark:
		return nil, badTerse("it is of version %d, this reads version %d", payload[0], TerseMark)
	}
	body, used, err := inflate(payload[terseHead:], []byte(Dictionary), maxExpanded)
	if err != nil {
		return nil, badTerse("its text: %v", err)
	}
	if used < len(payload)-terseHead {
		return nil, badTerse("something follows its text")
	}
	comment, files, err := unjoin(body)
	if err != nil {
		return nil, err
	}
	s, err := sign.FromRaw(sign.KeyID(payload[1:]), payload[41:terseHead], comment)
	if err != nil {
		return nil, badTerse("it %v", err)
	}
	return Attach(files, sign.PublicKey{ID: s.KeyID, Key: bytes.Clone(payload[9:41])}, s)
}

// unjoin takes comment and files apart that Parts has joined.
func unjoin(body []byte) (comment string, files []File, err error) {
	next := func() []byte {
		n, size := binary.Uvarint(body)
		if size <= 0 || n > uint64(len(body)-size) {
			err = badTerse("a length in it is wrong")
			return nil
		}
		part := body[size : size+int(n)]
		body = body[size+int(n):]
		return part
	}
	comment = string(next())
	for len(body) > 0 && err == nil && len(files) <= MaxFiles {
		name := string(next())
		files = append(files, File{name, next()})
	}
	return comment, files, err
}

// Parts is a signed pack as Expand takes it, but for the compression: what stands
// before the DEFLATE stream, and what the stream with the Dictionary is of. ok is
// false for an unsigned one.
func (p *Pack) Parts() (head, text []byte, ok bool) {
	if !p.Signed {
		return nil, nil, false
	}
	raw, _ := p.signature.Raw() // Open takes no old signatures
	head = append(append([]byte{TerseMark}, p.Key.ID[:]...), p.Key.Key...)
	text = binary.AppendUvarint(nil, uint64(len(p.Comment)))
	text = append(text, p.Comment...)
	for i := range p.Files {
		for _, part := range [][]byte{[]byte(p.Files[i].Name), p.Files[i].Data} {
			text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
		}
	}
	return append(head, raw...), text, true
}
