package scenes

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

var updateSchema = flag.Bool("update", false, "write docs/schema anew")

// schemaOf compiles a published schema, which must be the one that is made now.
func schemaOf(t *testing.T, name string, now []byte) *jsonschema.Schema {
	t.Helper()
	path := filepath.Join("../docs/schema", name)
	if *updateSchema {
		if err := os.WriteFile(path, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, now) {
		t.Errorf("%s is out of date; run go test ./scenes -run Schema -update", path)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(now))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid asks a schema about a YAML text.
func valid(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(jsonValue(v))
}

// jsonValue is a YAML value as JSON has it: keys are texts.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, one := range v {
			m[k] = jsonValue(one)
		}
		return m
	case map[any]any:
		m := map[string]any{}
		for k, one := range v {
			key, _ := yaml.Marshal(k)
			m[strings.TrimSpace(string(key))] = jsonValue(one)
		}
		return m
	case time.Time: // YAML's, of a day
		return v.Format(time.DateOnly)
	case []any:
		for i := range v {
			v[i] = jsonValue(v[i])
		}
	}
	return v
}

// TestSchemaTakesEveryExample holds that every card and profile of ours that
// the loader takes is valid by the published schemas.
func TestSchemaTakesEveryExample(t *testing.T) {
	card, profile := schemaOf(t, "card.schema.json", CardSchema()), schemaOf(t, "profile.schema.json", ProfileSchema())
	study, answer := schemaOf(t, "study.schema.json", StudySchema()), schemaOf(t, "answer.schema.json", AnswerSchema())
	scenario := schemaOf(t, "scenario.schema.json", ScenarioSchema())
	cards := 0
	check := func(name string, s *jsonschema.Schema, text []byte) {
		t.Helper()
		cards++
		if err := valid(t, s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, pattern := range []string{"../testdata/*/cards/*.yaml", "../testdata/*/vehicle.yaml", "../testdata/*/studies/*.yaml", "../testdata/*/answers/*.yaml", "../testdata/*/scenarios/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || files == nil {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := card
			switch {
			case filepath.Base(name) == "vehicle.yaml":
				s = profile
			case filepath.Base(filepath.Dir(name)) == "studies":
				s = study
			case filepath.Base(filepath.Dir(name)) == "answers":
				s = answer
			case filepath.Base(filepath.Dir(name)) == "scenarios":
				s = scenario
			}
			check(name, s, text)
		}
	}
	traces, err := filepath.Glob("../testdata/meaning/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range traces {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			switch {
			case strings.HasSuffix(f.Name, "vehicle.yaml"):
				check(name+": "+f.Name, profile, f.Data)
			case strings.HasSuffix(f.Name, ".yaml"):
				check(name+": "+f.Name, card, f.Data)
			}
		}
	}
	if cards < 200 {
		t.Errorf("%d examples; want 200 or more", cards)
	}
}

// TestPackSchemas holds that what is written of packs and trust is valid by the
// published schemas, and what they refuse.
func TestPackSchemas(t *testing.T) {
	manifest, source := schemaOf(t, "pack.schema.json", PackSchema()), schemaOf(t, "pack-source.schema.json", PackSourceSchema())
	trust := schemaOf(t, "trust.schema.json", TrustSchema())
	p := packOf(t, "mei", "cool", "1.0.0", packKey(t, 1), "expires: 2030-01-01")
	list := Trust{Authors: []TrustedAuthor{{"mei", packKey(t, 1).Public(), day(t, "2030-01-01")}}}
	made := string(p.Manifest.Text())
	for _, c := range []struct {
		s    *jsonschema.Schema
		text string
		good bool
	}{
		{manifest, made, true}, {source, made, false}, {source, eveningSource, true}, {manifest, eveningSource, true}, {trust, string(list.Text()), true},
		{manifest, strings.Replace(made, "author: mei", "author: M", 1), false}, {manifest, strings.Replace(made, "notify", "[notify]", 1), false},
		{source, strings.Replace(eveningSource, "licence:", "license:", 1), false}, {source, strings.Replace(eveningSource, "sha256: 1e", "sha256: xx", 1), false},
		{trust, strings.Replace(string(list.Text()), "key: RW", "key: XX", 1), false},
	} {
		if err := valid(t, c.s, []byte(c.text)); (err == nil) != c.good {
			t.Errorf("%v; want valid %v:\n%s", err, c.good, c.text)
		}
	}
}

// TestSchemaRefuses holds what a schema can see: a key that is unknown or
// missing, and a value of the wrong shape.
func TestSchemaRefuses(t *testing.T) {
	s := schemaOf(t, "card.schema.json", CardSchema())
	const good = `schema: 1
id: a
version: 1.0.0
title: {en: A}
when: [{signal: Vehicle.Speed, rises_above: 3, held_for: 20s, unit: km/h}]
only_if: [{not: {all: [{state: parked}, {signal: Vehicle.Speed, between: [1, 2], unit: km/h}]}}]
then: [{set: Vehicle.A, to: 3, lease: 1m, at_end: {set: 3}}, {do: x, with: {text: {en: A}, n: 3}}]
`
	if err := valid(t, s, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"schema: 1", "schema: 2"}, {"id: a", "id: A"}, {"1.0.0", "one"}, {"{en: A}\nwhen", "{zh: A}\nwhen"}, {"version: 1.0.0\n", ""},
		{"rises_above: 3", "rises_abov: 3"}, {"rises_above: 3", "rises_above: three"}, {"20s", "20"}, {"[1, 2]", "[1]"},
		{"state: parked", "stat: parked"}, {"at_end: {set: 3}", "at_end: back"}, {"{en: A}, n: 3", "{en: A}, n: [3]"}, {"lease: 1m", "lease: 1 minute"},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%q is not in the card", c[0])
		}
		if valid(t, s, []byte(bad)) == nil {
			t.Errorf("%q for %q is taken", c[1], c[0])
		}
	}
}

// TestStudySchemaRefuses holds what the schema of study cards can see.
func TestStudySchemaRefuses(t *testing.T) {
	s := schemaOf(t, "study.schema.json", StudySchema())
	good := studyBench(t)
	if err := valid(t, s, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"k: 50", "k: 4"}, {"mode: fleet", "mode: all"}, {"sensitivity: personal", "sensitivity: sos"}, {"2026-04-30", "soon"},
		{"id: 10", "id: 1"}, {", expires: 2026-06-30, kind", ", kind"}, {"vehicles: 50", "vehicle: 50"}, {"version: 3", "version: 1.0.0"}} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%q is not in the study", c[0])
		}
		if valid(t, s, []byte(bad)) == nil {
			t.Errorf("%q for %q is taken", c[1], c[0])
		}
	}
}
