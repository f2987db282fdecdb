// Package shape makes JSON Schemas (draft 2020-12) of what the desk's commands
// write, from the Go types that they write. It is for desks.
package shape

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Enums are the types that have few values, and these.
type Enums map[reflect.Type]any

// node is a JSON Schema or a part of one.
type node map[string]any

// Of is the schema of a type's JSON. A pointer that is always there may be null.
func Of(t reflect.Type, id, title string, enums Enums) []byte {
	root := enums.of(t)
	root["$schema"], root["$id"], root["title"] = "https://json-schema.org/draft/2020-12/schema", id, title
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		panic(err) // of strings, numbers, lists and maps
	}
	return append(text, '\n')
}

func (e Enums) of(t reflect.Type) node {
	if values, ok := e[t]; ok {
		return node{"enum": values}
	}
	if t == reflect.TypeFor[time.Time]() {
		return node{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return e.of(t.Elem())
	case reflect.String:
		return node{"type": "string"}
	case reflect.Bool:
		return node{"type": "boolean"}
	case reflect.Float64:
		return node{"type": "number"}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return node{"type": "integer", "minimum": 0}
	case reflect.Slice:
		return node{"type": "array", "items": e.of(t.Elem())}
	case reflect.Struct:
		properties, required := node{}, []string{}
		e.fields(t, properties, &required)
		return node{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	panic("no schema of " + t.String()) // a test makes the schema
}

// fields adds a struct's fields, those of embedded ones among them.
func (e Enums) fields(t reflect.Type, properties node, required *[]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			e.fields(field.Type, properties, required)
			continue
		}
		if !field.IsExported() {
			continue // nothing writes it
		}
		name, option, _ := strings.Cut(field.Tag.Get("json"), ",")
		of := e.of(field.Type)
		if option != "omitempty" {
			*required = append(*required, name)
			if field.Type.Kind() == reflect.Pointer {
				of = node{"anyOf": []node{of, {"type": "null"}}}
			}
		}
		properties[name] = of
	}
}
