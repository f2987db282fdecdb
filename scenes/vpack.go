package scenes

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"vignette/scenes/engine"
	"vignette/scenes/pack"
)

// Pack is a pack of cards that was opened and fits together: its signature fits,
// its cards can be read, and the manifest says what is in it.
type Pack struct {
	*pack.Pack
	Manifest  *Manifest
	Cards     []*Card // by id; disabled until the driver enables each
	Scenarios []*Scenario
	Picture   []byte // PNG; nil: none
}

// OpenPack checks a pack, of at most pack.MaxBytes, and reads what is in it;
// file is its name in messages, and begins those of the files in it. Nothing is
// parsed before the signature was found to fit. The error is Diagnostics, or one
// of pack.Open's.
func OpenPack(file string, data []byte) (*Pack, error) {
	box, err := pack.Open(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	m, err := ParseManifest(file+"/"+ManifestName, box.File(ManifestName))
	if err != nil {
		return nil, err
	}
	return ReadPack(file, box, m)
}

// ReadPack reads what a manifest says is in a pack.
func ReadPack(file string, box *pack.Pack, m *Manifest) (*Pack, error) {
	p := &Pack{Pack: box, Manifest: m}
	var diags Diagnostics
	if p.checkHead(&diags); diags == nil {
		p.readCards(file, &diags)
		p.readOthers(file, &diags)
	}
	if diags == nil {
		p.checkClaims(&diags)
	}
	if err := diags.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// checkHead checks what says which cards can be read at all, and that the pack
// has the files that the manifest names and no others.
func (p *Pack) checkHead(diags *Diagnostics) {
	m := p.Manifest
	if p.Signed && p.Comment != m.Name() {
		diags.add(m.File, m.pos["id"], "the manifest is of %s, but %s was signed; make the pack anew", m.Name(), p.Comment)
	}
	if CompareVersions(m.Engine, engine.Version) > 0 {
		diags.add(m.File, m.pos["engine"], "is for version %s of the engine or newer, this is %s", m.Engine, engine.Version)
	}
	named := append(slices.Concat(m.Cards, m.Scenarios), ManifestName)
	if m.Picture != "" {
		named = append(named, m.Picture)
	}
	for _, f := range p.Files {
		if !slices.Contains(named, f.Name) {
			diags.add(m.File, Pos{}, "the pack has a file that the manifest does not name, `%s`; name it or take it out", f.Name)
		}
	}
	for _, name := range named {
		if p.File(name) == nil {
			diags.add(m.File, m.pos[name], "the pack has no file `%s`, or it is empty", name)
		}
	}
}

// readCards reads the cards.
func (p *Pack) readCards(file string, diags *Diagnostics) {
	for _, name := range p.Manifest.Cards {
		c, err := ParseCard(file+"/"+name, p.File(name))
		if err != nil {
			diags.merge(file+"/"+name, err)
			continue
		}
		c.Off, c.From = true, p
		p.Cards = append(p.Cards, c)
	}
	sortCards(p.Cards, diags)
	if m := p.Manifest; len(m.Cards) == 1 && len(p.Cards) == 1 && p.Cards[0].ID != m.ID {
		diags.add(m.File, m.pos["id"], "the pack is called `%s` and its one card `%s`; give both one id", m.ID, p.Cards[0].ID)
	}
}

// readOthers reads the scenarios and the picture.
func (p *Pack) readOthers(file string, diags *Diagnostics) {
	for _, name := range p.Manifest.Scenarios {
		s, err := ParseScenario(file+"/"+name, p.File(name))
		if err != nil {
			diags.merge(file+"/"+name, err)
			continue
		}
		p.Scenarios = append(p.Scenarios, s)
	}
	if name := p.Manifest.Picture; name != "" {
		p.Picture = p.File(name)
		if fault := pictureFault(p.Picture); fault != "" {
			diags.add(file+"/"+name, Pos{}, "%s", fault)
		}
	}
}

// maxSide is the most pixels of a picture's width and height: who shows it
// decodes it, however small the file is.
const maxSide = 1024

// pictureFault says what is wrong with a picture, as far as its head tells.
func pictureFault(png []byte) string {
	const head = "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
	if len(png) > maxPicture {
		return tooLong(maxPicture)
	}
	if len(png) < len(head)+8 || !bytes.HasPrefix(png, []byte(head)) {
		return "is no PNG picture; save it as PNG"
	}
	w, h := binary.BigEndian.Uint32(png[len(head):]), binary.BigEndian.Uint32(png[len(head)+4:])
	if w == 0 || h == 0 || w > maxSide || h > maxSide {
		return fmt.Sprintf("is %d × %d pixels large, at most %d × %d are shown; make it smaller", w, h, maxSide, maxSide)
	}
	return ""
}

// checkClaims checks that the manifest claims what the cards read, touch and
// need, no less and no more: people decide by it.
func (p *Pack) checkClaims(diags *Diagnostics) {
	m, have := p.Manifest, ClaimsOf(p.Cards)
	for _, l := range []struct {
		key           string
		claimed, have []string
	}{{"reads", m.Reads, have.Reads}, {"touches", m.Touches, have.Touches}, {"needs", m.Needs, have.Needs}} {
		before := len(*diags)
		for _, name := range l.have {
			if !slices.Contains(l.claimed, name) {
				diags.add(m.File, m.pos[l.key], "`%s` does not name `%s`, but a card of the pack does; make the pack with vignette pack make", l.key, name)
			}
		}
		for _, name := range l.claimed {
			if !slices.Contains(l.have, name) {
				diags.add(m.File, m.pos[l.key], "`%s` names `%s`, but no card of the pack does; make the pack with vignette pack make", l.key, name)
			}
		}
		if len(*diags) == before && !slices.Equal(l.claimed, l.have) {
			diags.add(m.File, m.pos[l.key], "`%s` is not sorted or names something twice; make the pack with vignette pack make", l.key)
		}
	}
}

// IsParentOf reports whether another pack is a remix of this one, in whatever
// version: by its id and its author's handle, which are what a remix knows.
func (p *Pack) IsParentOf(o *Pack) bool {
	of := o.Manifest.DerivedFrom
	if of == nil || of.Author != p.Manifest.Author {
		return false
	}
	id, _, _ := strings.Cut(of.Pack, "@")
	return id == p.Manifest.ID
}

// Remixes reports whether a card says that it is a remix of another, in whatever
// version.
func (c *Card) Remixes(o *Card) bool {
	id, _, _ := strings.Cut(c.DerivedFrom, "@")
	return id == o.ID
}
