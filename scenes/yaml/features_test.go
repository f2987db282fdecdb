package yaml

import "testing"

// features are texts with each part of YAML that is read or refused.
var features = []string{
	"", "a", "a: b", "a: 1\nb: 2.5\nc: true\nd: ~\ne:\nf: null\ng: 0x1F\nh: 1_000\ni: .5\nj: -.inf\nk: .nan\nl: 1e400\nm: 2026-03-31\nn: yes\n",
	"a:\n  b:\n    c: d\n  e: f\ng: h\n", "- a\n- b\n-\n- - c\n  - d\n- e: f\n  g: h\n", "a:\n- b\n- c\nd:\n  - e\n", "a:\n  - b: c\n    d: e\n  -\n    f: g\n",
	"{a: b, 'c': \"d\", e: , f, g: {h: i}, j: [k, l, ], }", "[a, b: c, {d}, [e, [f]], ]", "[a: , b:]", "{\"a\":1,\"b\":[true,null,\"x\\u00e9\"]}", "{a:1}", "{a :b}", "[a,\n b\n,c]\n",
	"a: 'it''s'\nb: \"\\t\\x41\\u00e9\\U0001F600\\\\ \\\"\\e\\0\\N\\_\\L\\P\\/\"\n", "a: \"one\n  two\n\n  three\\\n   four \\\n\n five\"\n", "a: 'one\n  two\n\n three '\n",
	"a: one\n  two\n\n  three # comment\nb: c\n", "a: one\ntwo: three\n", "a\nb: c", "a: |\n  one\n   two\n\n  three\n\n\nb: >-\n  one\n  two\n\n   three\n  four\nc: |+\n  x\n\nd: |2-\n    y\n",
	"a: >\n\n  x\n", "a: |\n", "a: |x\n", "- |\n x\n- >1\n  y\n", "--- \na: b\n...\n", "--- a\n", "--- |\n a\n", "---\n---\n", "a\n---\nb\n", "a\n...\nb\n", "%YAML 1.1\n---\na: b\n", "...\n",
	"# c\na: b # c\n# d\n\n#e\nc: d#e\n", "a:#b", "a: #b\n  c", "[a#b, c #d\n]#e\n", "a: &x b\nc: *x\n", "&x a: b\n", "a: !!str b\n", "!x [a]\n", "? a\n: b\n", "[? a : b]", "[what?]", "a: what?\n",
	"<<: a\n", "{<<: b}", "a: b: c", "a: - b", "- a\nb: c", "a: b\n- c", "a:\n    b: c\n  d: e\n", "a: b\n  c: d\n", "a:\tb\n", "\ta: b\n", "a:\n\tb: c\n", "-\ta\n", "a: b\t\n", "a: b\n  \t# c\n", "a: [\tb,\n\tc]\n",
	"a: b\r\nc:\r\n  - d\r\n", "a: 'x\r\n  y'\r\nb: |\r\n  z\r\n", "a\rb", "a: x\u0085b\n", "a: x\u2028y\n", "\uFEFFa: b\n", "a: \uFEFFb\n", "a: b\n\uFEFFc: d\n", "a: \uFEFF\nb", "é: ü\nb: [é, ö]\n", "a: [", "a: {b", "[a}", "]", "}", ", a", "[,]", "[a,,b]", "{,}",
	"@a", "`a", "%a", "a: %b", "a: @b", "- - - a\n    - b\n  - c\n", "'a': b\n\"c\": d\n[e]: f\n{g: h}: i\n", "\"a\n b\": c\n", "a: \"b\" c\n", "a: [b] c\n", "a: \"b\"\n c: d\n", ": a\n", "a:\n:\n", "a: 'b", "a: \"b\\q\"", "a: \"\\ud83d\"",
	"\x00", "a: \x7f", "\xff", "a: b\n ", "a: |\n  b", "a: |\n\t b", "a: ---\n", "a: '\n---\n'\n", "[a,\n---\n]", "[a,\n- b]", "[|, b]", "-a: b\n", "?a: b\n", ":a: b\n", "a:\n|\n b", "-\n|\n b", "a:\n  |\n  b", "-", "- ", "a: -\n", "a: -b\n", "[-, a]", "[-]", "0b-1", "-0o7", "+.Inf", "0777", "08", "+1", "1__0", "0x", "._1", "1.", ".5e3",
}

func TestFeatures(t *testing.T) {
	for _, text := range features {
		t.Run(text, func(t *testing.T) { compare(t, text) })
	}
}
