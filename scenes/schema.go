package scenes

import (
	"encoding/json"
	"reflect"
	"strings"

	"vignette/scenes/yaml"
)

// shape is a JSON Schema (draft 2020-12).
type shape map[string]any

// describer is told by a reader what it would read: the same functions that read
// a file then describe it, so that the two cannot differ. It is an interface so
// that the agent, which describes nothing, does not link what describes.
type describer interface {
	note(n *yaml.Node, s shape)
	table(n *yaml.Node, t table)
	named(n *yaml.Node, each func(name, value *yaml.Node))
	list(n *yaml.Node, each func(n *yaml.Node))
}

// describing is a describer of JSON Schema.
type describing struct {
	keys map[*yaml.Node]*yaml.Node // the reader's
	of   map[*yaml.Node]shape
	defs map[string]shape // by the kind of object
}

// CardSchema is the JSON Schema of cards, for editors: it holds all that can be
// said about one key at a time. What several keys must agree on, and what the
// vehicle must have, is for vignette check to say.
func CardSchema() []byte {
	return document("card", "A scene card of Vignette", func(r *reader, n *yaml.Node) { cardKeys().read(r, n, &Card{}) })
}

// ProfileSchema is the JSON Schema of vehicle profiles, see CardSchema.
func ProfileSchema() []byte {
	return document("profile", "A vehicle profile of Vignette", func(r *reader, n *yaml.Node) {
		profileKeys().read(r, n, &profile{reader: r, v: &Vehicle{signals: map[string]*Signal{}, faulty: map[string]bool{}}})
	})
}

// StudySchema is the JSON Schema of study cards, see CardSchema.
func StudySchema() []byte {
	return document("study", "A study card of Vignette", func(r *reader, n *yaml.Node) {
		studyKeys().read(r, n, &study{reader: r, s: &Study{}})
	})
}

// AnswerSchema is the JSON Schema of answer cards, see CardSchema.
func AnswerSchema() []byte {
	return document("answer", "An answer card of Vignette", func(r *reader, n *yaml.Node) { answerKeys().read(r, n, &Answer{}) })
}

// ScenarioSchema is the JSON Schema of scenarios, see CardSchema.
func ScenarioSchema() []byte {
	return document("scenario", "A scenario of Vignette", func(r *reader, n *yaml.Node) { scenarioKeys().read(r, n, &Scenario{}) })
}

// RevocationsSchema is the JSON Schema of lists of cards that are called back, see
// CardSchema.
func RevocationsSchema() []byte {
	return document("revocations", "A revocation list of Vignette", func(r *reader, n *yaml.Node) { revocationKeys().read(r, n, &Revocations{}) })
}

// PackSchema is the JSON Schema of the manifests of packs, see CardSchema.
func PackSchema() []byte {
	return manifestSchema("pack", "The manifest of a pack of Vignette", manifestKeys())
}

// PackSourceSchema is the JSON Schema of the sources of packs, see CardSchema.
func PackSourceSchema() []byte {
	return manifestSchema("pack-source", "The source of a pack of Vignette", packSourceKeys())
}

func manifestSchema(id, title string, keys object[Manifest]) []byte {
	return document(id, title, func(r *reader, n *yaml.Node) { keys.read(r, n, &Manifest{pos: map[string]Pos{}}) })
}

// TrustSchema is the JSON Schema of trust lists, see CardSchema.
func TrustSchema() []byte {
	return document("trust", "A trust list of Vignette", func(r *reader, n *yaml.Node) { trustKeys().read(r, n, &Trust{}) })
}

// document describes what read reads.
func document(id, title string, read func(*reader, *yaml.Node)) []byte {
	d := &describing{keys: map[*yaml.Node]*yaml.Node{}, of: map[*yaml.Node]shape{}, defs: map[string]shape{}}
	r := &reader{keys: d.keys, shapes: d}
	root := d.shapeOf("", func(n *yaml.Node) { read(r, n) })
	root["$schema"], root["$id"], root["title"] = "https://json-schema.org/draft/2020-12/schema", "urn:vignette:"+id+":1", title
	root["$defs"] = d.defs
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		panic(err) // of strings, numbers, lists and maps
	}
	return append(text, '\n')
}

// shape notes what is read at n, if the reader is asked for that; it then reads
// nothing.
func (r *reader) shape(n *yaml.Node, s shape) bool {
	if r.shapes == nil {
		return false
	}
	r.shapes.note(n, s)
	return true
}

func (d *describing) note(n *yaml.Node, s shape) { d.of[n] = s }

// shapeOf asks a function for what it reads at the value of a key. Some read
// differently by the kind of value, so each kind is shown to it.
func (d *describing) shapeOf(name string, read func(*yaml.Node)) shape {
	var ways []any
	for _, kind := range []yaml.Kind{yaml.ScalarNode, yaml.MappingNode, yaml.SequenceNode} {
		n := &yaml.Node{Kind: kind}
		if name != "" {
			d.keys[n] = &yaml.Node{Value: name}
		}
		read(n)
		s := d.of[n]
		known := s == nil
		for _, way := range ways {
			known = known || reflect.DeepEqual(way, s)
		}
		if !known {
			ways = append(ways, s)
		}
	}
	switch len(ways) {
	case 0:
		return shape{}
	case 1:
		return ways[0].(shape)
	}
	return shape{"anyOf": ways}
}

// table notes the object's keys under its name, once: objects may contain
// objects of their kind.
func (d *describing) table(n *yaml.Node, o table) {
	name := strings.ReplaceAll(strings.Trim(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(o.what, "an "), "a "), "the "), "`"), " ", "-")
	d.note(n, shape{"$ref": "#/$defs/" + name})
	if _, begun := d.defs[name]; begun {
		return
	}
	s := shape{"type": "object", "additionalProperties": false}
	d.defs[name] = s
	properties, must := shape{}, []string{}
	for i, k := range o.keys {
		if k.need == later {
			continue
		}
		properties[k.name] = d.shapeOf(k.name, func(n *yaml.Node) { o.each(i, n) })
		if k.need == required {
			must = append(must, k.name)
		}
	}
	s["properties"] = properties
	if len(must) > 0 {
		s["required"] = must
	}
}

// named notes a mapping from names to what each reads.
func (d *describing) named(n *yaml.Node, each func(name, value *yaml.Node)) {
	s := shape{"type": "object"}
	s["additionalProperties"] = d.shapeOf("", func(value *yaml.Node) {
		name := &yaml.Node{Kind: yaml.ScalarNode}
		each(name, value)
		if pattern, ok := d.of[name]["pattern"]; ok {
			s["propertyNames"] = shape{"pattern": pattern}
		}
	})
	d.note(n, s)
}

// list notes a list of what each reads.
func (d *describing) list(n *yaml.Node, each func(n *yaml.Node)) {
	d.note(n, shape{"type": "array", "minItems": 1, "items": d.shapeOf("", each)})
}

// The shapes of single values.
var (
	anyScalar  = shape{"type": []string{"string", "number", "boolean"}}
	textShape  = shape{"type": "string", "minLength": 1}
	trueShape  = shape{"const": true}
	boolShape  = shape{"type": "boolean"}
	numShape   = shape{"type": "number"}
	spanShape  = shape{"type": "string", "pattern": durationText.text, "description": durationWant}
	pairShape  = shape{"type": "array", "items": numShape, "minItems": 2, "maxItems": 2}
	staleShape = shape{"anyOf": []any{shape{"const": "never"}, spanShape}}
	textsShape = shape{"type": "object", "required": []string{"en"}, "propertyNames": shape{"pattern": langTag.text},
		"additionalProperties": textShape, "description": "one text by language (BCP-47), en required"}
)
