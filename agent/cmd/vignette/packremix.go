package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"vignette/scenes"
	"vignette/scenes/remix"
)

func packRemix(args []string, out, errs io.Writer) error {
	fs := newFlags("pack remix", errs, "vignette pack remix --author HANDLE [--id ID] PACK DIR", `
Makes a source of a pack, in a new directory, for you to change: pack.yaml and the
files in it. Pack and cards get ids of your own, and pack.yaml names the parent, by
its SHA-256, and what that was derived from. Mind the licence of the parent.`,
		"vignette pack remix --author jo cool-evening.vpack my-evening/",
		"vignette pack make --key jo.key my-evening/")
	author := fs.String("author", "", "your `HANDLE` (required)")
	id := fs.String("id", "", "`ID` of the new pack; default that of the parent with your handle")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 || *author == "" {
		fs.Usage()
		return errReported
	}
	p, _, err := scenes.LoadPack(fs.Arg(0))
	if err != nil {
		return err
	}
	s, forgotten, err := remix.Of(p, *author, *id)
	if err != nil {
		return err
	}
	if err := s.Write(fs.Arg(1)); err != nil {
		return err
	}
	if forgotten != nil {
		fmt.Fprintf(errs, "the lineage has no room for its oldest, %s by %s; name it in a comment\n", forgotten.Pack, forgotten.Author)
	}
	_, err = fmt.Fprintf(out, "%s: %s, a remix of %s by %s (%s)\n", fs.Arg(1), s.Manifest.Name(), p.Manifest.Name(), p.Manifest.Author, p.Manifest.Licence)
	return err
}

func packLog(args []string, out, errs io.Writer) error {
	fs := newFlags("pack log", errs, "vignette pack log [--json] PACK|DIR…", `
Draws the family tree of packs: what each was derived from, as the packs say
themselves, also of ancestors that are not here. Exit code 1 if a pack cannot be
read; 3 if what they say contradicts itself.`,
		"vignette pack log packs/",
		"vignette pack log --json packs/ | jq .members")
	asJSON := fs.Bool("json", false, "print the members as JSON, parents before their remixes")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	files, err := packFiles(fs.Args())
	if err != nil {
		return err
	}
	var family remix.Family
	refused := false
	for _, file := range files {
		p, _, err := scenes.LoadPack(file)
		if err != nil {
			fmt.Fprintln(errs, err)
			refused = true
			continue
		}
		family.Add(file, p)
	}
	if err := printFamily(&family, *asJSON, out, errs); err != nil {
		return err
	}
	switch {
	case refused:
		return errReported
	case family.Faults != nil:
		return errFindings
	}
	return nil
}

func printFamily(f *remix.Family, asJSON bool, out, errs io.Writer) error {
	f.Close()
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"members": f.Members, "faults": append([]string{}, f.Faults...)})
	}
	for _, fault := range f.Faults {
		fmt.Fprintln(errs, fault)
	}
	_, err := io.WriteString(out, f.Text())
	return err
}

func packMerge(args []string, out, errs io.Writer) error {
	fs := newFlags("pack merge", errs, "vignette pack merge [-n] BASE NEXT DIR", `
Brings what changed between two versions of a parent, the packs BASE and NEXT, into
the source of a remix of BASE in DIR, line by line. Your ids and version stay;
pack.yaml is written anew and names NEXT as the parent. Where both have changed a
line, both are written between marks. Exit code 3 if there are such conflicts; 1,
with nothing written, if what comes out is no pack.`,
		"vignette pack merge cool-evening-1.0.0.vpack cool-evening-1.1.0.vpack my-evening/")
	dry := fs.Bool("n", false, "only say what would change")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 3 {
		fs.Usage()
		return errReported
	}
	base, _, err := scenes.LoadPack(fs.Arg(0))
	if err != nil {
		return err
	}
	next, _, err := scenes.LoadPack(fs.Arg(1))
	if err != nil {
		return err
	}
	mine, err := remix.Read(fs.Arg(2))
	if err != nil {
		return err
	}
	m, err := remix.Merge(base, next, mine)
	if err != nil {
		return err
	}
	if !*dry {
		if err := m.Update(fs.Arg(2)); err != nil {
			return err
		}
	}
	for _, name := range m.Changed {
		fmt.Fprintf(out, "%s: changed\n", filepath.Join(fs.Arg(2), name))
	}
	for _, c := range m.Conflicts {
		fmt.Fprintln(out, filepath.Join(fs.Arg(2), c))
	}
	if m.Conflicts != nil {
		return errFindings
	}
	_, err = fmt.Fprintf(out, "%s is a remix of %s now\n", m.Manifest.Name(), next.Manifest.Name())
	return err
}
