//go:build oracle

package catalog

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/testdata/bench/packs"
	"vignette/testdata/oracle"
)

// most is how long a search may take in the browser, drawn and laid out, in
// milliseconds, the best of three: others use the machine too. rows is of how many
// packs.
const (
	most = 100.0
	rows = 10_000
)

// probe types queries into the page, as a person would, and notes what is shown.
const probe = `"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const out = { ready: performance.now(), searches: [], texts: {} };
  const query = document.getElementById("query");
  const type = (text) => {
    query.value = text;
    const from = performance.now();
    query.dispatchEvent(new Event("input"));
    void document.body.offsetHeight;
    return performance.now() - from;
  };
  for (const text of QUERIES) {
    const ms = Math.min(type(text), type(text), type(text));
    out.searches.push({ text, ms, hits: vignette.search(text), tiles: document.querySelectorAll(".tile").length, count: document.getElementById("count").textContent });
  }
  type("");
  const count = () => document.getElementById("count").textContent;
  out.texts.car = count();
  document.querySelector("#count button").click();
  out.texts.all = [...document.querySelectorAll(".tile")].length + " " + document.querySelector("#count button").textContent;
  document.getElementById("car").value = "";
  document.getElementById("car").dispatchEvent(new Event("change"));
  out.texts.any = count();
  document.querySelector("input[name=topic][value='2']").click();
  out.texts.seats = count();
  document.querySelector("[data-to=zh]").click();
  out.texts.zh = count() + " " + document.documentElement.lang + " " + document.querySelector(".tile h2").textContent;
  out.texts.hidden = getComputedStyle(document.querySelector(".lead [lang=en]")).display;
  document.querySelector("#more").click();
  out.texts.more = String(document.querySelectorAll(".tile").length);
  const pre = document.createElement("pre");
  pre.id = "probe";
  pre.textContent = JSON.stringify(out);
  document.body.append(pre);
});
`

var probed = regexp.MustCompile(`(?s)<pre id="probe">(.*?)</pre>`)

// many are entries of a catalogue as large as it gets: some packs, each several
// times under other names.
func many(t *testing.T) []*entry {
	t.Helper()
	dir := t.TempDir()
	if err := packs.Write(dir, 500, 5); err != nil {
		t.Fatal(err)
	}
	list, err := files(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Cars: []*scenes.Vehicle{car(t)}}
	read, refused := readAll(list, o)
	entries, unfit := settle(read, nil)
	if len(refused)+len(unfit) > 0 {
		t.Fatal(refused, unfit)
	}
	var all []*entry
	for i := range rows {
		e := *entries[i%len(entries)]
		e.Pack, e.Newest = fmt.Sprintf("%s-n%d", e.Pack, i), true
		e.Title.En += fmt.Sprintf(" no %d", i)
		all = append(all, &e)
	}
	return all
}

// TestSearch: on a disk, without a network, the page finds in 10,000 packs what a
// slow search finds, in English and Chinese, in at most 100 ms; and filters, and
// speaks both languages.
func TestSearch(t *testing.T) {
	entries := many(t)
	s := &site{dir: t.TempDir(), o: &Options{Title: "Cards", Cars: []*scenes.Vehicle{car(t)}}}
	for _, dir := range []string{"art", "data"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if s.writeShared(entries); s.err != nil {
		t.Fatal(s.err)
	}
	var words []map[string]bool
	for _, e := range entries {
		has := map[string]bool{}
		e.wordsOf(func(_ int, text string) { tokens(text, func(s string) { has[s] = true }) })
		words = append(words, has)
	}
	queries := []string{"", "seat", "warm sea", "座椅", "座椅加热", "座", "雨天 灯光", "the", "mei", "c", "fan driver", "Zzz", "关窗 冬日", "90", "motorway air 8", "到家", "ca", "notify", "Vehicle.Speed", "温", "no 77"}
	js := strings.Replace(probe, "QUERIES", string(marshal(queries)), 1)
	page := strings.Replace(read(t, s.dir, "index.html"), "</head>", `<script src="probe.js" defer></script></head>`, 1)
	for name, text := range map[string]string{"probe.js": js, "probe.html": page} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dom, log := oracle.Chromium(t, filepath.Join(s.dir, "probe.html"), "--host-resolver-rules=MAP * ~NOTFOUND", "--lang=en-GB")
	m := probed.FindStringSubmatch(dom)
	if m == nil || strings.Contains(log, "Content Security Policy") || strings.Contains(log, "Uncaught") {
		t.Fatalf("the page did not get through it\n%s", log)
	}
	var got struct {
		Ready    float64
		Searches []struct {
			Text, Count string
			MS          float64
			Hits        []int
			Tiles       int
		}
		Texts map[string]string
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(m[1])), &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("ready after %.0f ms", got.Ready)
	for _, q := range got.Searches {
		t.Logf("%-16q %5d hits, %5.1f ms, %s", q.Text, len(q.Hits), q.MS, q.Count)
		if q.MS > most {
			t.Errorf("%q took %.1f ms", q.Text, q.MS)
		}
		hits := slices.Sorted(slices.Values(q.Hits))
		if want := slowly(words, q.Text); !slices.Equal(hits, want) {
			t.Errorf("%q: %d hits, a slow search finds %d", q.Text, len(hits), len(want))
		}
	}
	runs := 0
	seats := 0
	for _, e := range entries {
		if e.Cars[0].Runs {
			runs++
		}
		if e.topics&(1<<2) != 0 {
			seats++
		}
	}
	for name, want := range map[string]string{"car": fmt.Sprintf("%d cards run on vignette-ev. Show %d that do not", runs, rows-runs), "all": "24 Hide those that do not", "any": "10000 cards",
		"seats": fmt.Sprintf("%d cards", seats), "zh": fmt.Sprintf("%d 张卡片 zh ", seats), "hidden": "none", "more": "48"} {
		if !strings.HasPrefix(got.Texts[name], want) {
			t.Errorf("%s: %q, want %q", name, got.Texts[name], want)
		}
	}
	if title := strings.TrimPrefix(got.Texts["zh"], fmt.Sprintf("%d 张卡片 zh ", seats)); !slices.ContainsFunc(entries, func(e *entry) bool { return e.Title.Zh == title }) {
		t.Errorf("no card is called %q", title)
	}
}

// slowly finds the packs that have a word beginning with each word of a query, or
// its characters as they stand.
func slowly(words []map[string]bool, query string) (hits []int) {
	var terms []string
	tokens(query, func(s string) { terms = append(terms, s) })
	for i, has := range words {
		if fits(terms, query, has) {
			hits = append(hits, i)
		}
	}
	return hits
}

func fits(terms []string, query string, has map[string]bool) bool {
	for i, term := range terms {
		letters := []rune(term)
		switch dense := isDense(letters[0]); {
		case dense && len(letters) == 2 && !has[term]:
			return false
		case dense && len(letters) == 1 && i > 0 && strings.HasSuffix(terms[i-1], term) && strings.Contains(query, terms[i-1]): // the end of a run
		case dense && len(letters) == 2:
		default:
			found := false
			for word := range has {
				found = found || strings.HasPrefix(word, term)
			}
			if !found {
				return false
			}
		}
	}
	return true
}

// TestPagesAreAccessible: axe-core has nothing to say against the front page, a
// pack's page and the plain list, and the browser takes all that they load.
func TestPagesAreAccessible(t *testing.T) {
	dir := t.TempDir()
	if err := packs.Write(dir, 80, 2); err != nil {
		t.Fatal(err)
	}
	sum := (&source{id: "before", version: "1.0.0", author: "jo"}).write(t, dir, "b.vpack")
	evil := source{id: "evil", version: "1.0.0", author: "mei", title: "<script>alert(1)</script>", text: "<b>x", scenario: fmt.Sprintf(story, 40, "evil"),
		parent: "{pack: before@1.0.0, sha256: " + sum + ", author: jo}"}
	sum = evil.write(t, dir, "a.vpack")
	(&source{id: "after", version: "1.0.0", author: "li", parent: "{pack: evil@1.0.0, sha256: " + sum + ", author: mei}"}).write(t, dir, "c.vpack")
	site, r := build(t, dir, &Options{Cars: []*scenes.Vehicle{car(t)}, Adoption: &Adoption{Adoption: 1, K: 20, Cards: []AdoptedCard{{"evil", 55, 1, "2026-03-01"}}}})
	if it := &r.Index.Items[0]; it.Pack != "evil" || it.Remixes != 1 || !it.DerivedFrom.Here {
		t.Fatalf("the pack that cars run is not first, or has no family: %+v", it)
	}
	for _, name := range []string{"index.html", r.Index.Items[0].Page} {
		page := filepath.Join(site, filepath.FromSlash(name))
		oracle.Accessible(t, page)
		if dom, log := oracle.Chromium(t, page); strings.Contains(log, "Content Security Policy") || strings.Contains(log, "Uncaught") || !strings.Contains(dom, `data-lang="en"`) {
			t.Errorf("%s: the browser refused something\n%s", name, log)
		}
	}
}
