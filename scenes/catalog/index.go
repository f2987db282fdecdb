package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// IndexFile is the name of a site's index, and SignatureFile that of its
// signature, as minisign makes it.
const (
	IndexFile     = "catalog.jsonl"
	SignatureFile = IndexFile + ".minisig"
)

// Limits of an index.
const (
	maxIndex = 512 << 20 // bytes
	maxLine  = 1 << 20   // of one entry
	maxPacks = 100_000
)

// Index is what a catalogue has, and the hash of every file of its site: JSON
// Lines in one canonical form, so that the same site has the same index. First the
// head, then the packs in the catalogue's order, then the files by path.
type Index struct {
	Head  Head
	Items []Item
	Files []File
}

// Head is the first line.
type Head struct {
	Catalog int    `json:"catalog"` // version of this form: 1
	Title   string `json:"title"`
	Engine  string `json:"engine"` // that judged the packs
	Cars    []Car  `json:"cars"`   // that packs were tried on
	Packs   int    `json:"packs"`
	Files   int    `json:"files"`
}

// Car is a vehicle profile that packs were tried on.
type Car struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
}

// Item is what the index says of a pack.
type Item struct {
	Pack        string       `json:"pack"` // id
	Version     string       `json:"version"`
	SHA256      string       `json:"sha256"` // of its file
	Size        int          `json:"size"`   // of its file, bytes
	File        string       `json:"file"`   // its file, below the site
	Page        string       `json:"page"`
	Picture     string       `json:"picture,omitempty"`
	Key         string       `json:"key,omitempty"` // id of the key that signed it; empty: it is unsigned
	Author      string       `json:"author"`
	Licence     string       `json:"licence"`
	Engine      string       `json:"engine"` // that it needs at least
	Expires     string       `json:"expires,omitempty"`
	Title       Title        `json:"title"`
	DerivedFrom *Parent      `json:"derived_from,omitempty"`
	Newest      bool         `json:"newest"` // of its author's versions here
	Remixes     int          `json:"remixes"`
	Cards       []Member     `json:"cards"`
	Reads       []string     `json:"reads"`
	Touches     []string     `json:"touches"`
	Needs       []string     `json:"needs"`
	Scenarios   int          `json:"scenarios"`
	Cars        []Verdict    `json:"cars"`              // parallel to Head.Cars
	Adopted     *AdoptedPack `json:"adopted,omitempty"` // none: no study tells, or too few cars
}

// Title is a text in the two languages.
type Title struct {
	En string `json:"en"`
	Zh string `json:"zh"`
}

// Parent is the pack that another is a remix of, as its author says.
type Parent struct {
	Pack   string `json:"pack"` // id@version
	SHA256 string `json:"sha256"`
	Author string `json:"author"`
	Here   bool   `json:"here"` // it is in the catalogue
}

// Member is a card of a pack.
type Member struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
}

// Verdict is what became of a pack on a car.
type Verdict struct {
	Runs   bool `json:"runs"`   // its cards fit the profile
	Passed int  `json:"passed"` // of its scenarios
}

// File is a file of the site.
type File struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func fileOf(name string, data []byte) File { return File{name, int64(len(data)), hash(data)} }

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Bytes is the index in its canonical form.
func (x *Index) Bytes() []byte {
	var b bytes.Buffer
	line := func(v any) { b.Write(append(marshal(v), '\n')) }
	line(&x.Head)
	for i := range x.Items {
		line(&x.Items[i])
	}
	for i := range x.Files {
		line(&x.Files[i])
	}
	return b.Bytes()
}

// marshal writes JSON in one line, <, > and & escaped: it is read by scripts too.
func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of strings, numbers, lists and structs
	}
	return text
}

var (
	pathText = regexp.MustCompile(`^[a-z0-9][a-z0-9._+~-]*(/[a-zA-Z0-9][a-zA-Z0-9._+~-]*)?$`)
	hashText = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ParseIndex reads an index; anything but what Bytes writes is an error.
func ParseIndex(text []byte) (*Index, error) {
	if len(text) > maxIndex {
		return nil, fmt.Errorf("%s: is longer than %d MiB", IndexFile, maxIndex>>20)
	}
	x := &Index{}
	var n int
	next := func(v any) error {
		n++
		line, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return fmt.Errorf("%s:%d: ends here; it was cut", IndexFile, n)
		}
		if text = rest; len(line) > maxLine {
			return fmt.Errorf("%s:%d: is longer than %d bytes", IndexFile, n, maxLine)
		}
		if err := exactly(line, v); err != nil {
			return fmt.Errorf("%s:%d: %w", IndexFile, n, err)
		}
		return nil
	}
	if err := next(&x.Head); err != nil {
		return nil, err
	}
	if err := x.Head.check(); err != nil {
		return nil, fmt.Errorf("%s:1: %w", IndexFile, err)
	}
	for range x.Head.Packs {
		var item Item
		if err := next(&item); err != nil {
			return nil, err
		}
		if len(item.Cars) != len(x.Head.Cars) {
			return nil, fmt.Errorf("%s:%d: tells of %d cars, the head of %d", IndexFile, n, len(item.Cars), len(x.Head.Cars))
		}
		x.Items = append(x.Items, item)
	}
	for range x.Head.Files {
		var f File
		if err := next(&f); err != nil {
			return nil, err
		}
		if err := f.check(x.Files); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", IndexFile, n, err)
		}
		x.Files = append(x.Files, f)
	}
	if len(text) > 0 {
		return nil, fmt.Errorf("%s:%d: is one line too many: the head tells of %d packs and %d files", IndexFile, n+1, x.Head.Packs, x.Head.Files)
	}
	return x, nil
}

// exactly reads a line that is what marshal writes for its value.
func exactly(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("is not an entry of a catalogue: %w", err)
	}
	if !bytes.Equal(marshal(v), line) {
		return errors.New("is not written as a catalogue writes it; it was changed")
	}
	return nil
}

func (h *Head) check() error {
	switch {
	case h.Catalog != 1:
		return fmt.Errorf("catalogue of version %d; this program reads version 1", h.Catalog)
	case h.Packs < 0 || h.Packs > maxPacks:
		return fmt.Errorf("tells of %d packs; a catalogue has at most %d", h.Packs, maxPacks)
	case h.Files < 0 || len(h.Cars) > maxCars:
		return fmt.Errorf("tells of %d files and %d cars; a catalogue has at most %d cars", h.Files, len(h.Cars), maxCars)
	}
	return nil
}

// check holds a file's path and hash to what a site has, and its order after those
// before it.
func (f *File) check(before []File) error {
	switch {
	case !pathText.MatchString(f.Path) || path.Clean(f.Path) != f.Path || strings.Contains(f.Path, ".."):
		return fmt.Errorf("`%s` is no path of a catalogue", f.Path)
	case !hashText.MatchString(f.SHA256) || f.Size < 0:
		return fmt.Errorf("`%s` has no right hash and size", f.Path)
	case len(before) > 0 && before[len(before)-1].Path >= f.Path:
		return fmt.Errorf("`%s` is out of order, or twice", f.Path)
	}
	return nil
}
