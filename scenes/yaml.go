package scenes

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"vignette/scenes/yaml"
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

// PipeTime bounds the reading of a pipe, for a program that must not wait; 0: it is
// read to its end, as on a desk. It is set before anything is read.
var PipeTime = 2 * time.Second

// Open opens a file to be read. It waits for nobody, within PipeTime: a pipe that no
// program writes into is empty, and one that is not at its end in time is an error
// when it is read.
func Open(path string) (*os.File, error) {
	if PipeTime == 0 {
		return os.Open(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		_ = f.SetReadDeadline(time.Now().Add(PipeTime)) // other files have none
	}
	return f, err
}

// ReadFile reads a file of at most 32 MiB; see Open.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostRead+1))
	if err == nil && len(text) > mostRead {
		err = &os.PathError{Op: "read", Path: path, Err: errors.New(tooLong(mostRead))}
	}
	return text, err
}

// mostRead bounds what ReadFile reads.
const mostRead = 32 << 20

// load reads a file of at most limit bytes.
func load(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
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
	r.source = strings.TrimPrefix(string(text), "\uFEFF")
	root, faults := yaml.Parse(r.source, yaml.Limits{Depth: maxDepth, Nodes: maxNodes})
	for _, f := range faults {
		r.diags.add(r.file, Pos{f.Line, f.Column}, "%s", f.What)
	}
	if root == nil {
		return nil
	}
	r.keys = map[*yaml.Node]*yaml.Node{}
	r.strict(root)
	return root
}

// strict reports keys that are no text or given twice, and notes whose each is.
func (r *reader) strict(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		r.keysOnce(n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			r.keys[n.Content[i+1]] = n.Content[i]
		}
	}
	for _, c := range n.Content {
		r.strict(c)
	}
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
