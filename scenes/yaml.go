package scenes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of the files, held before and while they are read.
const (
	maxCardBytes    = 64 << 10
	maxProfileBytes = 1 << 20
	maxDBCBytes     = 16 << 20
	maxCardNodes    = 5_000
	maxProfileNodes = 100_000
	maxDepth        = 24
)

// reader reads one strict YAML (or JSON) document and collects what is wrong.
type reader struct {
	file   string
	source string // the document
	diags  Diagnostics
	keys   map[*yaml.Node]*yaml.Node // from a value to its key
	shapes describer                 // not nil: nothing is read, but what would be is noted, see schema.go
}

// at is the place of a node.
func at(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

// fault notes that something is wrong at a node.
func (r *reader) fault(n *yaml.Node, format string, args ...any) {
	r.diags.add(r.file, at(n), format, args...)
}

// key is the key of a value, with its place; in a list it is absent.
func (r *reader) key(value *yaml.Node) Name {
	if k := r.keys[value]; k != nil {
		return Name{k.Value, at(k)}
	}
	return Name{}
}

// wrong notes that a value is wrong, with the name of its key.
func (r *reader) wrong(n *yaml.Node, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if k := r.key(n); k.Text != "" {
		what = "`" + k.Text + "`: " + what
	}
	r.fault(n, "%s", what)
}

// empty notes at its key that a value is missing.
func (r *reader) empty(n *yaml.Node, wanted string) {
	k := r.key(n)
	if k.Text == "" {
		r.fault(n, "the value is missing; give %s", wanted)
		return
	}
	r.diags.add(r.file, k.Pos, "`%s` has no value; give %s", k.Text, wanted)
}

// load reads a file of at most limit bytes.
func load(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Diagnostics{{File: path, What: "cannot be read: " + plain(err)}}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, Diagnostics{{File: path, What: "cannot be read: " + plain(err)}}
	}
	if int64(len(text)) > limit {
		return nil, Diagnostics{{File: path, What: tooLong(limit)}}
	}
	return text, nil
}

// plain is the reason of a file error without the path, which the diagnostic names.
func plain(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func tooLong(limit int64) string {
	return fmt.Sprintf("is longer than %d KiB, the most that is read; split it", limit>>10)
}

// document parses text and returns its root, nil when it cannot be read at
// all. Of what YAML offers it admits mappings, lists and plain or quoted scalars.
func (r *reader) document(text []byte, maxNodes int) *yaml.Node {
	if p, ok := notUTF8(text); ok {
		r.diags.add(r.file, p, "is not UTF-8 text; save the file as UTF-8")
		return nil
	}
	r.source = string(text)
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil || len(doc.Content) == 0 {
		r.syntaxFault(text, err)
		return nil
	}
	switch err := d.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		r.syntaxFault(text, err)
		return nil
	default:
		r.fault(&second, "a second document begins; write one document a file")
	}
	left := maxNodes
	r.keys = map[*yaml.Node]*yaml.Node{}
	if !r.strict(doc.Content[0], 0, &left) {
		return nil
	}
	return doc.Content[0]
}

// strict reports anchors, aliases, tags and keys given twice, and returns
// false where the document exceeds a limit.
func (r *reader) strict(n *yaml.Node, depth int, left *int) bool {
	if *left--; *left < 0 {
		r.fault(n, "the file has too many values; split it")
		return false
	}
	if depth > maxDepth {
		r.fault(n, "is nested more than %d deep; flatten it", maxDepth)
		return false
	}
	if n.Anchor != "" {
		r.fault(n, "anchor `&%s` is not allowed; write the value where it is used", n.Anchor)
	}
	if n.Kind == yaml.AliasNode {
		r.fault(n, "alias `*%s` is not allowed; write the value out", n.Value)
		return true
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fault(n, "tag `%s` is not allowed; leave it out", n.Tag)
	}
	if n.Kind == yaml.MappingNode {
		r.keysOnce(n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.keys[n.Content[i+1]] = n.Content[i]
		}
	}
	for _, c := range n.Content {
		if !r.strict(c, depth+1, left) {
			return false
		}
	}
	return true
}

// keysOnce reports keys that are no text, and keys given twice.
func (r *reader) keysOnce(n *yaml.Node) {
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch first := seen[k.Value]; {
		case k.Kind != yaml.ScalarNode:
			r.fault(k, "a key must be a plain word; found %s", describe(k))
		case k.Tag == "!!merge":
			r.fault(k, "merge key `<<` is not allowed; write the values out")
		case first != nil:
			r.fault(k, "duplicate key `%s`, first given at line %d; keep one", k.Value, first.Line)
		default:
			seen[k.Value] = k
		}
	}
}

func notUTF8(text []byte) (Pos, bool) {
	p := Pos{1, 1}
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		if c == utf8.RuneError && n == 1 {
			return p, true
		}
		p.Column++
		if c == '\n' {
			p = Pos{p.Line + 1, 1}
		}
		text = text[n:]
	}
	return Pos{}, false
}

var (
	syntaxLine    = regexp.MustCompile(`^yaml: line (\d+): `)
	syntaxUnknown = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxFault notes what stopped the YAML parser.
func (r *reader) syntaxFault(text []byte, err error) {
	p := syntaxPos(text, err)
	if line := strings.Split(string(text), "\n")[p.Line-1]; err != nil && strings.HasPrefix(line, "\t") {
		r.diags.add(r.file, Pos{p.Line, 1}, "a tab cannot indent; use spaces")
		return
	}
	r.diags.add(r.file, p, "%s", syntax(err))
}

// syntax turns the YAML parser's message into ours.
func syntax(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "is empty; a YAML mapping is expected"
	}
	msg := syntaxLine.ReplaceAllString(err.Error(), "")
	msg = strings.TrimPrefix(msg, "yaml: ")
	if m := syntaxUnknown.FindStringSubmatch(msg); m != nil {
		return "alias `*" + m[1] + "` is not allowed; write the value out"
	}
	if strings.HasPrefix(msg, "exceeded max depth") {
		return fmt.Sprintf("is nested more than %d deep; flatten it", maxDepth)
	}
	return "is not valid YAML: " + msg + "; look at this line and the one before it"
}

// syntaxPos is where the YAML parser stopped. Its parser, unlike its scanner,
// counts lines from 0, and both leave line 0 out.
func syntaxPos(text []byte, err error) Pos {
	if err == nil || errors.Is(err, io.EOF) {
		return Pos{1, 1}
	}
	if m := syntaxUnknown.FindStringSubmatch(err.Error()); m != nil {
		return posOf(text, strings.Index(string(text), "*"+m[1]))
	}
	line := 1
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1]) // the pattern admits digits only
		if strings.Contains(err.Error(), "did not find expected") {
			line++
		}
	}
	lines := strings.Split(string(text), "\n")
	line = min(max(line, 1), len(lines))
	body := lines[line-1]
	return Pos{line, 1 + len(body) - len(strings.TrimLeft(body, " \t"))}
}

// posOf is the place of byte i of text.
func posOf(text []byte, i int) Pos {
	before := string(text[:max(i, 0)])
	start := strings.LastIndexByte(before, '\n') + 1
	return Pos{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])}
}

// describe names what a node is, for messages.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!bool":
		return "the boolean `" + n.Value + "`"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "the number `" + n.Value + "`"
	}
	return "the text `" + n.Value + "`"
}
