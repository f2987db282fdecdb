package main

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/check"
)

// sarifOf is the document for findings of each kind of place.
func sarifOf(t *testing.T, list ...check.Finding) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := printSARIF(&b, list); err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// members holds that an object has what the schema requires, and nothing that
// it does not know: additionalProperties is false throughout.
func members(t *testing.T, where string, object any, required, optional string) map[string]any {
	t.Helper()
	m, ok := object.(map[string]any)
	if !ok {
		t.Fatalf("%s is %T, not an object", where, object)
	}
	for _, name := range strings.Fields(required) {
		if _, ok := m[name]; !ok {
			t.Errorf("%s has no %s", where, name)
		}
	}
	for name := range m {
		if !slices.Contains(strings.Fields(required+" "+optional), name) {
			t.Errorf("%s has %s, which the schema does not know there", where, name)
		}
	}
	return m
}

// TestSARIF holds the document against the rules of the SARIF 2.1.0 schema.
func TestSARIF(t *testing.T) {
	list := []check.Finding{
		{Diagnostic: scenes.Diagnostic{File: "a b.yaml", Line: 3, Column: 7, What: "it is wrong", Pass: "types"}, Severity: check.Error},
		{Diagnostic: scenes.Diagnostic{File: "/cards/100%.yaml", Line: 3, What: "it is odd", Pass: "loop"}, Severity: check.Warning},
		{Diagnostic: scenes.Diagnostic{File: "../温.yaml", What: "you may like to know", Pass: "conflict"}, Severity: check.Note},
	}
	doc := members(t, "the log", sarifOf(t, list...), "version runs", "$schema")
	if doc["version"] != "2.1.0" {
		t.Errorf("version %v", doc["version"])
	}
	run := members(t, "the run", doc["runs"].([]any)[0], "tool results columnKind", "")
	if k := run["columnKind"]; k != "unicodeCodePoints" && k != "utf16CodeUnits" {
		t.Errorf("columnKind %v", k)
	}
	rules := sarifRules(t, run)
	results := run["results"].([]any)
	if len(results) != len(list) {
		t.Fatalf("%d results", len(results))
	}
	for i, r := range results {
		sarifResultIs(t, r, list[i], rules)
	}
	if empty := members(t, "the log", sarifOf(t), "version runs", "$schema")["runs"].([]any)[0].(map[string]any); empty["results"] == nil {
		t.Error("without findings the results are null; the schema wants an array")
	}
}

func sarifRules(t *testing.T, run map[string]any) (ids []string) {
	driver := members(t, "the driver", members(t, "the tool", run["tool"], "driver", "")["driver"], "name version rules", "")
	for _, r := range driver["rules"].([]any) {
		rule := members(t, "a rule", r, "id shortDescription fullDescription help", "")
		for _, name := range []string{"shortDescription", "fullDescription", "help"} {
			if text := members(t, name, rule[name], "text", "markdown")["text"]; text == "" {
				t.Errorf("rule %v has an empty %s", rule["id"], name)
			}
		}
		if slices.Contains(ids, rule["id"].(string)) {
			t.Errorf("rule %v is given twice", rule["id"])
		}
		ids = append(ids, rule["id"].(string))
	}
	return ids
}

func sarifResultIs(t *testing.T, r any, f check.Finding, rules []string) {
	t.Helper()
	result := members(t, "a result", r, "ruleId ruleIndex level message locations", "")
	if i := int(result["ruleIndex"].(float64)); i < 0 || i >= len(rules) || rules[i] != result["ruleId"] || rules[i] != f.Pass {
		t.Errorf("rule %v at %d is not %s", result["ruleId"], i, f.Pass)
	}
	if !slices.Contains([]string{"none", "note", "warning", "error"}, result["level"].(string)) || result["level"] != f.Severity.String() {
		t.Errorf("level %v of %v", result["level"], f)
	}
	if members(t, "message", result["message"], "text", "")["text"] != f.What {
		t.Errorf("message %v", result["message"])
	}
	place := members(t, "place", members(t, "location", result["locations"].([]any)[0], "physicalLocation", "")["physicalLocation"], "artifactLocation", "region")
	uri := members(t, "artifactLocation", place["artifactLocation"], "uri", "")["uri"].(string)
	if u, err := url.Parse(uri); err != nil || path.Clean(u.Path) != f.File || strings.ContainsAny(uri, " \\") {
		t.Errorf("%s is no URI of %s (%v)", uri, f.File, err)
	}
	if f.Line == 0 {
		if place["region"] != nil {
			t.Errorf("region %v of a file as a whole", place["region"])
		}
		return
	}
	region := members(t, "region", place["region"], "startLine", "startColumn")
	if region["startLine"].(float64) != float64(f.Line) || f.Column > 0 && region["startColumn"].(float64) != float64(f.Column) || f.Column == 0 && region["startColumn"] != nil {
		t.Errorf("region %v of %v", region, f)
	}
}
