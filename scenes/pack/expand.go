package pack

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"vignette/scenes/sign"
)

// A signed pack as few bytes, for a QR code: a version byte, the key's id and the
// key, the two signatures, and as one DEFLATE stream (RFC 1951) with the preset
// dictionary below the trusted comment and each file's name and data, every one of
// them after its length as a varint. Since there is one way only to write a pack,
// all else of its bytes is made anew.

const (
	tersely     = 1 // the version byte
	terseHead   = 1 + 8 + 32 + 128
	maxTerse    = 2952     // what the largest QR code holds beside the mark of Latin-1
	maxExpanded = 96 << 10 // of comment, names and data
)

// ErrTerse says that bytes are no pack as Terse writes it.
var ErrTerse = errors.New("is no pack of a QR code")

func badTerse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTerse, fmt.Sprintf(format, args...))
}

// Expand makes of a QR code's bytes the pack that they were made of, byte for
// byte, and checks its signature. Errors are ErrTerse, or Open's.
func Expand(payload []byte) ([]byte, error) {
	switch {
	case len(payload) > maxTerse:
		return nil, badTerse("it has %d bytes, at most %d fit into a code", len(payload), maxTerse)
	case len(payload) < terseHead:
		return nil, badTerse("it has %d bytes", len(payload))
	case payload[0] != tersely:
		return nil, badTerse("it is of version %d, this reads version %d", payload[0], tersely)
	}
	packed := bytes.NewReader(payload[terseHead:])
	body, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(packed, []byte(dictionary)), maxExpanded+1))
	switch {
	case err != nil:
		return nil, badTerse("its text cannot be unpacked: %v", err)
	case len(body) > maxExpanded:
		return nil, badTerse("it would unpack to more than %d bytes", maxExpanded)
	case packed.Len() > 0:
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

// unjoin takes comment and files apart that join has joined.
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

// Terse is a signed pack as few bytes, of which Expand makes it again. It is for
// desks.
func Terse(data []byte) ([]byte, error) {
	p, err := Open(data)
	if err != nil {
		return nil, err
	}
	if !p.Signed {
		return nil, errors.New("is not signed; sign it first: a code on a wall says nothing of who put it there")
	}
	raw, _ := p.signature.Raw() // Open takes no old signatures
	var out bytes.Buffer
	out.WriteByte(tersely)
	out.Write(p.Key.ID[:])
	out.Write(p.Key.Key)
	out.Write(raw)
	w, err := flate.NewWriterDict(&out, flate.BestCompression, []byte(dictionary))
	if err != nil {
		return nil, err
	}
	_, err = w.Write(p.join())
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	if out.Len() > maxTerse {
		return nil, fmt.Errorf("needs %d bytes as a QR code, but the largest holds %d; make a pack of one card without picture and scenarios (vignette pack make --bare), with shorter texts", out.Len(), maxTerse)
	}
	again, err := Expand(out.Bytes())
	if err == nil && !bytes.Equal(again, data) {
		err = errors.New("does not come out of a QR code as it went in")
	}
	return out.Bytes(), err
}

// join writes comment and files one after the other.
func (p *Pack) join() []byte {
	body := binary.AppendUvarint(nil, uint64(len(p.Comment)))
	body = append(body, p.Comment...)
	for i := range p.Files {
		for _, part := range [][]byte{[]byte(p.Files[i].Name), p.Files[i].Data} {
			body = append(binary.AppendUvarint(body, uint64(len(part))), part...)
		}
	}
	return body
}
