package catalog

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"vignette/scenes"
	"vignette/scenes/explain"
	containers "vignette/scenes/pack"
)

// maxCars is how many vehicle profiles a catalogue may try packs on.
const maxCars = 16

// entry is all that the site says of a pack.
type entry struct {
	Item
	source     string      // its file, as given
	hasPicture bool        // else one is drawn
	cards      []cardWords // in the pack's order
	on         []trial     // parallel to the cars
	topics     int         // bits
	drawn      string      // path of the picture that is drawn
	summary    [2]summary  // by language
	parent     *entry      // nil: none, or not here
	remixes    []*entry    // whose parent it is
	keys       int         // that packs here under its author's name are signed with; none is one too
	others     []*entry    // other versions of the same author's, the newest first
}

// summary is a pack in a line each: when its first card acts, and what it does
// first.
type summary struct{ When, Then string }

// cardWords is a card in plain words.
type cardWords struct {
	ID, Version string
	Title       [2]string
	Parts       [2][]part
}

// part is a heading with lines, or lines without a heading.
type part struct {
	Head    string
	Lines   []string
	Ordered bool // they are numbered
}

// trial is what became of a pack on a car.
type trial struct {
	Verdict
	Lacks []lack    // why its cards do not fit
	Reach [2][]part // what they can touch there
	Fails []string  // what its scenarios missed
}

// lack is something that a car lacks, by language, and what it could take instead.
type lack struct {
	What    [2]string
	Instead []string
}

var languages = [2]explain.Language{explain.English, explain.Chinese}

// cardOf puts a card into words.
func cardOf(c *scenes.Card) cardWords {
	w := cardWords{ID: c.ID, Version: c.Version}
	for i, l := range languages {
		title, text, _ := strings.Cut(explain.Card(c, l), "\n")
		w.Title[i], w.Parts[i] = title, parts(text)
	}
	return w
}

// parts reads what explain writes: headings, and the lines below them two spaces in.
func parts(text string) (list []part) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if inner, ok := strings.CutPrefix(line, "  "); ok && len(list) > 0 {
			p := &list[len(list)-1]
			p.Ordered = numbered.MatchString(inner)
			p.Lines = append(p.Lines, numbered.ReplaceAllString(inner, ""))
		} else {
			list = append(list, part{Head: line})
		}
	}
	for i := range list { // a line alone is no heading
		if list[i].Lines == nil {
			list[i] = part{"", []string{list[i].Head}, false}
		}
	}
	return list
}

var numbered = regexp.MustCompile(`^[0-9]+\. `)

// summaryOf is the first of a card's triggers, and its first step.
func summaryOf(c *cardWords, lang int) (s summary) {
	var heads []part
	for _, p := range c.Parts[lang] {
		if p.Head != "" {
			heads = append(heads, p)
		}
	}
	if len(heads) > 1 {
		s.When, s.Then = heads[0].Lines[0], heads[len(heads)-1].Lines[0]
	}
	return s
}

// disguised finds a character in a text that could make it look other than it is:
// controls, and those that turn the direction of writing.
func disguised(text string) error {
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return fmt.Errorf("a text has the character U+%04X, which could hide what it says: %+q", r, text)
		}
	}
	return nil
}

// plain holds all texts of a pack to disguised.
func (e *entry) plain() error {
	texts := []string{e.Title.En, e.Title.Zh}
	for i := range e.cards {
		for lang := range languages {
			texts = append(texts, e.cards[i].Title[lang])
			for _, part := range e.cards[i].Parts[lang] {
				texts = append(texts, part.Lines...)
			}
		}
	}
	for _, t := range texts {
		if err := disguised(t); err != nil {
			return err
		}
	}
	return nil
}

// finish fills what follows from the rest.
func (e *entry) finish() error {
	if len(e.cards) == 0 {
		return fmt.Errorf("has no cards")
	}
	e.Cars = []Verdict{}
	for _, t := range e.on {
		e.Cars = append(e.Cars, t.Verdict)
	}
	for lang := range languages {
		e.summary[lang] = summaryOf(&e.cards[0], lang)
	}
	var first int
	e.topics, first = topicsOf(e.Touches, e.Reads)
	e.drawn = art(e.Pack, first)
	name := e.Pack + "-" + strings.ReplaceAll(e.Version, "+", "~") + "-" + e.SHA256[:8]
	e.File, e.Page = "packs/"+name+containers.Ext, "pages/"+name+".html"
	if e.hasPicture {
		e.Picture = "pictures/" + name + ".png"
	}
	return e.plain()
}
