package review

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"vignette/scenes"
	fleet "vignette/testdata/review"
)

// TestWords: text, page and JSON have the registry's words where it has them, the
// CSV has names, and what it lacks is said.
func TestWords(t *testing.T) {
	v, b := draw(t, fleet.Truth{Seed: 3, Episodes: 3000, Weeks: 2, K: 12, Tasks: 1, Ways: 6, Builds: []fleet.Build{{Name: "a", Share: 1}}})
	var text strings.Builder
	text.WriteString("schema: 1\nkind: elements\nid: words\nversion: 4\ntitle: {en: A, zh: 甲}\nscreens:\n  - {id: 2, name: screen0, title: {en: First screen, zh: 甲}, elements: [")
	for i := range 7 { // e7 is missing
		name := fmt.Sprintf("e%d", i)
		if i == 6 {
			name = "another"
		}
		fmt.Fprintf(&text, "{id: %d, name: %s, title: {en: Button %d, zh: 钮}}, ", 100+i, name, i)
	}
	g, err := scenes.ParseRegistry("elements.yaml", []byte(strings.TrimSuffix(text.String(), ", ")+"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	plain := rows(t, r)
	r.Word(v.study, g)
	var terminal, page, js bytes.Buffer
	if err := errors.Join(r.WriteText(&terminal), r.WriteHTML(&page), r.WriteJSON(&js)); err != nil {
		t.Fatal(err)
	}
	for form, out := range map[string]string{"text": terminal.String(), "page": page.String(), "JSON": js.String()} {
		if !strings.Contains(out, "First screen › Button 0") {
			t.Errorf("the %s has no words", form)
		}
		if form != "JSON" && (strings.Contains(out, "screen0/e0") || !strings.Contains(out, "The registry of elements words, version 4 has no words for screen0/e6, screen0/e7.")) {
			t.Errorf("the %s has names, or does not say what is missing", form)
		}
	}
	for i, row := range rows(t, r) {
		if row["item"] != plain[i]["item"] {
			t.Errorf("the CSV has %q for %q", row["item"], plain[i]["item"])
		}
	}
	w := newWording(v.study, g)
	got := fmt.Sprintf("%q", w.of([]string{"screen0/e0", "screen0/e1 swipe error", "screen0/e7 turn", "other/other fired", "screen0/other"}))
	if want := `["First screen › Button 0" "First screen › Button 1 (swipe, error)" "screen0/e7 turn" "other/other fired" "First screen › other"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if lastWord("First screen › Button 1 (swipe, error)") != "Button 1 (swipe, error)" || lastWord("screen0/e7 turn") != "e7 turn" {
		t.Error("places lose their elements")
	}
}
