package scenes

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Revocations is a list of what is called back: study and answer cards by id,
// the highest version that no longer counts, packs of cards and authors' keys. It
// is signed as study cards are.
type Revocations struct {
	Version          int // of the list; only grows
	Studies, Answers map[string]int
	Packs            []RevokedPack
	Keys             []sign.PublicKey
}

// RevokedPack is a pack that is called back, up to a version.
type RevokedPack struct {
	ID      string
	Key     sign.PublicKey // of its author
	Version string
}

// Has reports whether a study is called back.
func (l Revocations) Has(s *Study) bool { return s.Version <= l.Studies[s.ID] }

// HasAnswer reports whether an answer is called back.
func (l Revocations) HasAnswer(a *Answer) bool { return a.Version <= l.Answers[a.ID] }

// HasKey reports whether an author's key is called back.
func (l Revocations) HasKey(key sign.PublicKey) bool {
	return slices.ContainsFunc(l.Keys, key.Same)
}

// HasPack reports whether a pack, or the key that it is signed with, is called back.
func (l Revocations) HasPack(p *Pack) bool {
	return p.Signed && (l.HasKey(p.Key) || slices.ContainsFunc(l.Packs, func(o RevokedPack) bool {
		return o.ID == p.Manifest.ID && o.Key.Same(p.Key) && CompareVersions(p.Manifest.Version, o.Version) <= 0
	}))
}

func revocationKeys() object[Revocations] {
	return object[Revocations]{"the revocation list", []key[Revocations]{
		{"schema", required, func(r *reader, n *yaml.Node, l *Revocations) { r.schema(n) }},
		{"version", required, func(r *reader, n *yaml.Node, l *Revocations) { l.Version = r.whole(n, 1, maxProfile) }},
		{"revoked", optional, func(r *reader, n *yaml.Node, l *Revocations) { l.Studies = r.revoked(n, "`revoked`", "study") }},
		{"revoked_answers", optional, func(r *reader, n *yaml.Node, l *Revocations) { l.Answers = r.revoked(n, "`revoked_answers`", "answer") }},
		{"revoked_packs", optional, func(r *reader, n *yaml.Node, l *Revocations) {
			r.list(n, "`revoked_packs`", func(n *yaml.Node) {
				var p RevokedPack
				revokedPackKeys().read(r, n, &p)
				l.Packs = append(l.Packs, p)
			})
		}},
		{"revoked_keys", optional, func(r *reader, n *yaml.Node, l *Revocations) {
			r.list(n, "`revoked_keys`", func(n *yaml.Node) { l.Keys = append(l.Keys, r.publicKey(n)) })
		}},
	}}
}

func revokedPackKeys() object[RevokedPack] {
	return object[RevokedPack]{"a revoked pack", []key[RevokedPack]{
		{"id", required, func(r *reader, n *yaml.Node, p *RevokedPack) { p.ID = r.pattern(n, idText, idWant) }},
		{"key", required, func(r *reader, n *yaml.Node, p *RevokedPack) { p.Key = r.publicKey(n) }},
		{"version", required, func(r *reader, n *yaml.Node, p *RevokedPack) { p.Version = r.pattern(n, versionText, versionWant) }},
	}}
}

// revoked reads the ids and versions of one kind of card.
func (r *reader) revoked(n *yaml.Node, what, kind string) map[string]int {
	type entry struct {
		id      string
		version int
	}
	table := object[entry]{"a revoked " + kind, []key[entry]{
		{"id", required, func(r *reader, n *yaml.Node, e *entry) { e.id = r.pattern(n, idText, idWant) }},
		{"version", required, func(r *reader, n *yaml.Node, e *entry) { e.version = r.whole(n, 1, maxStudyID) }},
	}}
	list := map[string]int{}
	r.list(n, what, func(n *yaml.Node) {
		var e entry
		if !table.read(r, n, &e) {
			return
		}
		if _, twice := list[e.id]; twice {
			r.fault(n, "%s `%s` is given twice; keep its highest version", kind, e.id)
		}
		list[e.id] = e.version
	})
	return list
}

// ParseRevocations reads a revocation list from text. The error is Diagnostics.
func ParseRevocations(file string, text []byte) (Revocations, error) {
	r := &reader{file: file}
	l := Revocations{}
	if root := r.document(text, maxTrustNodes); root != nil && r.mapping(root, "the revocation list") {
		revocationKeys().read(r, root, &l)
	}
	if err := r.diags.err(); err != nil {
		return Revocations{}, err
	}
	return l, nil
}

// Text is the list as YAML.
func (l Revocations) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: 1\nversion: %d\n", l.Version)
	for _, k := range []struct {
		name string
		list map[string]int
	}{{"revoked", l.Studies}, {"revoked_answers", l.Answers}} {
		for i, id := range slices.Sorted(maps.Keys(k.list)) {
			if i == 0 {
				b.WriteString(k.name + ":\n")
			}
			fmt.Fprintf(&b, "  - {id: %s, version: %d}\n", id, k.list[id])
		}
	}
	for i, p := range l.Packs {
		if i == 0 {
			b.WriteString("revoked_packs:\n")
		}
		fmt.Fprintf(&b, "  - {id: %s, key: %s, version: %s}\n", p.ID, p.Key.Line(), p.Version)
	}
	for i, k := range l.Keys {
		if i == 0 {
			b.WriteString("revoked_keys:\n")
		}
		fmt.Fprintf(&b, "  - %s\n", k.Line())
	}
	return []byte(b.String())
}

// LoadRevocations reads a revocation list if its signature, the file
// path.minisig beside it, is one of keys'; nil keys are a desk's, which asks for
// none.
func LoadRevocations(path string, keys []sign.PublicKey) (Revocations, error) {
	text, err := load(path, maxStudyBytes)
	if err == nil && keys != nil {
		err = verify(path, text, keys)
	}
	if err != nil {
		return Revocations{}, err
	}
	return ParseRevocations(path, text)
}
