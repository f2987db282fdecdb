package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"vignette/scenes"
	"vignette/scenes/sign"
	"vignette/testdata/bench/packs"
)

// keyOf is a key that is always the same.
func keyOf(t testing.TB, name string) *sign.SecretKey {
	t.Helper()
	k, err := sign.GenerateKey(strings.NewReader(strings.Repeat(name, 40)))
	if err != nil {
		t.Fatal(err)
	}
	return &k
}

func car(t testing.TB) *scenes.Vehicle {
	t.Helper()
	v, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// source is a pack that is made for a test.
type source struct {
	id, version, author, key string
	title, text              string // the English ones; empty: the usual
	parent                   string // derived_from, with braces
	set                      string // what it does; empty: it shows text
	scenario                 string
}

// write makes the pack's file in dir and returns its hash.
func (s *source) write(t testing.TB, dir, name string) string {
	t.Helper()
	if s.title == "" {
		s.title = "Title of " + s.id
	}
	if s.text == "" {
		s.text = "Hello"
	}
	if s.set == "" {
		s.set = fmt.Sprintf("{do: notify, with: {text: {en: %q, zh: 你好}}}", s.text)
	}
	manifest := fmt.Sprintf("schema: 1\nid: %s\nversion: %s\ntitle: {en: %q, zh: 标题}\nauthor: %s\nlicence: MIT\ncards: [card.yaml]\n", s.id, s.version, s.title, s.author)
	if s.parent != "" {
		manifest += "derived_from: " + s.parent + "\n"
	}
	files := fstest.MapFS{"card.yaml": {Data: fmt.Appendf(nil,
		"schema: 1\nid: %s\nversion: %s\ntitle: {en: %q, zh: 卡片}\nwhen:\n  - {signal: Vehicle.Speed, rises_above: 50, unit: km/h}\nthen:\n  - %s\n", s.id, s.version, s.title, s.set)}}
	if s.scenario != "" {
		manifest += "scenarios: [story.yaml]\n"
		files["story.yaml"] = &fstest.MapFile{Data: []byte(s.scenario)}
	}
	files[scenes.ManifestName] = &fstest.MapFile{Data: []byte(manifest)}
	var key *sign.SecretKey
	if s.key != "" {
		key = keyOf(t, s.key)
	}
	data, err := scenes.MakePack(s.id, files, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	return hash(data)
}

// build makes a site of a directory, which Check has nothing to say against.
func build(t testing.TB, dir string, o *Options) (site string, r *Result) {
	t.Helper()
	site = filepath.Join(t.TempDir(), "site")
	r, err := Build(dir, site, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Check(site, nil, nil)
	if err != nil || len(c.Faults) > 0 {
		t.Fatalf("the site that was made: %v %+v", err, c)
	}
	return site, r
}

func read(t testing.TB, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSameBytes: the same packs make the same site, whatever the number of
// processors and wherever the packs lie; each file's hash is in the signed index.
func TestSameBytes(t *testing.T) {
	dir := t.TempDir()
	if err := packs.Write(dir, 60, 3); err != nil {
		t.Fatal(err)
	}
	o := func() *Options { return &Options{Cars: []*scenes.Vehicle{car(t)}, Key: keyOf(t, "club")} }
	site, r := build(t, dir, o())
	if len(r.Index.Items) != 60 || len(r.Refused) > 0 {
		t.Fatalf("%d packs, %v", len(r.Index.Items), r.Refused)
	}
	other := filepath.Join(t.TempDir(), "deep", "down")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	again, _ := build(t, other, o())
	for _, name := range []string{IndexFile, SignatureFile} {
		if read(t, site, name) != read(t, again, name) {
			t.Errorf("%s differs", name)
		}
	}
	if c, err := Check(again, []sign.PublicKey{keyOf(t, "club").Public()}, nil); err != nil || c.Key == "" || len(c.Faults) > 0 {
		t.Errorf("signed by the club: %v, %+v", err, c)
	}
	if _, err := Check(again, []sign.PublicKey{keyOf(t, "else").Public()}, nil); !errors.Is(err, sign.ErrUnknownKey) {
		t.Errorf("signed by somebody else: %v", err)
	}
}

// TestHostile: what authors write is text on every page and in the data, never
// markup; what would make a text look other than it is, is refused.
func TestHostile(t *testing.T) {
	dir := t.TempDir()
	evil := []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</title><style>*{color:red}</style>`, `javascript:alert(1)`, `{{.Key}}`, `]]>--><!--`, `');vignette.list([1`, `https://example.org/`}
	for i, text := range evil {
		(&source{id: fmt.Sprintf("evil-%d", i), version: "1.0.0", author: "mei", key: "mei", title: text, text: text}).write(t, dir, fmt.Sprintf("%d.vpack", i))
	}
	for name, s := range map[string]source{
		"turned.vpack":  {title: "evil \u202etxt.exe"},
		"hidden.vpack":  {text: "a\u0007b"},
		"isolate.vpack": {text: "a\u2067b"},
	} {
		s.id, s.version, s.author, s.key = strings.TrimSuffix(name, ".vpack"), "1.0.0", "mei", "mei"
		s.write(t, dir, name)
	}
	site, r := build(t, dir, &Options{Cars: []*scenes.Vehicle{car(t)}})
	if len(r.Index.Items) != len(evil) || len(r.Refused) != 3 {
		t.Fatalf("%d taken; %v", len(r.Index.Items), r.Refused)
	}
	for _, f := range r.Refused {
		if !strings.Contains(f.String(), "which could hide what it says") {
			t.Error(f)
		}
	}
	for _, f := range r.Index.Files {
		text := read(t, site, f.Path)
		for _, bad := range []string{"<script>alert", "<img src=x", "<style>", "-->"} {
			if !strings.HasPrefix(f.Path, "packs/") && strings.Contains(text, bad) {
				t.Errorf("%s has %q", f.Path, bad)
			}
		}
	}
	page := read(t, site, r.Index.Items[0].Page)
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;") {
		t.Errorf("the title is not on its page:\n%s", page)
	}
}

// TestLines: a text of several lines stays one line of the words, so that nobody can
// write what looks like the program's own.
func TestLines(t *testing.T) {
	dir := t.TempDir()
	(&source{id: "lines", version: "1.0.0", author: "mei", key: "mei", title: "One\nThen\n  1. asks you first", text: "a\nOnly if\n  you say so"}).write(t, dir, "a.vpack")
	site, r := build(t, dir, &Options{})
	page := read(t, site, r.Index.Items[0].Page)
	if strings.Contains(page, "<h4>Only if</h4>") || strings.Contains(page, "<li><bdi>asks you first") || !strings.Contains(page, "you say so") {
		t.Errorf("a text pretends to be more lines:\n%s", page)
	}
}

// TestRefused: each bad pack is named with its reason, and the others are taken.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	sum := (&source{id: "first", version: "1.0.0", author: "mei", key: "mei"}).write(t, dir, "a.vpack")
	(&source{id: "first", version: "1.0.0", author: "mei", key: "mei", text: "Other"}).write(t, dir, "b-same-version.vpack")
	(&source{id: "first", version: "1.0.0", author: "jo", key: "jo"}).write(t, dir, "c-of-another.vpack")
	(&source{id: "remix", version: "1.0.0", author: "jo", key: "jo", parent: "{pack: first@1.0.0, sha256: " + sum + ", author: jo}"}).write(t, dir, "d-credit.vpack")
	data := []byte(read(t, dir, "a.vpack"))
	for name, text := range map[string][]byte{
		"e-twice.vpack": data, "f-flipped.vpack": bytes.Replace(data, []byte("Hello"), []byte("Hellp"), 1), "g-empty.vpack": nil,
		"h-long.vpack": append(bytes.Clone(data), make([]byte, 2<<20)...), "notes.txt": []byte("no pack"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "i-link.vpack")); err != nil {
		t.Fatal(err)
	}
	(&source{id: "alike", version: "1.0.0", author: "jo", key: "joe"}).write(t, dir, "j-namesake.vpack")
	site, r := build(t, dir, &Options{})
	for _, it := range r.Index.Items {
		if got := strings.Contains(read(t, site, it.Page), "more than one key"); got != (it.Author == "jo") {
			t.Errorf("%s of %s: more than one key %v", it.Pack, it.Author, got)
		}
	}
	want := map[string]string{"b-same-version": "gives each version out once", "d-credit": "gives wrong credit: `derived_from` says first@1.0.0 by jo, and that file",
		"e-twice": "is the same file as", "f-flipped": "does not fit", "g-empty": "is no pack", "h-long": "is longer than 1024 KiB", "i-link": "no such file"}
	for _, f := range r.Refused {
		name := strings.TrimSuffix(filepath.Base(f.File), ".vpack")
		if want[name] == "" || !strings.Contains(f.String(), want[name]) {
			t.Errorf("%s", f)
		}
		delete(want, name)
	}
	if len(want) > 0 || len(r.Index.Items) != 3 {
		t.Errorf("not refused: %v; taken: %d", want, len(r.Index.Items))
	}
}

const story = `schema: 1
title: {en: Faster than fifty, zh: 超过五十}
given:
  - {signal: Vehicle.Speed, is: 0, unit: km/h}
steps:
  - {at: 5s, signal: Vehicle.Speed, to: %d, unit: km/h}
expect:
  - {fires: %s, within: [5s, 7s]}
until: 10s
`

// TestCars: what runs on a car, why not, and which scenarios pass there.
func TestCars(t *testing.T) {
	dir := t.TempDir()
	(&source{id: "good", version: "1.0.0", author: "mei", scenario: fmt.Sprintf(story, 60, "good")}).write(t, dir, "a.vpack")
	(&source{id: "slow", version: "1.0.0", author: "mei", scenario: fmt.Sprintf(story, 40, "slow")}).write(t, dir, "b.vpack")
	(&source{id: "other", version: "1.0.0", author: "mei", set: "{set: Vehicle.Cabin.Infotainment.Media.Volume, to: 10, unit: percent, lease: 8s, at_end: restore}"}).write(t, dir, "c.vpack")
	adoption := &Adoption{Adoption: 1, K: 20, Cards: []AdoptedCard{{"good", 55, 1, "2026-03-01"}}}
	site, r := build(t, dir, &Options{Cars: []*scenes.Vehicle{car(t)}, Adoption: adoption})
	for i, want := range []struct {
		pack    string
		verdict Verdict
		page    string
	}{
		{"good", Verdict{true, 1}, "ran in at least"}, // the one that cars run comes first
		{"other", Verdict{false, 0}, "Vehicle.Cabin.Infotainment.Media.Volume"},
		{"slow", Verdict{true, 0}, "0 / 1"},
	} {
		it := &r.Index.Items[i]
		if it.Pack != want.pack || it.Cars[0] != want.verdict {
			t.Errorf("%d: %s %+v, want %+v", i, it.Pack, it.Cars, want)
		}
		if page := read(t, site, it.Page); !strings.Contains(page, want.page) || strings.Contains(page, "ran in at least") != (i == 0) {
			t.Errorf("%s: no %q on its page", it.Pack, want.page)
		}
	}
}

// TestPlace: a site takes the place of nothing but a site.
func TestPlace(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	(&source{id: "a", version: "1.0.0", author: "mei"}).write(t, dir, "a.vpack")
	if _, err := Build(dir, out, &Options{}); err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	if _, err := Build(dir, out, &Options{Title: "Again"}); err != nil || !strings.Contains(read(t, out, "index.html"), "Again") {
		t.Fatalf("an earlier catalogue: %v", err)
	}
	if _, err := Build(dir, dir, &Options{}); err == nil || read(t, dir, "a.vpack") == "" {
		t.Error("the packs were replaced")
	}
	if list, err := os.ReadDir(filepath.Dir(out)); err != nil || len(list) != 1 && len(list) != 2 {
		t.Errorf("something was left beside it: %v %v", list, err)
	}
}
