package remix

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/sign"
)

const card = `# A comment that stays.
schema: 1
id: ID
version: 1.0.0
title: {en: Cool}
when:
  - {ignition: on}
then:
  - {do: notify, with: {text: {en: Cool}}}
cooldown: 10m
manual: true
`

// made is a pack of an author with these cards; change changes each file's text.
func made(t *testing.T, author, id, version string, ids []string, change func(name, text string) string) *scenes.Pack {
	t.Helper()
	k, err := sign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte(author), 64)))
	if err != nil {
		t.Fatal(err)
	}
	s := files{}
	var names []string
	put := func(name, text string) {
		if change != nil {
			text = change(name, text)
		}
		if text != "" {
			s[name] = []byte(text)
			if name != scenes.ManifestName {
				names = append(names, name)
			}
		}
	}
	for _, id := range ids {
		put("cards/"+id+".yaml", strings.Replace(card, "ID", id, 1))
	}
	put(scenes.ManifestName, fmt.Sprintf("schema: 1\nid: %s\nversion: %s\ntitle: {en: Cool}\nauthor: %s\nlicence: MIT\ncards: [%s]\n", id, version, author, strings.Join(names, ", ")))
	data, err := scenes.MakePack(id, s, &k)
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.OpenPack(id, data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// remixed is a remix by jo, whose files are changed.
func remixed(t *testing.T, p *scenes.Pack, change map[string][2]string) *Source {
	t.Helper()
	s, forgotten, err := Of(p, "jo", "")
	if err != nil || forgotten != nil {
		t.Fatal(err, forgotten)
	}
	for name, c := range change {
		text := strings.Replace(string(s.Files[name]), c[0], c[1], 1)
		if text == string(s.Files[name]) {
			t.Fatalf("%s has no %q", name, c[0])
		}
		s.Files[name] = []byte(text)
	}
	dir := filepath.Join(t.TempDir(), "source")
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	read, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestOf(t *testing.T) {
	p := made(t, "mei", "two", "1.2.0", []string{"cool", "warm"}, nil)
	s := remixed(t, p, nil)
	m := s.Manifest
	if m.Name() != "two-jo@1.0.0" || m.Author != "jo" || *m.DerivedFrom != (scenes.Parent{Pack: "two@1.2.0", SHA256: p.SHA256, Author: "mei"}) || m.Lineage != nil {
		t.Errorf("%+v", m)
	}
	want := strings.NewReplacer("ID", "warm-jo", "version: 1.0.0\n", "version: 1.0.0\nderived_from: warm@1.0.0\n").Replace(card)
	if got := string(s.Files["cards/warm.yaml"]); got != want {
		t.Errorf("the card is\n%s", got)
	}
	single, _, err := Of(made(t, "mei", "cool", "1.0.0", []string{"cool"}, nil), "jo", "my-own")
	if err != nil || single.Manifest.ID != "my-own" || !strings.Contains(string(single.Files["cards/cool.yaml"]), "id: my-own\n") {
		t.Errorf("with an id of one's own: %v", err)
	}
	if _, _, err := Of(p, "Jo!", ""); err == nil || !strings.Contains(err.Error(), "handle") {
		t.Errorf("a bad handle: %v", err)
	}
}

// TestLineage follows a pack from hand to hand until its lineage is full, and
// round in a circle.
func TestLineage(t *testing.T) {
	p := made(t, "mei", "cool", "1.0.0", []string{"cool"}, nil)
	var family Family
	for i := range 40 {
		family.Add(p.Manifest.Name(), p)
		author := fmt.Sprintf("a%02d", i)
		s, forgotten, err := Of(p, author, "cool-"+author)
		if err != nil {
			t.Fatal(err)
		}
		if want := min(i, maxAncestors); len(s.Manifest.Lineage) != want || (forgotten != nil) != (i > maxAncestors) {
			t.Errorf("remix %d: a lineage of %d, want %d; forgotten %v", i, len(s.Manifest.Lineage), want, forgotten)
		}
		data, err := scenes.MakePack("x", s.FS(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = scenes.OpenPack("x", data); err != nil {
			t.Fatal(err)
		}
	}
	if family.Close(); family.Faults != nil || len(family.Members) != 40 || family.Members[39].Parent != family.Members[38].SHA256 {
		t.Errorf("a family of %d, %q", len(family.Members), family.Faults)
	}
	if _, _, err := Of(p, "a39", "cool-a39"); err == nil || !strings.Contains(err.Error(), "the lineage is a loop") {
		t.Errorf("a remix that is its own parent: %v", err)
	}
}

// TestContradictions holds what packs cannot say of each other.
func TestContradictions(t *testing.T) {
	p := made(t, "mei", "cool", "1.0.0", []string{"cool"}, nil)
	a := scenes.Parent{Pack: "a@1.0.0", SHA256: strings.Repeat("a", 64), Author: "ann"}
	b := scenes.Parent{Pack: "b@1.0.0", SHA256: strings.Repeat("b", 64), Author: "bob"}
	says := func(sha string, parents ...scenes.Parent) *scenes.Pack {
		box, m := *p.Pack, *p.Manifest
		box.SHA256, m.ID = sha, "p"+sha
		m.DerivedFrom, m.Lineage = &parents[0], parents[1:]
		return &scenes.Pack{Pack: &box, Manifest: &m}
	}
	var f Family
	f.Add("one", says("1", a, b))
	f.Add("two", says("2", b, a))
	f.Add("three", says("3", scenes.Parent{Pack: "z@1.0.0", SHA256: a.SHA256, Author: "eve"}))
	f.Close()
	for i, want := range []string{"two says that b@1.0.0 is derived from a@1.0.0, but that is derived from it", "three names z@1.0.0 by eve as an ancestor, but the pack with that SHA-256 is a@1.0.0 by ann"} {
		if i >= len(f.Faults) || f.Faults[i] != want {
			t.Errorf("%q; want %q", f.Faults, want)
		}
	}
	if want := "b@1.0.0 by bob (not here, sha256 bbbbbbbbbbbbbbbb…)\n├─ a@1.0.0 by ann (not here, sha256 aaaaaaaaaaaaaaaa…)\n│  ├─ p1@1.0.0 by mei (one)\n│  └─ p3@1.0.0 by mei (three)\n└─ p2@1.0.0 by mei (two)\n"; f.Text() != want {
		t.Errorf("the tree is\n%s", f.Text())
	}
}

// TestMerge brings a parent's later version into a remix, file by file.
func TestMerge(t *testing.T) {
	base := made(t, "mei", "two", "1.0.0", []string{"cool", "mild", "warm"}, nil)
	next := func(change func(name, text string) string) *scenes.Pack {
		return made(t, "mei", "two", "1.1.0", []string{"cool", "hot", "mild", "warm"}, change)
	}
	fix := func(name, text string) string {
		if name == "cards/hot.yaml" {
			return ""
		}
		return strings.NewReplacer("cooldown: 10m", "cooldown: 20m", "version: 1.0.0", "version: 1.1.0").Replace(text)
	}
	const cool, warm = "cards/cool.yaml", "cards/warm.yaml"
	for name, c := range map[string]struct {
		mine      map[string][2]string
		next      *scenes.Pack
		file      string // in which
		has       string // this is found
		conflicts []string
	}{
		"only the parent":   {nil, next(fix), cool, "cooldown: 20m\nmanual: true\n", nil},
		"mine stays":        {map[string][2]string{cool: {"title: {en: Cool}", "title: {en: Brr}"}}, next(fix), cool, "title: {en: Brr}\n", nil},
		"the same of both":  {map[string][2]string{cool: {"10m", "20m"}}, next(fix), cool, "cooldown: 20m\nmanual", nil},
		"both":              {map[string][2]string{cool: {"10m", "5m"}}, next(fix), cool, "<<<<<<< yours\ncooldown: 5m\n||||||| before\ncooldown: 10m\n=======\ncooldown: 20m\n>>>>>>> the parent's\nmanual: true\n", []string{"cards/cool.yaml:11: both have changed this; keep one and take the marks out"}},
		"the head is mine":  {nil, next(fix), cool, "id: cool-jo\nversion: 1.0.0\nderived_from: cool@1.1.0\n", nil},
		"a new card":        {nil, next(nil), "cards/hot.yaml", "id: hot-jo\nversion: 1.0.0\nderived_from: hot@1.0.0\n", nil},
		"a card taken out":  {nil, made(t, "mei", "two", "1.1.0", []string{"cool", "mild"}, nil), "pack.yaml", "cards: [cards/cool.yaml, cards/mild.yaml]\n", nil},
		"taken out, mine":   {map[string][2]string{warm: {"10m", "5m"}}, made(t, "mei", "two", "1.1.0", []string{"cool", "mild"}, nil), warm, "5m", []string{"cards/warm.yaml:1: the parent has taken it out, you have changed it; it stays as you have it"}},
		"manifest's parent": {nil, next(fix), "pack.yaml", "derived_from: {pack: two@1.1.0, ", nil},
	} {
		m, err := Merge(base, c.next, remixed(t, base, c.mine))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := string(m.all()[c.file]); !strings.Contains(text, c.has) || !reflect.DeepEqual(m.Conflicts, c.conflicts) {
			t.Errorf("%s: conflicts %q\n%s", name, m.Conflicts, text)
		}
	}
	mine := remixed(t, base, nil)
	for name, c := range map[string]struct {
		base, next *scenes.Pack
		want       string
	}{
		"another parent":  {next(nil), next(nil), "is no remix of two@1.1.0"},
		"no later":        {base, base, "is no later version"},
		"another's pack":  {base, made(t, "eve", "two", "1.1.0", []string{"cool", "mild"}, nil), "the id or the key is another"},
		"another id":      {base, made(t, "mei", "three", "1.1.0", []string{"cool", "x"}, nil), "the id or the key is another"},
		"an older of its": {base, made(t, "mei", "two", "0.9.0", []string{"cool", "x"}, nil), "is no later version"},
	} {
		if _, err := Merge(c.base, c.next, mine); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// TestMergeNoCard holds that lines that go together, but make no card, are an
// error: one side takes an action out, the other the one beside it.
func TestMergeNoCard(t *testing.T) {
	base := made(t, "mei", "cool", "1.0.0", []string{"cool"}, func(name, text string) string {
		return strings.Replace(text, "then:\n", "then:\n  - {do: show_tip, with: {text: {en: A}}}\n\n# Between.\n\n", 1)
	})
	next := made(t, "mei", "cool", "1.1.0", []string{"cool"}, func(name, text string) string {
		return strings.Replace(text, "then:\n", "then:\n\n# Between.\n\n", 1)
	})
	mine := remixed(t, base, map[string][2]string{"cards/cool.yaml": {"  - {do: notify, with: {text: {en: Cool}}}\n", ""}})
	if m, err := Merge(base, next, mine); err == nil || !strings.Contains(err.Error(), "`then`") {
		t.Errorf("%v\n%s", err, m.Files["cards/cool.yaml"])
	}
}

// TestUpdate writes a merged remix into its directory and nothing else.
func TestUpdate(t *testing.T) {
	base := made(t, "mei", "cool", "1.0.0", []string{"cool"}, nil)
	next := made(t, "mei", "cool", "1.1.0", []string{"cool"}, func(_, text string) string { return strings.Replace(text, "10m", "20m", 1) })
	s, _, err := Of(base, "jo", "")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "mine")
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(dir); err == nil {
		t.Error("a directory that is there was written over")
	}
	if s, err = Read(dir); err != nil {
		t.Fatal(err)
	}
	m, err := Merge(base, next, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Update(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "cards/cool.yaml"))
	if err != nil || !strings.Contains(string(text), "cooldown: 20m") {
		t.Errorf("%v\n%s", err, text)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || left != nil {
		t.Errorf("left over: %q, %v", left, err)
	}
	if again, err := Read(dir); err != nil || again.Manifest.DerivedFrom.Pack != "cool@1.1.0" {
		t.Errorf("read again: %v", err)
	}
}

// TestMerge3 holds what a three-way merge must be, on random lines: without
// changes of one side the other's text; the same for both orders; and each line
// of the result is of one of the three.
func TestMerge3(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	edited := func(lines []string) (out []string) {
		for _, line := range lines {
			switch r.IntN(8) {
			case 0: // taken out
			case 1:
				out = append(out, line, fmt.Sprintf("new %d\n", r.IntN(9)))
			case 2:
				out = append(out, fmt.Sprintf("changed %d\n", r.IntN(9)))
			default:
				out = append(out, line)
			}
		}
		return out
	}
	clean := 0
	for range 3000 {
		var base []string
		for range r.IntN(12) {
			base = append(base, fmt.Sprintf("line %d\n", r.IntN(6)))
		}
		mine, theirs := edited(base), edited(base)
		if out, conflicts := merge3(base, mine, base); conflicts != nil || strings.Join(out, "") != strings.Join(mine, "") {
			t.Fatalf("%q, %q with no change of the other: %q", base, mine, out)
		}
		if out, conflicts := merge3(base, base, theirs); conflicts != nil || strings.Join(out, "") != strings.Join(theirs, "") {
			t.Fatalf("%q with %q: %q", base, theirs, out)
		}
		out, conflicts := merge3(base, mine, theirs)
		back, others := merge3(base, theirs, mine)
		if len(conflicts) != len(others) || conflicts == nil && strings.Join(out, "") != strings.Join(back, "") {
			t.Fatalf("%q, %q, %q: %q one way, %q the other", base, mine, theirs, out, back)
		}
		for _, line := range conflicts {
			if out[line-1] != markMine {
				t.Fatalf("line %d of %q begins no conflict", line, out)
			}
		}
		if conflicts == nil {
			clean++
		}
	}
	if clean < 300 {
		t.Errorf("%d merges without conflict; the lines say nothing", clean)
	}
}

// TestMergeLarge holds that long files are merged in bounded time and memory.
func TestMergeLarge(t *testing.T) {
	var base, mine []string
	for i := range 60_000 {
		base = append(base, fmt.Sprintf("%d\n", i))
		mine = append(mine, fmt.Sprintf("%d\n", 7*i))
	}
	if out, conflicts := merge3(base, mine, base); conflicts != nil || len(out) != len(mine) {
		t.Errorf("%d lines, %v", len(out), conflicts)
	}
}
