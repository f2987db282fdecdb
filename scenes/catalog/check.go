package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"vignette/scenes/sign"
)

// Report is what a check of a site found.
type Report struct {
	Index  *Index
	Key    string // id of the key that signed the index; empty: it is unsigned
	Faults []string
}

// Check holds a site to its index: the signature, by one of keys if there are any;
// every file's hash, and that there is no other file; that every page is there and
// every link leads to a file of the site; and that nothing refers to a network. The
// error is of an index that is not to be trusted, or of the disk; nothing else is
// looked at then.
func Check(dir string, keys []sign.PublicKey, progress func(done, of int)) (*Report, error) {
	x, key, err := Open(dir, keys)
	if err != nil {
		return nil, err
	}
	r := &Report{Index: x, Key: key}
	c := checker{dir: dir, paths: map[string]bool{IndexFile: true, SignatureFile: r.Key != ""}}
	for _, f := range r.Index.Files {
		c.paths[f.Path] = true
	}
	faults := make([][]string, len(r.Index.Files))
	var done atomic.Int64
	each(len(faults), func(i int) {
		faults[i] = c.file(&r.Index.Files[i])
		if n := done.Add(1); progress != nil {
			progress(int(n), len(faults))
		}
	})
	r.Faults = slices.Concat(faults...)
	r.Faults = append(r.Faults, c.items(r.Index)...)
	strangers, err := c.strangers()
	r.Faults = append(r.Faults, strangers...)
	return r, err
}

// Open reads the index of a site. With keys its signature must be one of theirs;
// key is the id of the one that made it, empty if there is no signature.
func Open(dir string, keys []sign.PublicKey) (x *Index, key string, err error) {
	text, err := readSome(filepath.Join(dir, IndexFile), maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%s has no %s, so it is no catalogue; name the directory that vignette catalog build has made", dir, IndexFile)
	}
	if err != nil {
		return nil, "", err
	}
	if key, err = signedBy(dir, text, keys); err != nil {
		return nil, "", err
	}
	x, err = ParseIndex(text)
	return x, key, err
}

// signedBy checks the index's signature. Without keys the one that made it need not
// be known: then nobody but the index says who made it.
func signedBy(dir string, text []byte, keys []sign.PublicKey) (string, error) {
	sig, err := readSome(filepath.Join(dir, SignatureFile), 4096)
	if errors.Is(err, fs.ErrNotExist) && keys == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s, err := sign.ParseSignature(sig)
	if err != nil {
		return "", fmt.Errorf("%s: %w", SignatureFile, err)
	}
	if keys == nil {
		return s.KeyID.String(), nil
	}
	if err := s.Verify(keys, text); err != nil {
		return "", fmt.Errorf("%s: %w", SignatureFile, err)
	}
	return s.KeyID.String(), nil
}

var errLong = errors.New("is too long")

// readSome reads a file of at most so many bytes.
func readSome(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", name, errLong, most)
	}
	return text, err
}

// checker checks the files of a site.
type checker struct {
	dir   string
	paths map[string]bool
}

// file checks one file, and what it refers to.
func (c *checker) file(f *File) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, f.Path+": "+fmt.Sprintf(format, args...)) }
	data, err := readSome(filepath.Join(c.dir, filepath.FromSlash(f.Path)), f.Size)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fault("is missing")
		return faults
	case err != nil && !errors.Is(err, errLong):
		fault("%v", err)
		return faults
	case err != nil || int64(len(data)) != f.Size || hash(data) != f.SHA256:
		fault("is not what the index says; it was changed")
	}
	switch path.Ext(f.Path) {
	case ".html":
		c.page(f.Path, data, fault)
	case ".css":
		if m := strangeStyle.Find(data); m != nil {
			fault("loads something: %q", m)
		}
	case ".js":
		checkScript(f.Path, data, fault)
	case ".svg":
		if m := strangeDrawing.Find(data); m != nil {
			fault("is more than a drawing: %q", m)
		}
	}
	return faults
}

var (
	strangeStyle   = regexp.MustCompile(`(?i)url\s*\(|@import|image-set|//`)
	strangeDrawing = regexp.MustCompile(`(?i)<script|\bon[a-z]+\s*=|href|url\s*\(|<foreignObject|<style|<!`)
	strangeScript  = regexp.MustCompile(`https?:|wss?:|\bfetch\b|XMLHttpRequest|WebSocket|EventSource|sendBeacon|\bimport\b|\beval\b|\bFunction\b|innerHTML|document\.write|Worker|WebTransport|RTCPeer`)
)

// checkScript holds a script to what it may be: data are JSON in one call, and the
// catalogue's own script names nothing by which it could reach a network.
func checkScript(name string, data []byte, fault func(string, ...any)) {
	if !strings.HasPrefix(name, "data/") {
		if m := strangeScript.Find(data); m != nil {
			fault("can do what no catalogue needs: %q", m)
		}
		return
	}
	inner, ok := bytes.CutSuffix(data, []byte(");\n"))
	_, inner, call := bytes.Cut(inner, []byte("("))
	if head := string(data[:len(data)-len(inner)-len(");\n")]); !ok || !call || !slices.Contains([]string{"vignette.list(", "vignette.words(", "vignette.needs("}, head) || !json.Valid(inner) {
		fault("is more than data")
	}
}

// head is how every page begins, up to its policy.
var head = regexp.MustCompile(`^<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n` + regexp.QuoteMeta(`<meta http-equiv="Content-Security-Policy" content="`) + `([^"]*)">`)

var (
	tagText  = regexp.MustCompile(`<([a-zA-Z!?/][^\s>]*)((?:\s+[^\s=>]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?)*)\s*/?>`)
	attrText = regexp.MustCompile(`([^\s=>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

// tags are those that pages have.
var tags = strings.Fields("!doctype a article b bdi body button code dd details div dl dt fieldset footer form h1 h2 h3 h4 head header html img input label legend li link main meta nav noscript ol option p script section select span summary title ul")

// page checks a page: its policy, that it has no other tags than ours do, that
// nothing in it runs, and that what it refers to is there.
func (c *checker) page(name string, data []byte, fault func(string, ...any)) {
	m := head.FindSubmatch(data)
	if m == nil || html.UnescapeString(string(m[1])) != policy {
		fault("has not the policy of a catalogue's pages")
	}
	rest := tagText.ReplaceAll(data, nil)
	if i := bytes.IndexAny(rest, "<>"); i >= 0 {
		fault("has a tag that cannot be read, near %q", rest[max(0, i-20):min(len(rest), i+20)])
	}
	for _, m := range tagText.FindAllSubmatch(data, -1) {
		tag := strings.ToLower(strings.TrimPrefix(string(m[1]), "/"))
		if !slices.Contains(tags, tag) {
			fault("has a tag <%s>", tag)
		}
		for _, a := range attrText.FindAllSubmatch(m[2], -1) {
			c.attribute(name, tag, strings.ToLower(string(a[1])), html.UnescapeString(string(a[2])+string(a[3])+string(a[4])), fault)
		}
	}
	if inline.Match(data) {
		fault("has a script or style of its own")
	}
}

// inline finds scripts and styles with a content.
var inline = regexp.MustCompile(`(?is)<style|<script[^>]*>\s*[^\s<]`)

// attribute checks an attribute of a tag.
func (c *checker) attribute(page, tag, name, value string, fault func(string, ...any)) {
	switch {
	case strings.HasPrefix(name, "on") || name == "style" || name == "srcdoc":
		fault("<%s> has the attribute %s", tag, name)
	case name == "href" && strings.HasPrefix(value, "#"):
	case name == "href" || name == "src":
		to := path.Join(path.Dir(page), value)
		if strings.ContainsAny(value, ":?\\") || strings.HasPrefix(value, "/") || strings.Contains(value, "//") || !c.paths[to] {
			fault("<%s> refers to %q, which is no file of the site", tag, value)
		}
	case slices.Contains([]string{"action", "formaction", "srcset", "data", "poster", "background", "cite", "ping", "manifest", "longdesc", "xlink:href"}, name):
		fault("<%s> has the attribute %s", tag, name)
	case name == "http-equiv" && value != "Content-Security-Policy":
		fault("<meta> sets %q", value)
	}
}

// items checks that what the index says of packs is there.
func (c *checker) items(x *Index) (faults []string) {
	sums := map[string]string{}
	for _, f := range x.Files {
		sums[f.Path] = f.SHA256
	}
	for _, it := range x.Items {
		for _, name := range []string{it.File, it.Page, it.Picture} {
			if name != "" && !c.paths[name] {
				faults = append(faults, fmt.Sprintf("%s: %s@%s has no file %q", IndexFile, it.Pack, it.Version, name))
			}
		}
		if sum, ok := sums[it.File]; ok && sum != it.SHA256 {
			faults = append(faults, fmt.Sprintf("%s: is not the pack %s@%s that the index tells of", it.File, it.Pack, it.Version))
		}
	}
	for _, name := range []string{"index.html", "catalog.js", "catalog.css", listName(1)} {
		if !c.paths[name] {
			faults = append(faults, IndexFile+": has no "+name)
		}
	}
	return faults
}

// strangers are files that the index does not name.
func (c *checker) strangers() (faults []string, err error) {
	err = filepath.WalkDir(c.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(c.dir, name)
		if rel = filepath.ToSlash(rel); err == nil && (!c.paths[rel] || !e.Type().IsRegular()) {
			faults = append(faults, rel+": is not in the index, or no plain file")
		}
		return err
	})
	return faults, err
}
