package scenes

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Limits of a trust list.
const (
	maxTrust      = 256 << 10
	maxTrustNodes = 20_000
	maxAuthors    = 2_000
)

// Trust is a list of authors whose keys are known: a manufacturer's, or a
// driver's own.
type Trust struct {
	Authors []TrustedAuthor
}

// TrustedAuthor is an author and the key that signs his packs.
type TrustedAuthor struct {
	Author string
	Key    sign.PublicKey
	Until  time.Time // 00:00 UTC of the day from which on he is not trusted; zero: never
}

// Standing is what is known of who made a pack.
type Standing uint8

// The standings.
const (
	Unsigned Standing = iota // nobody knows who made it, and anybody may have changed it
	Unknown                  // signed with a key that no list has
	Lapsed                   // signed with a key that was trusted until a day that is past
	Trusted
)

// String names the standing, as outputs for programs do.
func (s Standing) String() string {
	return [...]string{"unsigned", "unknown", "lapsed", "trusted"}[s]
}

// ErrImpostor says that a pack bears the handle of a trusted author, or one that
// looks like it, but not his key.
var ErrImpostor = errors.New("looks like a trusted author, but is not")

// Judge tells what is known of who made a pack on a day; a zero day is not
// known, and then nothing has lapsed. The error is ErrImpostor.
func (t Trust) Judge(p *Pack, day time.Time) (Standing, error) {
	author := p.Manifest.Author
	for _, a := range t.Authors {
		switch mine := p.Signed && a.Key.Same(p.Key); {
		case mine && a.Author != author:
			return Unknown, fmt.Errorf("%w: the pack says that it is by %s, but its key is trusted as that of %s", ErrImpostor, author, a.Author)
		case !mine && alike(a.Author, author) && !t.has(author, p):
			return Unknown, fmt.Errorf("%w: the pack says that it is by %s, but it is not signed with the key of %s that is trusted, %s; ask the author for the pack",
				ErrImpostor, author, a.Author, a.Key.ID)
		case mine && !day.IsZero() && !a.Until.IsZero() && !day.Before(a.Until):
			return Lapsed, nil
		case mine:
			return Trusted, nil
		}
	}
	if p.Signed {
		return Unknown, nil
	}
	return Unsigned, nil
}

// has reports whether the handle is listed with the pack's key: an author may
// have several.
func (t Trust) has(author string, p *Pack) bool {
	for _, a := range t.Authors {
		if p.Signed && a.Author == author && a.Key.Same(p.Key) {
			return true
		}
	}
	return false
}

// With is the list with another's authors after its own.
func (t Trust) With(o Trust) Trust {
	return Trust{Authors: append(append([]TrustedAuthor(nil), t.Authors...), o.Authors...)}
}

// Fault says why somebody should not add an author to a list; nil: he may. A list
// may have several keys of an author, who has changed his, but nobody should add
// one because a pack says so.
func (t Trust) Fault(a TrustedAuthor) error {
	for _, o := range t.Authors {
		if o.Author == a.Author && !o.Key.Same(a.Key) {
			return fmt.Errorf("`%s` is trusted with another key already, %s; if the author has a new one, take the old one out first", a.Author, o.Key.ID)
		}
	}
	return t.clash(a)
}

// clash says why a list cannot have an author beside those that it has.
func (t Trust) clash(a TrustedAuthor) error {
	for _, o := range t.Authors {
		switch same := o.Key.Same(a.Key); {
		case same && o.Author == a.Author:
			return fmt.Errorf("author `%s` is listed with this key already; keep one", a.Author)
		case same:
			return fmt.Errorf("the key of `%s` is that of `%s` already; an author has one handle", a.Author, o.Author)
		case o.Author != a.Author && alike(o.Author, a.Author):
			return fmt.Errorf("`%s` looks like `%s`, who has another key; ask for another handle", a.Author, o.Author)
		}
	}
	return nil
}

// alike reports whether two handles read alike at a glance: hyphens do not count,
// 0 is an o, 1 and i are an l, rn is an m and vv a w.
func alike(a, b string) bool {
	for {
		x, restA := glyph(a)
		y, restB := glyph(b)
		if x != y {
			return false
		}
		if x == 0 {
			return true
		}
		a, b = restA, restB
	}
}

// glyph is what a handle begins with at a glance, and what follows; 0 is its end.
func glyph(s string) (c byte, rest string) {
	s = strings.TrimLeft(s, "-")
	if s == "" {
		return 0, ""
	}
	c, rest = s[0], s[1:]
	after := strings.TrimLeft(rest, "-")
	switch {
	case c == 'r' && strings.HasPrefix(after, "n"):
		return 'm', after[1:]
	case c == 'v' && strings.HasPrefix(after, "v"):
		return 'w', after[1:]
	case c == '0':
		return 'o', rest
	case c == '1', c == 'i':
		return 'l', rest
	}
	return c, rest
}

func trustKeys() object[Trust] {
	return object[Trust]{"the trust list", []key[Trust]{
		{"schema", required, func(r *reader, n *yaml.Node, t *Trust) { r.schema(n) }},
		{"authors", required, func(r *reader, n *yaml.Node, t *Trust) {
			r.list(n, "`authors`", func(n *yaml.Node) {
				var a TrustedAuthor
				if !authorKeys().read(r, n, &a) {
					return
				}
				if err := t.clash(a); err != nil {
					r.fault(n, "%v", err)
				}
				t.Authors = append(t.Authors, a)
			})
		}},
	}}
}

func authorKeys() object[TrustedAuthor] {
	return object[TrustedAuthor]{"an author", []key[TrustedAuthor]{
		{"author", required, func(r *reader, n *yaml.Node, a *TrustedAuthor) { a.Author = r.pattern(n, handleText, handleWant) }},
		{"key", required, func(r *reader, n *yaml.Node, a *TrustedAuthor) { a.Key = r.publicKey(n) }},
		{"until", optional, func(r *reader, n *yaml.Node, a *TrustedAuthor) { a.Until = r.date(n) }},
	}}
}

// publicKey reads a minisign public key, its one line.
func (r *reader) publicKey(n *yaml.Node) sign.PublicKey {
	const want = "a minisign public key, one line that begins with RW"
	if r.shape(n, shape{"type": "string", "pattern": "^RW[A-Za-z0-9+/]{54}$", "description": want}) || !r.scalar(n, want) {
		return sign.PublicKey{}
	}
	k, err := sign.ParsePublicKey([]byte(n.Value))
	if err != nil || k.Line() != n.Value {
		r.wrong(n, "`%s` is not %s", n.Value, want)
	}
	return k
}

// ParseTrust reads a trust list from text. The error is Diagnostics.
func ParseTrust(file string, text []byte) (Trust, error) {
	r := &reader{file: file}
	var t Trust
	if len(text) > maxTrust {
		r.diags.add(file, Pos{}, "%s", tooLong(maxTrust))
	} else if root := r.document(text, maxTrustNodes); root != nil {
		if trustKeys().read(r, root, &t); len(t.Authors) > maxAuthors {
			r.fault(root, "the list has %d authors, at most %d are read; take some out", len(t.Authors), maxAuthors)
		}
	}
	return t, r.diags.err()
}

// LoadTrust reads a trust list from a file. The error is Diagnostics.
func LoadTrust(path string) (Trust, error) {
	text, err := load(path, maxTrust)
	if err != nil {
		return Trust{}, err
	}
	return ParseTrust(path, text)
}

// Text is the list as YAML.
func (t Trust) Text() []byte {
	var b strings.Builder
	b.WriteString("schema: 1\nauthors:\n")
	for _, a := range t.Authors {
		fmt.Fprintf(&b, "  - {author: %s, key: %s", a.Author, a.Key.Line())
		if !a.Until.IsZero() {
			fmt.Fprintf(&b, ", until: %s", a.Until.Format(time.DateOnly))
		}
		b.WriteString("}\n")
	}
	return []byte(b.String())
}
