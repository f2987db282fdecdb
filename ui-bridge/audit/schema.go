package audit

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// shape is a JSON Schema (draft 2020-12).
type shape map[string]any

// Schema is the JSON Schema of certificates, made from their Go types.
func Schema() []byte {
	root := shapeOf(reflect.TypeFor[Certificate]())
	root["$schema"], root["$id"], root["title"] = "https://json-schema.org/draft/2020-12/schema", "urn:vignette:audit:1", "A certificate of vignette audit"
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		panic(err) // of strings, numbers, lists and maps
	}
	return append(text, '\n')
}

// shapeOf is the schema of a type's JSON.
func shapeOf(t reflect.Type) shape {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return shape{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[Verdict]():
		return shape{"enum": []Verdict{Pass, Fail, NotRun}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.String:
		return shape{"type": "string"}
	case reflect.Float64:
		return shape{"type": "number"}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return shape{"type": "integer", "minimum": 0}
	case reflect.Slice:
		return shape{"type": "array", "items": shapeOf(t.Elem())}
	case reflect.Struct:
		return shapeOfStruct(t)
	}
	panic("no schema of " + t.String()) // a test makes the schema
}

func shapeOfStruct(t reflect.Type) shape {
	properties, required := shape{}, []string{}
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		properties[name] = shapeOf(t.Field(i).Type)
		if option != "omitempty" {
			required = append(required, name)
		}
	}
	return shape{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
