package dbc

import (
	"fmt"
	"math"
	"sort"
	"text/scanner"

	candbc "go.einride.tech/can/pkg/dbc"
)

// Parse turns the text of a DBC file into a database; name is used in errors.
// Text that is not UTF-8 is read as cp1252.
//
// The error is a Diagnostic: text that is no DBC, or a message or signal that
// cannot be read. Smaller faults leave a usable database and are in its
// Diagnostics; signals that they concern have Refused set.
func Parse(name string, text []byte) (*Database, error) {
	text = toUTF8(text)
	n, err := normalise(name, text)
	if err != nil {
		return nil, err
	}
	defs, err := n.parse()
	if err != nil {
		return nil, err
	}
	c := newCompiler(n)
	if err := c.checkLost(defs); err != nil {
		return nil, err
	}
	if err := c.checkLengths(defs); err != nil {
		return nil, err
	}
	c.compile(defs)
	sort.SliceStable(c.db.Diagnostics, func(i, j int) bool {
		a, b := c.db.Diagnostics[i].Pos, c.db.Diagnostics[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return c.db, nil
}

// parse runs can-go's parser over the canonical text. Its panics other than its
// own parse errors come back as errors too: no text may take the program down.
func (n *normaliser) parse() (defs []candbc.Def, err error) {
	p := candbc.NewParser(n.name, n.out)
	defer func() {
		if r := recover(); r != nil {
			defs, err = nil, Diagnostic{Pos{n.name, 1, 1}, fmt.Sprintf("the DBC parser failed (%v); the file is damaged or no DBC", r)}
		}
	}()
	if perr := p.Parse(); perr != nil {
		return nil, Diagnostic{n.position(perr.Position()), perr.Reason() + "; correct the definition here or just before"}
	}
	return p.Defs(), nil
}

// position is where in the file the parser's text came from.
func (n *normaliser) position(p scanner.Position) Pos {
	if i := n.wroteAt(p.Offset); i >= 0 {
		return n.pos(n.written[i].key)
	}
	return Pos{n.name, 1, 1}
}

// wrote is what a definition of the parser came from. They come in the order of
// the text that it was given, so it is mostly the next one.
func (c *compiler) wrote(p scanner.Position) *written {
	if c.next >= len(c.n.written) || c.n.written[c.next].offset != p.Offset {
		c.next = c.n.wroteAt(p.Offset)
	}
	c.next++
	return &c.n.written[c.next-1]
}

// checkLengths refuses a file with a message that no protocol can carry.
func (c *compiler) checkLengths(defs []candbc.Def) error {
	for _, def := range defs {
		if d, ok := def.(*candbc.MessageDef); ok && d.Size > math.MaxUint16 {
			return Diagnostic{c.n.position(d.Pos), fmt.Sprintf("message %s has a length of %d bytes; CAN FD ends at 64, transport protocols at 65535", c.n.original(d.Name), d.Size)}
		}
	}
	return nil
}
