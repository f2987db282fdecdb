//go:build oracle

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vignette/scenes"
	"vignette/scenes/sign"
)

// seededKey is a key that is always the same.
func seededKey(t *testing.T, seed int) *sign.SecretKey {
	t.Helper()
	k, err := sign.GenerateKey(strings.NewReader(strings.Repeat(fmt.Sprintf("%08d", seed), 8)))
	if err != nil {
		t.Fatal(err)
	}
	return &k
}

// TestTenThousandPacks checks a directory of 10,000 packs, of which one in a
// hundred is broken, by a trust list of 2,000 authors, and shows 1,000 and draws
// their family: within two minutes each, and in memory that does not grow with
// their contents.
func TestTenThousandPacks(t *testing.T) {
	const packs, some, authors = 10_000, 1_000, 2_000
	dir := t.TempDir()
	part := filepath.Join(dir, "part")
	if err := os.Mkdir(part, 0o700); err != nil {
		t.Fatal(err)
	}
	unlike := strings.NewReplacer("0", "a", "1", "b") // no two digits that look alike
	var list scenes.Trust
	for i := range authors {
		list.Authors = append(list.Authors, scenes.TrustedAuthor{Author: "a-" + unlike.Replace(fmt.Sprintf("%04d", i)), Key: seededKey(t, i).Public()})
	}
	trustFile := filepath.Join(dir, "trust.yaml")
	if err := os.WriteFile(trustFile, list.Text(), 0o600); err != nil {
		t.Fatal(err)
	}
	var last []byte
	for i := range packs {
		if i%100 == 0 { // the others are the same file under other names
			id := fmt.Sprintf("pack-%d", i)
			source := fstest.MapFS{"pack.yaml": {Data: fmt.Appendf(nil, "schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: A}\nauthor: %s\nlicence: MIT\ncards: [a.yaml]\n", id, list.Authors[i%authors].Author)},
				"a.yaml": {Data: fmt.Appendf(nil, "schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: A}\nwhen: [{ignition: on}]\nthen: [{do: notify, with: {text: {en: A}}}]\n", id)}}
			var err error
			if last, err = scenes.MakePack("x", source, seededKey(t, i%authors)); err != nil {
				t.Fatal(err)
			}
		}
		data := last
		if i%100 == 99 {
			data = bytes.Replace(last, []byte("MIT"), []byte("BSD"), 1)
		}
		name := fmt.Sprintf("%05d.vpack", i)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if i < some {
			if err := os.Link(filepath.Join(dir, name), filepath.Join(part, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		args         []string
		lines, wrong int
	}{
		{[]string{"pack", "verify", "--trust", trustFile, dir}, packs - packs/100, packs / 100},
		{[]string{"pack", "show", "--json", "--trust", trustFile, part}, some - some/100, some / 100},
		{[]string{"pack", "log", part}, some / 100, some / 100},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var out, errs bytes.Buffer
		began := time.Now()
		code := run(c.args, &out, &errs)
		took := time.Since(began)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if code != exitFailed || strings.Count(out.String(), "\n") != c.lines || strings.Count(errs.String(), "does not fit") != c.wrong {
			t.Errorf("%q: exit code %d, %d lines, %d refused", c.args[:2], code, strings.Count(out.String(), "\n"), strings.Count(errs.String(), "does not fit"))
			t.Logf("%.300s", &errs)
		}
		grown := int64(after.Sys) - int64(before.Sys)
		t.Logf("%q: %v, %d KiB more of the system", c.args[:2], took.Round(time.Millisecond), grown>>10)
		if took > 2*time.Minute || grown > 64<<20 {
			t.Errorf("%q: took %v and %d bytes", c.args[:2], took, grown)
		}
	}
}
