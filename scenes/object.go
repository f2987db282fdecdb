package scenes

import (
	"slices"

	"vignette/scenes/yaml"
)

// need says whether an object must have a key.
type need uint8

const (
	optional need = iota
	required
	later // part of the format, but not supported by this version
)

// key is one key of an object of the format: its name and how its value is read.
type key[T any] struct {
	name string
	need need
	read func(r *reader, n *yaml.Node, t *T)
}

// object is the table of the keys of one kind of object.
type object[T any] struct {
	what string // "a trigger", for messages
	keys []key[T]
}

// read reads a mapping into t by the table. It returns false when anything in
// it was wrong; what was wrong is noted.
func (o object[T]) read(r *reader, n *yaml.Node, t *T) bool {
	keys := make([]heading, len(o.keys))
	for i := range o.keys {
		keys[i] = heading{o.keys[i].name, o.keys[i].need}
	}
	return table{o.what, keys, func(i int, n *yaml.Node) { o.keys[i].read(r, n, t) }}.read(r, n)
}

// table is an object whatever its type: the compiler writes its code once, and
// that of object once for each type.
type table struct {
	what string
	keys []heading
	each func(i int, n *yaml.Node) // reads the value of keys[i]
}

// heading is what a key is called.
type heading struct {
	name string
	need need
}

func (o table) read(r *reader, n *yaml.Node) bool {
	if r.shapes != nil {
		r.shapes.table(n, o)
		return false
	}
	before := len(r.diags)
	if !r.mapping(n, o.what) {
		return false
	}
	seen := make(map[string]bool, len(o.keys))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		k := slices.IndexFunc(o.keys, func(k heading) bool { return k.name == name })
		switch {
		case n.Content[i].Kind != yaml.ScalarNode || n.Content[i].Tag == "!!merge" || seen[name]:
			before = -1 // noted by strict
		case k < 0:
			r.fault(n.Content[i], "unknown key `%s` in %s%s", name, o.what, o.suggest(name))
			seen[nearest(name, o.names())] = true // most likely the one that is meant
		case o.keys[k].need == later:
			r.fault(n.Content[i], "`%s` is part of the format, but it is not supported by this version yet; leave it out", name)
		default:
			o.each(k, n.Content[i+1])
		}
		seen[name] = true
	}
	for _, k := range o.keys {
		if k.need == required && !seen[k.name] {
			r.fault(n, "%s has no `%s`; add it", o.what, k.name)
		}
	}
	return len(r.diags) == before
}

// suggest names the nearest known key, or all keys where none is near.
func (o table) suggest(name string) string {
	return orElse(hint(name, o.names()), "; known are "+quoted(o.names()))
}

// names are the keys that this version supports.
func (o table) names() []string {
	var names []string
	for _, k := range o.keys {
		if k.need != later {
			names = append(names, k.name)
		}
	}
	return names
}

// named reads a mapping from names to objects, in the order of the file.
func (r *reader) named(n *yaml.Node, what string, each func(name, value *yaml.Node)) {
	if r.shapes != nil {
		r.shapes.named(n, each)
		return
	}
	if !r.mapping(n, what) {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Tag != "!!merge" {
			each(n.Content[i], n.Content[i+1])
		}
	}
}

// list reads a list of at least one entry.
func (r *reader) list(n *yaml.Node, what string, each func(n *yaml.Node)) {
	if r.shapes != nil {
		r.shapes.list(n, each)
		return
	}
	if n.Kind == yaml.AliasNode {
		return // noted by strict
	}
	if n.Tag == "!!null" {
		r.empty(n, "a list, such as [a, b]")
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "%s must be a list, such as [a, b]; found %s", what, describe(n))
		return
	}
	if len(n.Content) == 0 {
		r.fault(n, "%s is empty; give at least one entry", what)
	}
	for _, c := range n.Content {
		each(c)
	}
}

// mapping reports whether n is a mapping, and notes it if not.
func (r *reader) mapping(n *yaml.Node, what string) bool {
	switch {
	case n.Kind == yaml.MappingNode, n.Kind == yaml.AliasNode:
	case n.Tag == "!!null":
		r.empty(n, "a mapping, such as {key: value}")
	default:
		r.fault(n, "%s must be a mapping, such as {key: value}; found %s", what, describe(n))
	}
	return n.Kind == yaml.MappingNode
}
