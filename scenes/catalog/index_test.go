package catalog

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/testdata/bench/packs"
)

// small is an index.
func small() *Index {
	return &Index{Head: Head{Catalog: 1, Title: "Cards <b>", Engine: "0.1.0", Cars: []Car{{"car", 1, hash(nil)}}, Packs: 1, Files: 2},
		Items: []Item{{Pack: "a", Version: "1.0.0", SHA256: hash(nil), File: "packs/a.vpack", Page: "pages/a.html", Author: "mei", Licence: "MIT", Title: Title{"A", "甲"},
			DerivedFrom: &Parent{Pack: "b@1.0.0"}, Cards: []Member{{"a", "1.0.0", ""}}, Reads: []string{}, Touches: []string{}, Needs: []string{}, Cars: []Verdict{{true, 2}}, Adopted: &AdoptedPack{9, "2026-01-01"}}},
		Files: []File{fileOf("packs/a.vpack", []byte("x")), fileOf("pages/a.html", nil)}}
}

// TestIndex: what is written is read back, and every other byte is refused.
func TestIndex(t *testing.T) {
	text := small().Bytes()
	x, err := ParseIndex(text)
	if err != nil || !bytes.Equal(x.Bytes(), text) {
		t.Fatalf("%v\n%s", err, text)
	}
	for i := range text {
		for _, c := range []byte{' ', '0', '"', text[i] ^ 1} {
			changed := bytes.Clone(text)
			changed[i] = c
			if c == text[i] {
				continue
			}
			if x, err := ParseIndex(changed); err == nil && !bytes.Equal(x.Bytes(), changed) {
				t.Fatalf("byte %d as %q: was read and is written otherwise", i, c)
			}
		}
		if _, err := ParseIndex(text[:i]); err == nil {
			t.Fatalf("cut at byte %d: no error", i)
		}
	}
}

// TestBadIndex: each message says where and what.
func TestBadIndex(t *testing.T) {
	for name, c := range map[string]struct {
		change func(x *Index)
		old    string
		new    string
		want   string
	}{
		"version":     {func(x *Index) { x.Head.Catalog = 2 }, "", "", "catalog.jsonl:1: catalogue of version 2"},
		"space":       {nil, `{"catalog":1`, `{ "catalog":1`, "catalog.jsonl:1: is not written as a catalogue writes it"},
		"unknown key": {nil, `{"pack":"a"`, `{"more":1,"pack":"a"`, `catalog.jsonl:2: is not an entry of a catalogue: json: unknown field "more"`},
		"cars":        {func(x *Index) { x.Items[0].Cars = nil }, "", "", "catalog.jsonl:2: tells of 0 cars, the head of 1"},
		"order":       {func(x *Index) { slices.Reverse(x.Files) }, "", "", "catalog.jsonl:4: `packs/a.vpack` is out of order"},
		"upwards":     {func(x *Index) { x.Files[0].Path = "../a" }, "", "", "catalog.jsonl:3: `../a` is no path"},
		"root":        {func(x *Index) { x.Files[0].Path = "/etc/passwd" }, "", "", "is no path"},
		"hash":        {func(x *Index) { x.Files[0].SHA256 = "x" }, "", "", "has no right hash"},
		"too many":    {func(x *Index) { x.Head.Files = 1 }, "", "", "catalog.jsonl:4: is one line too many"},
		"too few":     {func(x *Index) { x.Head.Packs = 3 }, "", "", "catalog.jsonl:3: is not an entry"},
		"a flood":     {func(x *Index) { x.Head.Packs = 1 << 40 }, "", "", "tells of 1099511627776 packs"},
		"negative":    {func(x *Index) { x.Head.Files = -1 }, "", "", "tells of -1 files"},
	} {
		x := small()
		if c.change != nil {
			c.change(x)
		}
		text := strings.Replace(string(x.Bytes()), c.old, c.new, 1)
		if _, err := ParseIndex([]byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// FuzzParseIndex: an index that is read is what its own Bytes are.
func FuzzParseIndex(f *testing.F) {
	f.Add(small().Bytes())
	f.Add([]byte(`{"catalog":1,"title":"","engine":"","cars":[],"packs":0,"files":0}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if x, err := ParseIndex(text); err == nil && !bytes.Equal(x.Bytes(), text) {
			t.Errorf("%q is written as %q", text, x.Bytes())
		}
	})
}

// FuzzCheckPage: no page makes the checker fail, and none with a script of its own
// passes.
func FuzzCheckPage(f *testing.F) {
	f.Add([]byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<a href='x'>"))
	f.Fuzz(func(t *testing.T, page []byte) {
		faults := 0
		c := checker{paths: map[string]bool{}}
		c.page("index.html", page, func(string, ...any) { faults++ })
		if bytes.Contains(page, []byte("<script>x")) && faults == 0 {
			t.Errorf("%q passes", page)
		}
	})
}

// TestCheckPages: what refers to a network or runs is found, even where the hashes
// were made to fit: whoever makes an unsigned site can do that.
func TestCheckPages(t *testing.T) {
	dir := t.TempDir()
	(&source{id: "a", version: "1.0.0", author: "mei"}).write(t, dir, "a.vpack")
	site, r := build(t, dir, &Options{})
	for _, c := range []struct{ file, old, new, want string }{
		{"index.html", "</main>", `<img src="https://example.org/x.png"></main>`, `<img> refers to "https://example.org/x.png"`},
		{"index.html", "</main>", `<img src="//example.org/x.png"></main>`, `refers to "//example.org/x.png"`},
		{"index.html", "</main>", `<img src=https&#58;//example.org></main>`, `refers to "https://example.org"`},
		{"index.html", "</main>", `<a href="all-9.html">x</a></main>`, `refers to "all-9.html", which is no file`},
		{"index.html", "</main>", `<a href="../x">x</a></main>`, `refers to "../x"`},
		{"index.html", "</main>", `<img srcset="x 2x"></main>`, `the attribute srcset`},
		{"index.html", "</main>", `<p onclick="x()">x</p></main>`, `the attribute onclick`},
		{"index.html", "</main>", `<p style="background: url(x)">x</p></main>`, `the attribute style`},
		{"index.html", "</main>", `<iframe src="index.html"></iframe></main>`, `has a tag <iframe>`},
		{"index.html", "</main>", `<script>fetch("x")</script></main>`, `a script or style of its own`},
		{"index.html", "</main>", `<p a="></main>`, `a tag that cannot be read`},
		{"index.html", "default-src &#39;none&#39;", "default-src *", `has not the policy`},
		{"index.html", "</head>", `<meta http-equiv="refresh" content="0;url=https://example.org"></head>`, `<meta> sets "refresh"`},
		{"catalog.css", "body {", "@import 'x'; body {", `loads something: "@import"`},
		{"catalog.css", "body {", "body { background: url(//x);", "loads something"},
		{"catalog.js", `"use strict";`, `"use strict"; fetch("https://example.org");`, "can do what no catalogue needs"},
		{"data/list-0.js", "]);", `]);alert(1);`, "is more than data"},
		{"data/needs.js", "({", `({"a":alert(1),`, "is more than data"},
		{"data/list-0.js", "vignette.list(", `alert(`, "is more than data"},
		{"art/climate-0.svg", "<rect", `<script/><rect`, "is more than a drawing"},
	} {
		copied := filepath.Join(t.TempDir(), "site")
		if err := os.CopyFS(copied, os.DirFS(site)); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(read(t, site, c.file), c.old, c.new, 1)
		if text == read(t, site, c.file) {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		x := *r.Index
		x.Files = slices.Clone(x.Files)
		i := slices.IndexFunc(x.Files, func(f File) bool { return f.Path == c.file })
		x.Files[i] = fileOf(c.file, []byte(text))
		for name, data := range map[string][]byte{c.file: []byte(text), IndexFile: x.Bytes()} {
			if err := os.WriteFile(filepath.Join(copied, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Check(copied, nil, nil)
		if err != nil || len(got.Faults) == 0 || !strings.Contains(strings.Join(got.Faults, "\n"), c.want) {
			t.Errorf("%s with %s: %v %+v, want %s", c.file, c.new, err, got, c.want)
		}
	}
}

// TestCheckFiles: an index that does not fit its site.
func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	(&source{id: "a", version: "1.0.0", author: "mei"}).write(t, dir, "a.vpack")
	site, r := build(t, dir, &Options{})
	x := *r.Index
	x.Items = slices.Clone(x.Items)
	x.Items[0].SHA256, x.Items[0].Page = hash(nil), "pages/none.html"
	x.Files = slices.DeleteFunc(slices.Clone(x.Files), func(f File) bool { return f.Path == "index.html" })
	x.Head.Files--
	if err := os.WriteFile(filepath.Join(site, IndexFile), x.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Check(site, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`a@1.0.0 has no file "pages/none.html"`, "is not the pack a@1.0.0 that the index tells of", "has no index.html", "index.html: is not in the index", `refers to "../index.html"`} {
		if !strings.Contains(strings.Join(got.Faults, "\n"), want) {
			t.Errorf("no fault %s in %q", want, got.Faults)
		}
	}
}

// TestFamilies holds lineage, versions and remix counts of many packs to a slow
// count over all pairs.
func TestFamilies(t *testing.T) {
	dir := t.TempDir()
	if err := packs.Write(dir, 150, 9); err != nil {
		t.Fatal(err)
	}
	_, r := build(t, dir, &Options{})
	items := r.Index.Items
	line := func(it *Item) string { return it.Pack + " " + it.Key + " " + it.Author }
	remixes := 0
	for i := range items {
		it := &items[i]
		below := map[string]bool{it.SHA256: true}
		for range items { // as many times as a line can be long
			for _, o := range items {
				if o.DerivedFrom != nil && below[o.DerivedFrom.SHA256] {
					below[o.SHA256] = true
				}
			}
		}
		lines := map[string]bool{}
		newest := true
		for j := range items {
			if below[items[j].SHA256] && line(&items[j]) != line(it) {
				lines[line(&items[j])] = true
			}
			newest = newest && !(line(&items[j]) == line(it) && scenes.CompareVersions(items[j].Version, it.Version) > 0)
		}
		if it.Remixes != len(lines) || it.Newest != newest {
			t.Errorf("%s@%s: %d remixes, newest %v; want %d, %v", it.Pack, it.Version, it.Remixes, it.Newest, len(lines), newest)
		}
		remixes += it.Remixes
	}
	if remixes < 20 {
		t.Errorf("only %d remixes: nothing was tested", remixes)
	}
}

// TestAdoptionIsHeld: figures that must not be shown are refused.
func TestAdoptionIsHeld(t *testing.T) {
	for text, want := range map[string]string{
		`{"adoption":1,"k":20,"cards":[{"card":"a","cars_at_least":19,"studies":1,"until":"2026-01-01"}]}`: "fewer than k = 20",
		`{"adoption":1,"k":2,"cards":[]}`:  "no study has a k below 5",
		`{"adoption":2,"k":20,"cards":[]}`: "of version 2",
		`{"adoption":1,"k":20,"cards":[{"card":"b","cars_at_least":20,"studies":1,"until":"2026-01-01"},{"card":"a","cars_at_least":20,"studies":1,"until":"2026-01-01"}]}`: "out of order",
		`{"adoption":1,"k":20,"cards":[{"card":"a","cars_at_least":20,"studies":1,"until":"soon"}]}`:                                                                        "no day",
		`{"adoption":1,"k":20,"cards":[],"cars":[]}`: "unknown field",
		`{"adoption":1,"k":20,"cards":[]} x`:         "after its end",
		``:                                           "is not what vignette cocreate",
	} {
		if _, err := ReadAdoption(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestTokens: words by spaces, Chinese by two neighbours.
func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"Cool the CABIN, 30 °C": "cool cabin 30 c", "座椅加热": "座椅 椅加 加热 热", "热": "热", "seat座椅2次": "seat 座椅 椅 2 次", "Über-Größe": "über größe", "": "", "of the": "",
		"カーム": "カー ーム ム", "𠀀𠀁": "𠀀𠀁 𠀁", "a\u00a0b・c": "b c",
	} {
		var got []string
		tokens(text, func(s string) { got = append(got, s) })
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, strings.Join(got, " "), want)
		}
	}
}

// TestChunks: what the browser gets, read as it does, is what was put in.
func TestChunks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune("abz09é座椅加热𠀀\ue000ｗ")
	x := inverted{postings: map[string][]int32{}}
	want := map[string]map[int]int{}
	for doc := range 400 {
		for range random.IntN(30) {
			var text string
			for range 1 + random.IntN(6) {
				text += string(letters[random.IntN(len(letters))])
			}
			weight := 1 + random.IntN(3)
			x.add(doc, weight, text)
			tokens(text, func(s string) {
				if want[s] == nil {
					want[s] = map[int]int{}
				}
				want[s][doc] = max(want[s][doc], weight)
			})
		}
	}
	n, before := 0, ""
	for _, c := range x.chunks() {
		postings := strings.Split(c.Postings, ",")
		for i, word := range strings.Split(c.Words, " ") {
			if before != "" && compareUTF16(before, word) >= 0 {
				t.Errorf("%q comes before %q", before, word)
			}
			before = word
			n++
			doc, got := 0, map[int]int{}
			for value, shift := 0, 0; postings[i] != ""; {
				d := strings.IndexByte(digits, postings[i][0])
				postings[i] = postings[i][1:]
				value |= d & 31 << shift
				if shift += 5; d < 32 {
					doc += value >> 2
					got[doc] = value & 3
					value, shift = 0, 0
				}
			}
			if len(got) != len(want[word]) {
				t.Errorf("%q: %v, want %v", word, got, want[word])
			}
			for d, weight := range want[word] {
				if got[d] != weight {
					t.Errorf("%q in %d: %d, want %d", word, d, got[d], weight)
				}
			}
		}
	}
	if n != len(want) {
		t.Errorf("%d words, want %d", n, len(want))
	}
}
