package qr

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"

	"vignette/scenes/pack"
)

// Terse is a signed pack as few bytes, of which pack.Expand makes it again.
func Terse(data []byte) ([]byte, error) {
	p, err := pack.Open(data)
	if err != nil {
		return nil, err
	}
	head, text, ok := p.Parts()
	if !ok {
		return nil, errors.New("is not signed; sign it first: a code on a wall says nothing of who put it there")
	}
	out := bytes.NewBuffer(head)
	w, err := flate.NewWriterDict(out, flate.BestCompression, []byte(pack.Dictionary))
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, err
	}
	if out.Len() > pack.MaxTerse {
		return nil, fmt.Errorf("needs %d bytes as a QR code, but the largest holds %d; make a pack of one card without picture and scenarios (vignette pack make --bare), with shorter texts",
			out.Len(), pack.MaxTerse)
	}
	again, err := pack.Expand(out.Bytes())
	if err == nil && !bytes.Equal(again, data) {
		err = errors.New("does not come out of a QR code as it went in")
	}
	return out.Bytes(), err
}
