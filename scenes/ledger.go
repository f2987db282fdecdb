package scenes

import (
	"fmt"
	"slices"
	"strings"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Ledger remembers the signed packs that were installed, those that are gone too:
// the highest version of each, and whose each card's id is. Of unsigned packs
// nothing is remembered, since anybody could write it.
type Ledger struct {
	Packs []LedgerPack // the last installed last
}

// LedgerPack is a pack that was installed.
type LedgerPack struct {
	ID      string
	Key     sign.PublicKey
	Version string   // the highest
	Cards   []string // ids that it was the first to bring
}

// maxLedger bounds the packs that are remembered; the one that was installed
// longest ago is forgotten first.
const maxLedger = 1024

func (l *Ledger) highest(p *Pack) string {
	for i := range l.Packs {
		if o := &l.Packs[i]; p.Signed && o.ID == p.Manifest.ID && o.Key.Same(p.Key) {
			return o.Version
		}
	}
	return ""
}

// owner is the pack that brought a card's id first, and its key.
func (l *Ledger) owner(card string) (id string, key sign.PublicKey) {
	for i := range l.Packs {
		if slices.Contains(l.Packs[i].Cards, card) {
			return l.Packs[i].ID, l.Packs[i].Key
		}
	}
	return "", key
}

// Note remembers a pack that is being installed, and reports whether the ledger
// has changed. It is written before the pack is: a ledger that is ahead refuses
// nothing that is installed.
func (l *Ledger) Note(p *Pack) bool {
	if !p.Signed {
		return false
	}
	now := LedgerPack{ID: p.Manifest.ID, Key: p.Key, Version: p.Manifest.Version}
	for _, c := range p.Cards {
		if of, _ := l.owner(c.ID); of == "" || of == now.ID {
			now.Cards = append(now.Cards, c.ID)
		}
	}
	i := slices.IndexFunc(l.Packs, func(o LedgerPack) bool { return o.ID == now.ID && o.Key.Same(now.Key) })
	if i >= 0 {
		was := l.Packs[i]
		if CompareVersions(was.Version, now.Version) > 0 {
			now.Version = was.Version
		}
		for _, id := range was.Cards {
			if !slices.Contains(now.Cards, id) {
				now.Cards = append(now.Cards, id)
			}
		}
		if now.Version == was.Version && len(now.Cards) == len(was.Cards) {
			return false
		}
		l.Packs = slices.Delete(l.Packs, i, i+1)
	}
	l.Packs = append(l.Packs, now)
	l.Packs = l.Packs[max(0, len(l.Packs)-maxLedger):]
	return true
}

func ledgerKeys() object[Ledger] {
	return object[Ledger]{"the ledger of packs", []key[Ledger]{
		{"schema", required, func(r *reader, n *yaml.Node, l *Ledger) { r.schema(n) }},
		{"packs", required, func(r *reader, n *yaml.Node, l *Ledger) {
			r.list(n, "`packs`", func(n *yaml.Node) {
				var p LedgerPack
				ledgerPackKeys().read(r, n, &p)
				l.Packs = append(l.Packs, p)
			})
		}},
	}}
}

func ledgerPackKeys() object[LedgerPack] {
	return object[LedgerPack]{"a pack of the ledger", []key[LedgerPack]{
		{"id", required, func(r *reader, n *yaml.Node, p *LedgerPack) { p.ID = r.pattern(n, idText, idWant) }},
		{"key", required, func(r *reader, n *yaml.Node, p *LedgerPack) { p.Key = r.publicKey(n) }},
		{"version", required, func(r *reader, n *yaml.Node, p *LedgerPack) { p.Version = r.pattern(n, versionText, versionWant) }},
		{"cards", optional, func(r *reader, n *yaml.Node, p *LedgerPack) {
			r.list(n, "`cards`", func(n *yaml.Node) { p.Cards = append(p.Cards, r.pattern(n, idText, idWant)) })
		}},
	}}
}

// Limits of a ledger's file: of 1,024 packs of 32 cards.
const (
	maxLedgerBytes = 4 << 20
	maxLedgerNodes = 100_000
)

// ParseLedger reads a ledger from text. The error is Diagnostics.
func ParseLedger(file string, text []byte) (Ledger, error) {
	r := &reader{file: file}
	var l Ledger
	if len(text) > maxLedgerBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxLedgerBytes))
	} else if root := r.document(text, maxLedgerNodes); root != nil {
		ledgerKeys().read(r, root, &l)
	}
	return l, r.diags.err()
}

// Text is the ledger as YAML.
func (l *Ledger) Text() []byte {
	var b strings.Builder
	b.WriteString("schema: 1\npacks:\n")
	for _, p := range l.Packs {
		fmt.Fprintf(&b, "  - {id: %s, key: %s, version: %s", p.ID, p.Key.Line(), p.Version)
		if p.Cards != nil {
			fmt.Fprintf(&b, ", cards: [%s]", strings.Join(p.Cards, ", "))
		}
		b.WriteString("}\n")
	}
	return []byte(b.String())
}
