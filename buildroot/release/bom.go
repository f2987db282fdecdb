package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// The parts of a CycloneDX 1.6 bill of materials that are used here
// (https://cyclonedx.org/docs/1.6/json/).
type (
	bom struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
		Compositions []completion `json:"compositions"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Licences   []licence  `json:"licenses"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	licence struct {
		Expression string `json:"expression"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
	completion struct {
		Aggregate  string   `json:"aggregate"`
		Assemblies []string `json:"assemblies"`
	}
)

// boms writes what each program consists of, NAME.cdx.json beside it: not what
// go.mod requires, but what the linker put in.
func (r *release) boms() error {
	sums, err := goSums(filepath.Join(r.tree, "go.sum"))
	if err != nil {
		return err
	}
	for _, p := range r.built() {
		b, err := billOf(p, sums, r.version, r.when)
		if err != nil {
			return err
		}
		var data bytes.Buffer
		enc := json.NewEncoder(&data)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(b); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(r.dist, p.file+".cdx.json"), data.Bytes(), 0o644, r.when); err != nil {
			return err
		}
	}
	return nil
}

// billOf is a program's bill of materials. It has no serial number and the time of
// the commit, so that the same program has the same bill.
func billOf(p built, sums map[string]string, version string, when time.Time) (*bom, error) {
	sum, err := sumOf(p.path)
	if err != nil {
		return nil, err
	}
	modules, err := linkedModules(p.path)
	if err != nil {
		return nil, err
	}
	ref := "pkg:generic/" + p.name + "@" + escape(version)
	b := &bom{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: metadata{
		Timestamp: when.Format(time.RFC3339),
		Component: component{Type: "application", Ref: ref, Name: p.name, Version: version, PURL: ref,
			Hashes: []hash{{"SHA-256", sum}}, Licences: []licence{{"Apache-2.0"}}},
	}}
	all := dependency{Ref: ref}
	for _, m := range modules {
		c, err := componentOf(m, sums)
		if err != nil {
			return nil, err
		}
		b.Components = append(b.Components, c)
		b.Dependencies = append(b.Dependencies, dependency{Ref: c.Ref})
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	b.Dependencies = append([]dependency{all}, b.Dependencies...)
	b.Compositions = []completion{{"complete", []string{ref}}}
	return b, nil
}

// componentOf is a module that is linked, with Go's own hash of its files and their
// names, as go.sum and the checksum database have it.
func componentOf(m debug.Module, sums map[string]string) (component, error) {
	ref := "pkg:golang/" + m.Path + "@" + escape(m.Version)
	c := component{Type: "library", Ref: ref, Name: m.Path, Version: m.Version, PURL: ref, Licences: []licence{{licences[m.Path]}}}
	if m.Path == "std" {
		return c, nil
	}
	sum := sums[m.Path+" "+m.Version]
	if sum == "" {
		return c, fmt.Errorf("go.sum has no line for %s %s", m.Path, m.Version)
	}
	c.Properties = []property{{"vignette:go.sum", sum}}
	return c, nil
}

// goSums reads the hashes of a go.sum, by "PATH VERSION".
func goSums(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 3 {
			sums[f[0]+" "+f[1]] = f[2]
		}
	}
	return sums, nil
}

// escape is a version as a package URL has it: a plus sign would be a space.
func escape(version string) string { return strings.ReplaceAll(version, "+", "%2B") }
