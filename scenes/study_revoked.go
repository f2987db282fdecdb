package scenes

import (
	"go.yaml.in/yaml/v3"

	"vignette/scenes/sign"
)

// Revocations is a list of study and answer cards that are called back: by id,
// the highest version that no longer counts. It is signed as the cards are.
type Revocations struct {
	Version          int // of the list; only grows
	Studies, Answers map[string]int
}

// Has reports whether a study is called back.
func (l Revocations) Has(s *Study) bool { return s.Version <= l.Studies[s.ID] }

// HasAnswer reports whether an answer is called back.
func (l Revocations) HasAnswer(a *Answer) bool { return a.Version <= l.Answers[a.ID] }

func revocationKeys() object[Revocations] {
	return object[Revocations]{"the revocation list", []key[Revocations]{
		{"schema", required, func(r *reader, n *yaml.Node, l *Revocations) { r.schema(n) }},
		{"version", required, func(r *reader, n *yaml.Node, l *Revocations) { l.Version = r.whole(n, 1, maxProfile) }},
		{"revoked", optional, func(r *reader, n *yaml.Node, l *Revocations) { l.Studies = r.revoked(n, "`revoked`", "study") }},
		{"revoked_answers", optional, func(r *reader, n *yaml.Node, l *Revocations) { l.Answers = r.revoked(n, "`revoked_answers`", "answer") }},
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
	if root := r.document(text, maxCardNodes); root != nil && r.mapping(root, "the revocation list") {
		revocationKeys().read(r, root, &l)
	}
	if err := r.diags.err(); err != nil {
		return Revocations{}, err
	}
	return l, nil
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
