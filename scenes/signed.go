package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"sort"
	"time"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Head is what the signed cards of the dialogue with drivers have alike: study
// cards and answer cards.
type Head struct {
	File    string // as given to the function that read it
	SHA256  string // of the card's bytes, hexadecimal
	Signed  bool   // its signature was checked; false on a desk
	ID      string
	Version int // only grows; at most 65535
	Title   Texts

	pos Pos // of the id
}

// Card is the head itself.
func (h *Head) Card() *Head { return h }

// Signable is a study card or an answer card.
type Signable interface {
	Card() *Head
	// Warnings is what is most likely a mistake in a card that can be read.
	Warnings() Diagnostics
}

// headKeys are the keys of a head; head finds it in what is read.
func headKeys[T any](head func(t *T) *Head) []key[T] {
	return []key[T]{
		{"schema", required, func(r *reader, n *yaml.Node, t *T) { r.schema(n) }},
		{"id", required, func(r *reader, n *yaml.Node, t *T) { head(t).ID, head(t).pos = r.pattern(n, idText, idWant), at(n) }},
		{"version", required, func(r *reader, n *yaml.Node, t *T) { head(t).Version = r.whole(n, 1, maxStudyID) }},
		{"title", required, func(r *reader, n *yaml.Node, t *T) { head(t).Title = r.bothTexts(n, "`title`") }},
	}
}

// date reads a day; it is 00:00 of it in UTC, the zero time if it is wrong.
func (r *reader) date(n *yaml.Node) time.Time {
	text := r.pattern(n, dateText, dateWant)
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		r.wrong(n, "`%s` is no day of the calendar; correct it", text)
	}
	return day
}

// bothTexts reads a text for drivers: in English and in Chinese, at least.
func (r *reader) bothTexts(n *yaml.Node, what string) Texts {
	ts := r.texts(n, what)
	if _, ok := ts["zh"]; !ok && n.Kind == yaml.MappingNode && r.shapes == nil {
		r.fault(n, "%s has no Chinese text; add `zh`", what)
	}
	return ts
}

// signable is a kind of signed card: how it is called and read.
type signable[C Signable] struct {
	what      string // "study"
	mostBytes int64
	most      int // cards
	parse     func(file string, text []byte) (C, error)
}

// load reads a card if its signature, the file path.minisig beside it, is one of
// keys'; nil keys are a desk's, which asks for none.
func (k *signable[C]) load(path string, keys []sign.PublicKey) (c C, err error) {
	text, err := load(path, k.mostBytes)
	if err == nil && keys != nil {
		err = verify(path, text, keys)
	}
	if err != nil {
		return c, err
	}
	read, err := k.parse(path, text)
	if err != nil {
		return c, err
	}
	read.Card().Signed = keys != nil
	return read, nil
}

// asked are keys that are asked for, even if there are none.
func asked(keys []sign.PublicKey) []sign.PublicKey {
	if keys == nil {
		return []sign.PublicKey{}
	}
	return keys
}

// loadAll reads the cards of files and of directories' *.yaml, *.yml and *.json,
// which may be none, with read. Those that can be read are returned by id, each
// once; the error tells of the others.
func (k *signable[C]) loadAll(paths []string, read func(path string) (C, error)) ([]C, error) {
	var list []C
	var diags Diagnostics
	var others error // of signatures and of the disk
	for _, path := range paths {
		files, err := SignedFiles(path)
		others = errors.Join(others, err)
		for _, file := range files {
			c, err := read(file)
			switch {
			case errors.As(err, &Diagnostics{}):
				diags.merge(file, err)
			case err != nil:
				others = errors.Join(others, err)
			default:
				list = k.insert(list, c, &diags)
			}
		}
	}
	if len(list) > k.most {
		diags.add(list[k.most].Card().File, Pos{}, "is one of %d %s cards, at most %d are read; take some out", len(list), k.what, k.most)
		list = list[:k.most]
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Card().ID < list[j].Card().ID })
	return list, errors.Join(diags.err(), others)
}

// insert adds a card whose id is not there yet.
func (k *signable[C]) insert(list []C, c C, diags *Diagnostics) []C {
	h := c.Card()
	for _, o := range list {
		if o := o.Card(); o.ID == h.ID {
			diags.add(h.File, h.pos, "%s id `%s` is already used by %s; keep one version of a %s", k.what, h.ID, o.File, k.what)
			return list
		}
	}
	return append(list, c)
}

// SignedFiles lists the study or answer cards at a path: the file itself, or the
// card files of a directory.
func SignedFiles(path string) (files []string, err error) {
	if !isDir(path) {
		return []string{filepath.Clean(path)}, nil
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if IsCardFile(e.Name()) && !e.IsDir() {
			files = append(files, filepath.Join(path, e.Name()))
		}
	}
	return files, err
}
