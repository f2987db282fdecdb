package scenes

import (
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Card is a scene card as written, with the place of everything in it.
type Card struct {
	File        string // as given to LoadCards or ParseCard
	SHA256      string // of the card's bytes, hexadecimal
	ID          string
	Version     string // semantic version, such as 1.2.0
	Title       Texts
	When        []Trigger // at least one
	OnlyIf      []Cond    // top-level clauses, all must be true
	Then        []Step    // at least one
	Cooldown    time.Duration
	Priority    int  // -10 to 10
	Restart     bool // reentry: restart
	Manual      bool // the driver may run it by hand
	OnBoot      engine.OnBoot
	DerivedFrom string // id@version of the card that this one is a remix of; empty: none
	Pos         Pos    // of the id
	Off         bool   // it was installed: disabled for every user until he enables this version
	From        *Pack  // that it came in; nil: it came as a file of its own
}

// Arg is one argument of a do.
type Arg struct {
	Name  Name
	Texts Texts   // for a localized parameter
	Value Literal // for any other
}

// cardKeys is the table of a card's keys.
func cardKeys() object[Card] {
	return object[Card]{"the card", []key[Card]{
		{"schema", required, func(r *reader, n *yaml.Node, c *Card) { r.schema(n) }},
		{"id", required, func(r *reader, n *yaml.Node, c *Card) { c.ID, c.Pos = r.pattern(n, idText, idWant), at(n) }},
		{"version", required, func(r *reader, n *yaml.Node, c *Card) {
			c.Version = r.pattern(n, versionText, "a version of three numbers (semantic versioning), such as 1.2.0")
		}},
		{"title", required, func(r *reader, n *yaml.Node, c *Card) { c.Title = r.texts(n, "`title`") }},
		{"when", required, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`when`", func(n *yaml.Node) { c.When = append(c.When, r.trigger(n)) })
		}},
		{"only_if", optional, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`only_if`", func(n *yaml.Node) { c.OnlyIf = append(c.OnlyIf, r.cond(n)) })
		}},
		{"then", required, func(r *reader, n *yaml.Node, c *Card) {
			r.list(n, "`then`", func(n *yaml.Node) { c.Then = append(c.Then, r.step(n)) })
		}},
		{"reentry", optional, (*reader).readReentry},
		{"cooldown", optional, func(r *reader, n *yaml.Node, c *Card) { c.Cooldown = r.duration(n, 0) }},
		{"priority", optional, func(r *reader, n *yaml.Node, c *Card) { c.Priority = r.whole(n, -10, 10) }},
		{"derived_from", optional, func(r *reader, n *yaml.Node, c *Card) {
			c.DerivedFrom = r.pattern(n, parentText, "a card and its version, such as cool-down@1.0.0")
		}},
		{"manual", optional, func(r *reader, n *yaml.Node, c *Card) { c.Manual = r.boolean(n) }},
		{"on_boot", optional, readOnBoot},
	}}
}

func (r *reader) readReentry(n *yaml.Node, c *Card) {
	c.Restart = r.word(n, "single", "restart") == "restart"
}

func readOnBoot(r *reader, n *yaml.Node, c *Card) {
	words := map[string]engine.OnBoot{"restart": engine.RestartHold, "resume": engine.ResumeHold, "drop": engine.DropHold}
	c.OnBoot = words[r.word(n, "restart", "resume", "drop")]
}

// ParseCard reads one card from text; file is its name in messages. It checks
// all that can be checked without a vehicle. The error is Diagnostics.
func ParseCard(file string, text []byte) (*Card, error) {
	r := &reader{file: file}
	if len(text) > maxCardBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxCardBytes))
		return nil, r.diags.err()
	}
	c := &Card{File: file, SHA256: hash(text)}
	if root := r.document(text, maxCardNodes); root != nil {
		cardKeys().read(r, root, c)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return c, nil
}
