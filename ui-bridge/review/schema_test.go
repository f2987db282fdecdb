package review

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	fleet "vignette/testdata/review"
)

// reportSchema compiles the published schema.
func reportSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("review", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("review")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// fits holds a report's JSON against the schema.
func fits(t *testing.T, schema *jsonschema.Schema, r *Report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("k = %d: %v", r.K, err)
	}
}

// TestReportFitsItsSchema: also with figures that are withheld.
func TestReportFitsItsSchema(t *testing.T) {
	schema := reportSchema(t)
	_, b := draw(t, fleet.Truth{Seed: 5, Episodes: 900, Weeks: 2, K: 20, Tasks: 2, Ways: 10,
		Builds: []fleet.Build{{Name: "a", Share: 0.5, Abandoned: 0.1}, {Name: "b", Share: 0.5}}})
	for _, k := range []int{0, 100, 2000} {
		r, err := New(b, Options{K: k})
		if err != nil {
			t.Fatal(err)
		}
		fits(t, schema, r)
	}
}
