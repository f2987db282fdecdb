package scenes

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vignette/scenes/yaml"
)

// Binding is the D-Bus method that carries out an actuator's or action's call, or
// the property that is set to do so.
type Binding struct {
	Bus       string // system or session
	Service   string
	Path      string
	Interface string
	Member    string        // name of the method, or of the property
	Property  bool          // set Member to the one argument, by org.freedesktop.DBus.Properties.Set
	Signature string        // of the arguments, basic types and v
	Args      []string      // one for each type; {name} stands for a value
	Within    time.Duration // for the reply
}

// bindingText is a binding with the places that checks need.
type bindingText struct {
	Binding
	pos       Pos
	signature Pos
	second    Pos // of `member` or `property`, where the other is too
	args      []Name
}

func bindingKeys() object[bindingText] {
	type b = bindingText
	return object[b]{"a call", []key[b]{
		{"bus", required, func(r *reader, n *yaml.Node, b *b) { b.Bus = r.word(n, "system", "session") }},
		{"service", required, func(r *reader, n *yaml.Node, b *b) {
			b.Service = r.pattern(n, busNameText, "a D-Bus name, such as org.example.Hvac1")
		}},
		{"path", required, func(r *reader, n *yaml.Node, b *b) {
			b.Path = r.pattern(n, objectText, "a D-Bus object path, such as /org/example/Hvac1")
		}},
		{"interface", required, func(r *reader, n *yaml.Node, b *b) {
			b.Interface = r.pattern(n, interfaceText, "a D-Bus interface, such as org.example.Hvac1")
		}},
		{"member", optional, func(r *reader, n *yaml.Node, b *b) {
			b.setMember(r.pattern(n, memberText, "a D-Bus method, such as SetFan"), r.key(n).Pos)
		}},
		{"property", optional, func(r *reader, n *yaml.Node, b *b) {
			b.setMember(r.pattern(n, memberText, "a D-Bus property, such as FanSpeed"), r.key(n).Pos)
			b.Property = true
		}},
		{"signature", optional, func(r *reader, n *yaml.Node, b *b) { b.Signature, b.signature = r.text(n), at(n) }},
		{"args", optional, readArgs},
		{"within", required, func(r *reader, n *yaml.Node, b *b) { b.Within = r.duration(n, 1) }},
	}}
}

// readArgs reads texts, numbers and booleans, and [] and {}, which are nothing
// but empty; all are kept as texts and take their type from the signature.
func readArgs(r *reader, n *yaml.Node, b *bindingText) {
	r.list(n, "`args`", func(n *yaml.Node) {
		switch {
		case r.shapes != nil && n.Kind == yaml.SequenceNode:
			r.shape(n, shape{"type": "array", "maxItems": 0})
			return
		case r.shapes != nil && n.Kind == yaml.MappingNode:
			r.shape(n, shape{"type": "object", "maxProperties": 0})
			return
		case len(n.Content) == 0 && (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode):
			text := map[yaml.Kind]string{yaml.SequenceNode: "[]", yaml.MappingNode: "{}"}[n.Kind]
			b.args = append(b.args, Name{text, at(n)})
			b.Args = append(b.Args, text)
			return
		}
		if r.scalar(n, "a text, a number or a boolean") {
			b.args = append(b.args, Name{n.Value, at(n)})
			b.Args = append(b.Args, n.Value)
		}
	})
}

// binding reads a call.
func (r *reader) binding(n *yaml.Node) *bindingText {
	b := bindingText{pos: at(n), signature: at(n)}
	switch {
	case !bindingKeys().read(r, n, &b):
		return nil
	case b.Member == "":
		r.fault(n, "a call has no `member`; add it, or `property` for a property to set")
		return nil
	case b.second != (Pos{}):
		r.diags.add(r.file, b.second, "`member` and `property` are in one call; give one")
		return nil
	}
	return &b
}

func (b *bindingText) setMember(name string, key Pos) {
	if b.Member != "" {
		b.second = key
	}
	b.Member = name
}

// checkBinding checks the signature against the arguments, and the
// placeholders in them against the names that have a value; texts are those
// whose value is a text.
func (p *profile) checkBinding(b *bindingText, names, texts []string) *Binding {
	if b == nil {
		return nil
	}
	types, err := completeTypes(b.Signature)
	switch {
	case err != nil:
		p.diags.add(p.file, b.signature, "signature `%s` is not valid: %v", b.Signature, err)
	case len(types) != len(b.args):
		p.diags.add(p.file, b.signature, "signature `%s` has %d types, but `args` has %d; give one argument for each type",
			b.Signature, len(types), len(b.args))
	case b.Property && (len(types) != 1 || types[0] == "v"):
		p.diags.add(p.file, b.signature, "signature `%s` is not the type of a property; give the one type that the property has, such as d", b.Signature)
	}
	for _, t := range types {
		if !strings.Contains("ybnqiuxtdsv", t) && !isContainer(t) {
			p.diags.add(p.file, b.signature, "type `%s` of signature `%s` is not supported by this version yet; use y, b, n, q, i, u, x, t, d, s or v, and arrays and dictionaries of them for empty ones",
				t, b.Signature)
		}
	}
	for i, a := range b.args {
		if i < len(types) && isContainer(types[i]) {
			if want := emptyText(types[i]); a.Text != want {
				p.diags.add(p.file, a.Pos, "an argument of type `%s` can only be empty; write %s", types[i], want)
			}
			continue
		}
		p.checkPlaceholders(a, names)
		if i < len(types) && !strings.Contains("sv", types[i]) {
			p.checkNotText(a, types[i], texts)
		}
	}
	return &b.Binding
}

// emptyText is how an empty array or dictionary is written.
func emptyText(typ string) string {
	if strings.HasPrefix(typ, "a{") {
		return "{}"
	}
	return "[]"
}

// checkNotText holds that no text goes where D-Bus wants a number or boolean.
func (p *profile) checkNotText(a Name, typ string, texts []string) {
	named, _ := placeholders(a.Text)
	for _, name := range named {
		if slices.Contains(texts, name) {
			p.diags.add(p.file, a.Pos, "`{%s}` is a text, but its type in the signature is %s; use s or v", name, typ)
		}
	}
}

func (p *profile) checkPlaceholders(a Name, names []string) {
	named, rest := placeholders(a.Text)
	for _, name := range named {
		if !slices.Contains(names, name) {
			p.diags.add(p.file, a.Pos, "placeholder `{%s}` is not known here%s", name, orElse(hint(name, names), "; known are "+quoted(names)))
		}
	}
	if strings.ContainsAny(rest, "{}") {
		p.diags.add(p.file, a.Pos, "`%s` has a brace without its partner; write placeholders like {value}", a.Text)
	}
}

// completeTypes splits a D-Bus signature into its complete types.
func completeTypes(signature string) ([]string, error) {
	var types []string
	for rest := signature; rest != ""; {
		n, err := completeType(rest, 0)
		if err != nil {
			return nil, err
		}
		types = append(types, rest[:n])
		rest = rest[n:]
	}
	return types, nil
}

// completeType returns the length of the first complete type (D-Bus
// specification, Type System).
func completeType(s string, depth int) (int, error) {
	switch {
	case s == "":
		return 0, fmt.Errorf("a type is missing at its end")
	case depth > 32:
		return 0, fmt.Errorf("it is nested too deep")
	case strings.IndexByte("ybnqiuxtdsogvh", s[0]) >= 0:
		return 1, nil
	case strings.HasPrefix(s, "a{"):
		return dictType(s, depth)
	case s[0] == 'a':
		n, err := completeType(s[1:], depth+1)
		return n + 1, err
	case s[0] == '(':
		return structType(s, depth)
	}
	return 0, fmt.Errorf("`%c` is not a type", []rune(s)[0])
}

func structType(s string, depth int) (int, error) {
	at := 1
	for at < len(s) && s[at] != ')' {
		n, err := completeType(s[at:], depth+1)
		if err != nil {
			return 0, err
		}
		at += n
	}
	if at >= len(s) || at == 1 {
		return 0, fmt.Errorf("a struct is empty or not closed")
	}
	return at + 1, nil
}

func dictType(s string, depth int) (int, error) {
	if len(s) < 3 || strings.IndexByte("ybnqiuxtdsogh", s[2]) < 0 {
		return 0, fmt.Errorf("a dictionary's key must be a basic type")
	}
	n, err := completeType(s[3:], depth+1)
	if err != nil {
		return 0, err
	}
	if end := 3 + n; end >= len(s) || s[end] != '}' {
		return 0, fmt.Errorf("a dictionary is not closed")
	}
	return 4 + n, nil
}
