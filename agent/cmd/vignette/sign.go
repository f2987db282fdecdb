package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"vignette/scenes/sign"
)

func signFiles(args []string, out, errs io.Writer) error {
	fs := newFlags("sign", errs, "vignette sign --generate NAME | --key FILE [--comment TEXT] FILE… | --trust FILE FILE…", `
Signs files, such as vehicle profiles, as minisign does: the signature of FILE is
FILE.minisig. --generate makes a key pair, NAME.pub and NAME.key, the secret one
without a password and readable by its owner only. --trust checks signatures.
Keys with a password are for minisign itself, whose files these are.`,
		"vignette sign --generate oem",
		"vignette sign --key oem.key --comment 'example-ev, version 3' vehicle.yaml",
		"vignette sign --trust oem.pub vehicle.yaml")
	generate := fs.String("generate", "", "make the key pair `NAME`.pub and NAME.key")
	key := fs.String("key", "", "sign with the secret key in `FILE`")
	comment := fs.String("comment", "", "trusted comment, signed too: `TEXT` of one line")
	trust := fs.String("trust", "", "check signatures with the public key in `FILE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	ways := 0
	for _, way := range []string{*generate, *key, *trust} {
		if way != "" {
			ways++
		}
	}
	if ways != 1 || (fs.NArg() == 0) != (*generate != "") {
		fs.Usage()
		return errReported
	}
	switch {
	case *generate != "":
		return generateKey(*generate, out)
	case *trust != "":
		return checkSignatures(*trust, fs.Args(), out)
	}
	return signWith(*key, *comment, fs.Args(), out)
}

// generateKey writes a new key pair; files that exist stay as they are.
func generateKey(name string, out io.Writer) error {
	k, err := sign.GenerateKey(nil)
	if err != nil {
		return err
	}
	if err := writeNew(name+".key", k.File(), 0o600); err != nil {
		return err
	}
	if err := writeNew(name+".pub", k.Public().File(), 0o644); err != nil {
		return errors.Join(err, os.Remove(name+".key"))
	}
	_, err = fmt.Fprintf(out, "key %s: %s.pub is for those who check, %s.key is secret\n", k.ID, name, name)
	return err
}

func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// readKey reads a key's file.
func readKey[K any](file string, parse func([]byte) (K, error)) (k K, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return k, err
	}
	if k, err = parse(text); err != nil {
		return k, fmt.Errorf("%s: %w", file, err)
	}
	return k, nil
}

func signWith(keyFile, comment string, files []string, out io.Writer) error {
	key, err := readKey(keyFile, sign.ParseSecretKey)
	if err != nil {
		return err
	}
	for _, name := range files {
		message, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sig, err := key.Sign(message, comment)
		if err != nil {
			return err
		}
		if err := writeWhole(name+".minisig", sig); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s.minisig: signed with key %s\n", name, key.ID)
	}
	return nil
}

func checkSignatures(keyFile string, files []string, out io.Writer) error {
	key, err := readKey(keyFile, sign.ParsePublicKey)
	if err != nil {
		return err
	}
	for _, name := range files {
		message, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		sig, err := os.ReadFile(name + ".minisig")
		if err != nil {
			return err
		}
		s, err := sign.ParseSignature(sig)
		if err == nil {
			err = s.Verify([]sign.PublicKey{key}, message)
		}
		if err != nil {
			return fmt.Errorf("%s.minisig: %w", name, err)
		}
		fmt.Fprintf(out, "%s: signed with key %s, %q\n", name, s.KeyID, s.Comment)
	}
	return nil
}
