package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"vignette/scenes"
	"vignette/scenes/catalog"
	"vignette/scenes/sign"
)

func catalogs(args []string, out, errs io.Writer) error {
	const synopsis = "vignette catalog build|check …"
	usage := func() {
		fmt.Fprintf(errs, `usage: %s

Makes a static site of packs of cards that drivers can search and read, on any
host or from a disk without a network; and checks one.

  vignette catalog build --out SITE DIR   make a site of the packs below DIR
  vignette catalog check SITE             hold a site to its signed index

Each explains itself with --help.
`, synopsis)
	}
	if len(args) == 0 {
		usage()
		return errReported
	}
	switch args[0] {
	case "build":
		return buildCatalog(args[1:], out, errs)
	case "check":
		return checkCatalog(args[1:], out, errs)
	case "-h", "--help", "help":
		usage()
		return nil
	}
	return fmt.Errorf("no command catalog %s; write build or check", args[0])
}

func buildCatalog(args []string, out, errs io.Writer) error {
	fs := newFlags("catalog build", errs, "vignette catalog build [options] --out SITE DIR", `
Makes a static site of the packs (*.vpack) below DIR: what each one does in
English and Chinese, what it reads, touches and needs, its scenarios, where it
comes from and what became of it. Packs that cannot be opened, have been there
before or give wrong credit are named with the reason, and left out; the exit code
is 3 then. SITE must not be there, be empty or have an earlier catalogue, which is
replaced when the new one is whole. The same packs make the same bytes.`,
		"vignette catalog build --out site packs/",
		"vignette catalog build --key club.key --vehicle car.yaml --adoption adoption.json --out site packs/")
	site := fs.String("out", "", "make the site in the directory `SITE` (required)")
	title := fs.String("title", "", "the site's `TITLE` (Scene cards)")
	key := fs.String("key", "", "sign the index with the secret key in `FILE`")
	adoption := fs.String("adoption", "", "tell how many cars ran a card: `FILE` of vignette cocreate --adoption")
	var vehicles listFlag
	fs.Var(&vehicles, "vehicle", "try the packs on the vehicle profile `FILE`; may be given several times, the first is shown first")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *site == "" {
		fs.Usage()
		return errReported
	}
	if err := outside(fs.Arg(0), *site); err != nil {
		return err
	}
	o := catalog.Options{Title: *title}
	if err := catalogOptions(&o, *key, *adoption, vehicles); err != nil {
		return err
	}
	show, done := counted(errs, "catalog build")
	o.Progress = show
	r, err := catalog.Build(fs.Arg(0), *site, &o)
	done()
	if err != nil {
		return err
	}
	for _, f := range r.Refused {
		fmt.Fprintf(errs, "vignette catalog build: left out: %s\n", f)
	}
	signed := "not signed"
	if o.Key != nil {
		signed = "signed with key " + o.Key.ID.String()
	}
	fmt.Fprintf(out, "%s: %d packs, %d left out, %d files, %.1f MB; the index is %s\n", *site, len(r.Index.Items), len(r.Refused), len(r.Index.Files), float64(r.Bytes)/1e6, signed)
	if len(r.Refused) > 0 {
		return errFindings
	}
	return nil
}

func catalogOptions(o *catalog.Options, key, adoption string, vehicles []string) error {
	for _, file := range vehicles {
		v, err := scenes.LoadVehicle(file)
		if err != nil {
			return err
		}
		o.Cars = append(o.Cars, v)
	}
	if key != "" {
		k, err := readKey(key, sign.ParseSecretKey)
		if err != nil {
			return err
		}
		o.Key = &k
	}
	if adoption != "" {
		f, err := os.Open(adoption)
		if err != nil {
			return err
		}
		defer f.Close()
		if o.Adoption, err = catalog.ReadAdoption(f); err != nil {
			return fmt.Errorf("%s: %w", adoption, err)
		}
	}
	return nil
}

// counted shows how much is done on a terminal, told from any goroutine.
func counted(errs io.Writer, name string) (show func(done, of int), done func()) {
	var at, total atomic.Int64
	m := newMeter(errs, name, func() (int64, int64) { return at.Load(), total.Load() })
	turn := make(chan struct{}, 1)
	return func(done, of int) {
		at.Store(int64(done))
		total.Store(int64(of))
		select {
		case turn <- struct{}{}:
			m.show()
			<-turn
		default: // another one shows it
		}
	}, m.done
}

func checkCatalog(args []string, out, errs io.Writer) error {
	fs := newFlags("catalog check", errs, "vignette catalog check [--trust FILE] SITE", `
Holds a site to its index: the signature, the hash of every file, that there is no
other file, that every page is there, that links lead to files of the site, and
that nothing refers to a network. Without --trust the signature is not checked:
then nobody but the site says whose it is. The exit code is 3 if something is
wrong with a file, 1 if the index cannot be trusted or read.`,
		"vignette catalog check --trust club.pub site")
	trust := fs.String("trust", "", "the index must be signed with the public key in `FILE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	var keys []sign.PublicKey
	if *trust != "" {
		k, err := readKey(*trust, sign.ParsePublicKey)
		if err != nil {
			return err
		}
		keys = []sign.PublicKey{k}
	}
	show, done := counted(errs, "catalog check")
	r, err := catalog.Check(fs.Arg(0), keys, show)
	done()
	if err != nil {
		return err
	}
	for _, f := range r.Faults {
		fmt.Fprintf(errs, "vignette catalog check: %s\n", f)
	}
	signed := "the index is not signed"
	switch {
	case keys != nil:
		signed = "signed with key " + r.Key
	case r.Key != "":
		signed = "its signature, with key " + r.Key + ", was not checked: name the key with --trust"
	}
	fmt.Fprintf(out, "%s: %d packs, %d files, %d faults; %s\n", fs.Arg(0), len(r.Index.Items), len(r.Index.Files), len(r.Faults), signed)
	if len(r.Faults) > 0 {
		return errFindings
	}
	return nil
}
