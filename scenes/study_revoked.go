package scenes

import (
	"go.yaml.in/yaml/v3"

	"vignette/scenes/sign"
)

// Revocations is a list of study cards that are called back: by id, the highest
// version that no longer counts. It is signed as study cards are.
type Revocations map[string]int

// Has reports whether a study is called back.
func (l Revocations) Has(s *Study) bool { return s.Version <= l[s.ID] }

func revocationKeys() object[Revocations] {
	type entry struct {
		id      Name
		version int
	}
	one := object[entry]{"a revoked study", []key[entry]{
		{"id", required, func(r *reader, n *yaml.Node, e *entry) { e.id = Name{r.pattern(n, idText, idWant), at(n)} }},
		{"version", required, func(r *reader, n *yaml.Node, e *entry) { e.version = r.whole(n, 1, maxStudyID) }},
	}}
	return object[Revocations]{"the revocation list", []key[Revocations]{
		{"schema", required, func(r *reader, n *yaml.Node, l *Revocations) { r.schema(n) }},
		{"revoked", required, func(r *reader, n *yaml.Node, l *Revocations) {
			r.list(n, "`revoked`", func(n *yaml.Node) {
				var e entry
				if !one.read(r, n, &e) {
					return
				}
				if _, twice := (*l)[e.id.Text]; twice {
					r.fault(n, "study `%s` is given twice; keep its highest version", e.id.Text)
				}
				(*l)[e.id.Text] = e.version
			})
		}},
	}}
}

// ParseRevocations reads a revocation list from text. The error is Diagnostics.
func ParseRevocations(file string, text []byte) (Revocations, error) {
	r := &reader{file: file}
	l := Revocations{}
	if root := r.document(text, maxCardNodes); root != nil && r.mapping(root, "the revocation list") {
		revocationKeys().read(r, root, &l)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
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
		return nil, err
	}
	return ParseRevocations(path, text)
}
