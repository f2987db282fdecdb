package yaml

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	oracle "go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// wide are limits that documents of tests keep.
var wide = Limits{Depth: 24, Nodes: 100_000}

// narrower are the refusals of what the library reads: each begins a fault's text,
// or is in it.
var narrower = []string{
	"anchor `", "alias `", "tag `", "directives such as %YAML", "keys with `?`", "a `?` in brackets", "the line break U+", "the byte order mark", "is nested more than", "is empty; ", "a tab cannot indent", "is not UTF-8 text", "must stand in the line",
}

// errSecond is a stream of two documents, which the formats do not have.
var errSecond = errors.New("a second document")

// byLibrary reads a document with the library; nil: there is none.
func byLibrary(text string) (*oracle.Node, error) {
	var doc, second oracle.Node
	d := oracle.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	switch err := d.Decode(&second); {
	case err == nil:
		return nil, errSecond
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	if len(doc.Content) == 0 {
		return nil, io.EOF
	}
	return doc.Content[0], nil
}

// styles are the library's for ours.
var styles = map[Style]oracle.Style{DoubleQuotedStyle: oracle.DoubleQuotedStyle, SingleQuotedStyle: oracle.SingleQuotedStyle,
	LiteralStyle: oracle.LiteralStyle, FoldedStyle: oracle.FoldedStyle, FlowStyle: oracle.FlowStyle}

var kinds = map[Kind]oracle.Kind{ScalarNode: oracle.ScalarNode, SequenceNode: oracle.SequenceNode, MappingNode: oracle.MappingNode}

// differ says how our tree is another than the library's; empty: not.
func differ(ours *Node, theirs *oracle.Node) string {
	tag := theirs.Tag
	if tag == "!!timestamp" {
		tag = "!!str"
	}
	if kinds[ours.Kind] != theirs.Kind || styles[ours.Style] != theirs.Style || ours.Tag != tag || ours.Value != theirs.Value ||
		ours.Line != theirs.Line || ours.Column != theirs.Column || len(ours.Content) != len(theirs.Content) {
		return fmt.Sprintf("ours   %+v\ntheirs %+v", *ours, *theirs)
	}
	for i, c := range ours.Content {
		if d := differ(c, theirs.Content[i]); d != "" {
			return d
		}
	}
	return ""
}

// compare holds a text against the library: what we read it reads alike, and what
// only it reads we refuse by name.
func compare(t *testing.T, text string) {
	t.Helper()
	ours, faults := Parse(text, wide)
	for _, f := range faults {
		if lines := strings.Count(text, "\n") + 1; f.Line < 1 || f.Line > lines || f.Column < 1 || f.What == "" || strings.Contains(f.What, "%!") && !strings.Contains(text, "%!") {
			t.Errorf("fault %+v in a text of %d lines", f, lines)
		}
	}
	if ours == nil && len(faults) == 0 {
		t.Fatal("neither a value nor a fault")
	}
	theirs, err := byLibrary(text)
	switch {
	case len(faults) == 0 && err != nil:
		t.Fatalf("the library refuses what we read: %v", err)
	case len(faults) == 0:
		if d := differ(ours, theirs); d != "" {
			t.Fatal(d)
		}
	case err == nil:
		for _, refusal := range narrower {
			if strings.Contains(faults[0].What, refusal) {
				return
			}
		}
		t.Fatalf("only the library reads it; we say %v", faults)
	}
}

// FuzzAgainstLibrary holds this reader against go.yaml.in/yaml/v3.
func FuzzAgainstLibrary(f *testing.F) {
	for _, text := range features {
		f.Add(text)
	}
	for _, text := range written(f) {
		if len(text) < 2_000 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) < 1<<14 {
			compare(t, text)
		}
	})
}

// written are the YAML and JSON texts of the repository, those in archives too, by
// name.
func written(t testing.TB) map[string]string {
	texts := map[string]string{}
	add := func(name, text string) {
		if e := filepath.Ext(name); e == ".yaml" || e == ".yml" || e == ".json" {
			texts[name] = text
		}
	}
	err := filepath.WalkDir("../..", func(path string, e os.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // another test's, which is gone
			return nil
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") && len(e.Name()) > 2 || path == "../../bin" || path == "../../build"):
			return filepath.SkipDir
		case e.IsDir():
			return nil
		}
		if e := filepath.Ext(path); e != ".yaml" && e != ".yml" && e != ".json" && e != ".txtar" {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		add(path, string(text))
		if filepath.Ext(path) == ".txtar" {
			for _, file := range txtar.Parse(text).Files {
				add(path+" "+file.Name, string(file.Data))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestWritten holds every text of the repository against the library.
func TestWritten(t *testing.T) {
	texts := written(t)
	read := 0
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			compare(t, text)
			if n, faults := Parse(text, wide); n != nil && faults == nil {
				read++
			}
		})
	}
	if read < 400 {
		t.Errorf("%d of %d texts were read; want 400", read, len(texts))
	}
}
