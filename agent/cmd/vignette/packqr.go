package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"vignette/scenes"
	"vignette/scenes/pack"
	"vignette/scenes/pack/qr"
)

func packQR(args []string, out, errs io.Writer) error {
	fs := newFlags("pack qr", errs, "vignette pack qr [-o PNG] PACK | --read PNG [-o PACK]", `
Writes a signed pack of one card as a QR code, of which another car makes the very
bytes of the pack again. Scenarios and a picture rarely fit: vignette pack make
--bare leaves them out. --read makes the pack of a picture of a code, which may
be turned and a little blurred.`,
		"vignette pack make --bare --key mei.key cool-evening/",
		"vignette pack qr -o card.png cool-evening.vpack",
		"vignette pack qr --read photo.png -o cool-evening.vpack")
	read := fs.String("read", "", "read the code in the picture `PNG`")
	name := fs.String("o", "", "write to `FILE`; default card.png, or ID.vpack with --read")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 && *read == "" || fs.NArg() != 0 && *read != "" {
		fs.Usage()
		return errReported
	}
	if *read != "" {
		return readCode(*read, *name, out)
	}
	if *name == "" {
		*name = "card.png"
	}
	return drawCode(fs.Arg(0), *name, out)
}

// drawCode writes a pack's QR code.
func drawCode(file, name string, out io.Writer) error {
	p, data, err := scenes.LoadPack(file)
	if err != nil {
		return err
	}
	if len(p.Cards) != 1 {
		return fmt.Errorf("%s: has %d cards; a QR code is for a pack of one", file, len(p.Cards))
	}
	payload, err := qr.Terse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	code, err := qr.Encode(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := apart(name, file); err != nil {
		return err
	}
	var picture bytes.Buffer
	if err := code.WritePNG(&picture); err != nil {
		return err
	}
	if err := writeWhole(name, picture.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s in %d bytes, QR code of version %d, level %s\n", name, p.Manifest.Name(), len(payload), code.Version, code.Level)
	return err
}

// readCode writes the pack whose code is in a picture.
func readCode(picture, name string, out io.Writer) error {
	f, err := os.Open(picture)
	if err != nil {
		return err
	}
	defer f.Close()
	payload, err := qr.Decode(f)
	if err != nil {
		return fmt.Errorf("%s %w", picture, err)
	}
	data, err := pack.Expand(payload)
	if err != nil {
		return fmt.Errorf("%s: its QR code %w", picture, err)
	}
	return writePack(name, data, out)
}
