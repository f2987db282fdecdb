package scenes

import (
	"os"
	"strings"
	"testing"
)

const registryText = `schema: 1
kind: elements
id: hmi
version: 2
title: {en: An HMI, zh: 界面}
screens:
  - id: 2
    name: home
    title: {en: Home, zh: 主屏}
    elements:
      - {id: 2, name: tile, title: {en: Tile, zh: 入口}}
      - {id: 3, name: knob, title: {en: Knob, zh: 旋钮}}
  - id: 3
    name: climate
    title: {en: Climate, zh: 空调}
    elements: [{id: 10, name: tile, title: {en: Another tile, zh: 另一入口}}]
`

// TestRegistry reads a registry, and holds that it finds what it has by id.
func TestRegistry(t *testing.T) {
	g, err := ParseRegistry("elements.yaml", []byte(registryText))
	if err != nil {
		t.Fatal(err)
	}
	on, e := g.Element(10)
	if g.ID != "hmi" || g.Version != 2 || on == nil || on.Name != "climate" || e.Title["zh"] != "另一入口" || g.Screen(3) != on {
		t.Errorf("%+v", g)
	}
	if on, e := g.Element(4); on != nil || e != nil || g.Screen(9) != nil {
		t.Error("it has what it does not")
	}
}

// TestRefusedRegistries: each mistake has its message; what a schema can see the
// published one refuses too.
func TestRefusedRegistries(t *testing.T) {
	s := schemaOf(t, "elements.schema.json", RegistrySchema())
	if err := valid(t, s, []byte(registryText)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to, want string
		seen           bool // by the schema
	}{
		{"kind: elements", "kind: answer", "elements.yaml:2:7: ", true},
		{"version: 2\n", "", "the registry has no `version`; add it", true},
		{"zh: 主屏", "fr: Accueil", "`title` has no Chinese text; add `zh`", false},
		{"en: Tile, zh", "de: Knopf, zh", "`title` has no English text; add `en`", true},
		{"{id: 3, name: knob", "{id: 2, name: knob", "element id 2 is already used at line 11; give each its own", false},
		{"id: 10, name", "id: 3, name", "element id 3 is already used at line 12", false},
		{"{id: 3, name: knob", "{id: 3, name: tile", "element `tile` is given twice on screen `home`; keep one", false},
		{"- id: 3", "- id: 2", "screen id 2 is already used at line 7", false},
		{"name: climate", "name: home", "screen `home` is given twice; keep one", false},
		{"id: 2, name: tile", "id: 1, name: tile", "from 2 to 65535", true},
		{"name: knob", "name: other", "`other` is what is not registered; choose another name", false},
		{"name: knob", "name: Knob", "Knob", true},
		{"title: {en: Knob", "words: {en: Knob", "`words`", true},
	} {
		bad := strings.Replace(registryText, c.from, c.to, 1)
		if bad == registryText {
			t.Fatalf("%q is not in the registry", c.from)
		}
		if _, err := ParseRegistry("elements.yaml", []byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.to, err, c.want)
		}
		if c.seen && valid(t, s, []byte(bad)) == nil {
			t.Errorf("the schema takes %q", c.to)
		}
	}
	if _, err := ParseRegistry("elements.yaml", make([]byte, maxStudyBytes+1)); err == nil {
		t.Error("one of more than 1 MiB is taken")
	}
	if _, err := LoadRegistry("nosuch.yaml"); err == nil || !strings.Contains(err.Error(), "nosuch.yaml: cannot be read") {
		t.Error(err)
	}
}

// TestShippedRegistry holds that the demonstration's registry has every element of
// the studies of the demonstration and of the simulated fleet, and fits the schema.
func TestShippedRegistry(t *testing.T) {
	const file = "../testdata/drive/elements.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, schemaOf(t, "elements.schema.json", RegistrySchema()), text); err != nil {
		t.Error(err)
	}
	g, err := LoadRegistry(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../testdata/drive/studies/demo.yaml", "../testdata/fleet/study.yaml", "../testdata/fleet/panel.yaml"} {
		s, err := LoadStudy(name)
		if err != nil {
			t.Fatal(err)
		}
		if ds := s.Registered(g); len(ds) != 0 {
			t.Error(ds)
		}
	}
}

func FuzzRegistry(f *testing.F) {
	f.Add([]byte(registryText))
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := ParseRegistry("elements.yaml", text)
		if err != nil {
			return
		}
		for _, s := range g.Screens {
			for _, e := range s.Elements {
				if on, known := g.Element(e.ID); known == nil || on.ID != s.ID || known.Name != e.Name || e.Title["zh"] == "" {
					t.Errorf("element %d is not found as it was read", e.ID)
				}
			}
		}
	})
}
