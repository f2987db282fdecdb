package agent

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/yaml"
)

// field is one key of a mapping in a file of the agent's own, and where its value
// goes: a *string, *int, *float64, *time.Duration, *[]string, *map[string]string,
// or the []field of a mapping in it.
type field struct {
	key string
	to  any
}

// fieldsReader reads nodes into fields and collects what is wrong, at its place.
type fieldsReader struct{ faults []yaml.Fault }

// located are faults as file:line:column: what, one a line; nil where there are none.
func located(file string, faults []yaml.Fault) error {
	var lines []string
	for _, f := range faults {
		lines = append(lines, file+":"+f.Error())
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}

func (r *fieldsReader) fault(n *yaml.Node, format string, args ...any) {
	r.faults = append(r.faults, yaml.Fault{Line: n.Line, Column: n.Column, What: fmt.Sprintf(format, args...)})
}

// mapping reads a mapping, strictly: unknown and repeated keys are faults.
func (r *fieldsReader) mapping(n *yaml.Node, fields []field) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "a mapping is expected, such as {key: value}")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		to, known := any(nil), []string(nil)
		for _, f := range fields {
			if known = append(known, f.key); f.key == key.Value {
				to = f.to
			}
		}
		switch {
		case to == nil || key.Kind != yaml.ScalarNode:
			r.fault(key, "unknown key %s; known are %s", key.Value, strings.Join(known, ", "))
		case seen[key.Value]:
			r.fault(key, "key %s is given twice; keep one", key.Value)
		case n.Content[i+1].Tag != "!!null": // without a value it is left out
			r.value(n.Content[i+1], to)
		}
		seen[key.Value] = true
	}
}

// value reads the value of a key.
func (r *fieldsReader) value(n *yaml.Node, to any) {
	switch to := to.(type) {
	case []field:
		r.mapping(n, to)
	case *[]string:
		*to = r.texts(n)
	case *map[string]string:
		r.named(n, to)
	default:
		if n.Kind != yaml.ScalarNode {
			r.fault(n, "one value is expected, no list or mapping")
			return
		}
		if err := scalar(n, to); err != nil {
			r.fault(n, "%v", err)
		}
	}
}

// scalar reads one value.
func scalar(n *yaml.Node, to any) (err error) {
	number := n.Tag == "!!int" || n.Tag == "!!float"
	switch to := to.(type) {
	case *string:
		*to = n.Value
	case *int:
		if *to, err = strconv.Atoi(n.Value); err != nil || !number {
			return fmt.Errorf("`%s` is not a whole number", n.Value)
		}
	case *float64:
		if *to, err = strconv.ParseFloat(n.Value, 64); err != nil || !number || math.IsInf(*to, 0) {
			return fmt.Errorf("`%s` is not a number", n.Value)
		}
	case *time.Duration:
		if *to, err = time.ParseDuration(n.Value); err != nil || number {
			return fmt.Errorf("`%s` is not a duration; write it like 30s, 15m or 24h", n.Value)
		}
	}
	return nil
}

// texts reads a list of texts.
func (r *fieldsReader) texts(n *yaml.Node) (list []string) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "a list is expected, such as [a, b]")
		return nil
	}
	for _, one := range n.Content {
		text := ""
		if one.Tag == "!!null" {
			r.fault(one, "an entry has no value; give one, or remove it")
		}
		r.value(one, &text)
		list = append(list, text)
	}
	return list
}

// named reads a mapping from names to texts.
func (r *fieldsReader) named(n *yaml.Node, to *map[string]string) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "a mapping is expected, such as {name: text}")
		return
	}
	*to = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, text := n.Content[i], ""
		r.value(name, &text)
		if _, twice := (*to)[text]; twice {
			r.fault(name, "key %s is given twice; keep one", text)
		}
		var value string
		r.value(n.Content[i+1], &value)
		(*to)[text] = value
	}
}
