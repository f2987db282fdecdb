package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"vignette/scenes"
	"vignette/scenes/explain"
	"vignette/scenes/pack"
	"vignette/scenes/sign"
)

func packCommand(args []string, out, errs io.Writer) error {
	list := []command{
		{name: "make", run: packMake}, {name: "sign", run: packSign}, {name: "verify", run: packVerify}, {name: "show", run: packShow}, {name: "qr", run: packQR},
		{name: "remix", run: packRemix}, {name: "log", run: packLog}, {name: "merge", run: packMerge}, {name: "install", run: packInstall}, {name: "remove", run: packRemove},
	}
	return oneOf(list, "pack", "Packs carry cards from one driver to another: one signed file, NAME"+pack.Ext+".", args, out, errs,
		"vignette pack make --key mei.key cool-evening/",
		"vignette pack show --trust trust.yaml cool-evening"+pack.Ext,
		"vignette pack remix cool-evening"+pack.Ext+" my-evening/")
}

// oneOf runs one of the commands about a thing.
func oneOf(list []command, word, what string, args []string, out, errs io.Writer, examples ...string) error {
	var names []string
	for _, c := range list {
		if len(args) > 0 && c.name == args[0] {
			return c.run(args[1:], out, errs)
		}
		names = append(names, c.name)
	}
	fs := newFlags(word, errs, "vignette "+word+" "+strings.Join(names, "|")+" [options] …", what+"\nEach command explains itself with --help.", examples...)
	if err := parse(fs, args); err != nil {
		return err
	}
	fs.Usage()
	return errReported
}

func packMake(args []string, out, errs io.Writer) error {
	fs := newFlags("pack make", errs, "vignette pack make [--key FILE] [--bare] [-o PACK] DIR", `
Makes a pack of a directory with pack.yaml (vignette schema pack-source) and the
files that it names, checked. What the cards read, touch and need is written into
the pack. The same files and key make the same bytes. Without --key the pack is
unsigned, and whoever gets it is told so.`,
		"vignette sign --generate mei",
		"vignette pack make --key mei.key cool-evening/",
		"vignette pack make --bare --key mei.key -o for-the-wall.vpack cool-evening/")
	keyFile := fs.String("key", "", "sign with the secret key in `FILE`")
	bare := fs.Bool("bare", false, "leave scenarios and picture out, for a QR code")
	name := fs.String("o", "", "write to `PACK`; default ID.vpack, of the pack's id")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	key, err := secretKey(*keyFile)
	if err != nil {
		return err
	}
	build := scenes.MakePack
	if *bare {
		build = scenes.MakeBarePack
	}
	data, err := build(fs.Arg(0), os.DirFS(fs.Arg(0)), key)
	if err != nil {
		return err
	}
	return writePack(*name, data, out)
}

// secretKey reads a secret key; no file, no key.
func secretKey(file string) (*sign.SecretKey, error) {
	if file == "" {
		return nil, nil
	}
	key, err := readKey(file, sign.ParseSecretKey)
	return &key, err
}

// writePack writes a pack's file and says what it is.
func writePack(name string, data []byte, out io.Writer) error {
	p, err := scenes.OpenPack(name, data)
	if err != nil {
		return err
	}
	if name == "" {
		name = scenes.PackFileName(p.Manifest.ID)
	}
	if err := overOther(name, "pack", pack.Magic); err != nil {
		return err
	}
	if err := writeWhole(name, data); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s by %s, %s, %d bytes, sha256 %s\n", name, p.Manifest.Name(), p.Manifest.Author, signedBy(p), len(data), p.SHA256)
	return err
}

func signedBy(p *scenes.Pack) string {
	if !p.Signed {
		return "not signed"
	}
	return "signed with key " + p.Key.ID.String()
}

func packSign(args []string, out, errs io.Writer) error {
	fs := newFlags("pack sign", errs, "vignette pack sign --key FILE | --signature FILE --pub FILE PACK", `
Signs a pack anew, in place; its content stays. With --signature the signature is
one that minisign made of the pack's payload, all that follows its first empty
line, with the trusted comment ID@VERSION: for keys that have a password.`,
		"vignette pack sign --key mei.key cool-evening.vpack",
		"sed '1,/^$/d' cool-evening.vpack > payload; minisign -S -m payload -t cool-evening@1.0.0",
		"vignette pack sign --signature payload.minisig --pub minisign.pub cool-evening.vpack")
	keyFile := fs.String("key", "", "sign with the secret key in `FILE`")
	sigFile := fs.String("signature", "", "take the signature in `FILE`, of minisign")
	pubFile := fs.String("pub", "", "public key of --signature, in `FILE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || (*keyFile == "") == (*sigFile == "") || (*sigFile == "") != (*pubFile == "") {
		fs.Usage()
		return errReported
	}
	p, _, err := scenes.LoadPack(fs.Arg(0))
	if err != nil {
		return err
	}
	if *sigFile != "" {
		return attachSignature(fs.Arg(0), p, *sigFile, *pubFile, out)
	}
	key, err := secretKey(*keyFile)
	if err != nil {
		return err
	}
	data, err := pack.Make(p.Files, key, p.Manifest.Name())
	if err != nil {
		return err
	}
	return writePack(fs.Arg(0), data, out)
}

// attachSignature puts minisign's signature into a pack.
func attachSignature(name string, p *scenes.Pack, sigFile, pubFile string, out io.Writer) error {
	key, err := readKey(pubFile, sign.ParsePublicKey)
	if err != nil {
		return err
	}
	s, err := readKey(sigFile, sign.ParseSignature)
	if err != nil {
		return err
	}
	data, err := pack.Attach(p.Files, key, s)
	if err != nil {
		return fmt.Errorf("%s: %w", sigFile, err)
	}
	return writePack(name, data, out)
}

func packVerify(args []string, out, errs io.Writer) error {
	fs := newFlags("pack verify", errs, "vignette pack verify [--trust FILE]… [--revoked FILE --root FILE] PACK|DIR…", `
Checks packs as a car does before it installs one: signature, form, contents,
what they claim, and by the lists whether their author is trusted or called back.
Exit code 1 if one is refused; 3 if all are fine, but an author is not trusted by
the lists that were given.`,
		"vignette pack verify --trust trust.yaml cool-evening.vpack",
		"vignette pack verify --trust oem.yaml --trust mine.yaml --revoked revoked.yaml --root root.pub packs/")
	w := whomFlags(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	strangers := false
	err := w.eachPack(fs.Args(), errs, func(file string, p *scenes.Pack, of scenes.Standing) error {
		strangers = strangers || of != scenes.Trusted
		known := ""
		if w.asked {
			known = ", " + of.String()
		}
		_, err := fmt.Fprintf(out, "%s: %s by %s, %s%s\n", file, p.Manifest.Name(), p.Manifest.Author, signedBy(p), known)
		return err
	})
	if err == nil && strangers && w.asked {
		return errFindings
	}
	return err
}

func packShow(args []string, out, errs io.Writer) error {
	fs := newFlags("pack show", errs, "vignette pack show [--lang TAG] [--json] [--trust FILE]… PACK|DIR…", `
Says in plain words what packs are: by whom, from what parent, what they touch,
read and need, and what their cards do.`,
		"vignette pack show cool-evening.vpack",
		"vignette pack show --lang zh --trust trust.yaml packs/")
	lang := langFlag(fs)
	asJSON := fs.Bool("json", false, "print an object a pack, one a line")
	w := whomFlags(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	first := true
	return w.eachPack(fs.Args(), errs, func(file string, p *scenes.Pack, of scenes.Standing) error {
		if *asJSON {
			return json.NewEncoder(out).Encode(packObject(file, p, of))
		}
		if !first {
			fmt.Fprintln(out)
		}
		first = false
		_, err := fmt.Fprint(out, explain.Pack(p, of, l))
		return err
	})
}
