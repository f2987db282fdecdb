// Package yaml reads the part of YAML 1.1 that Vignette's formats allow, JSON in
// it: one document of mappings, lists and scalars. What it does not read it
// refuses by name, at its place. It reads in linear time and to a bounded depth.
package yaml

import "fmt"

// Kind is what a node is.
type Kind uint8

const (
	ScalarNode Kind = iota + 1
	SequenceNode
	MappingNode
	AliasNode // refused; it stands for a value that is not known
)

// Style is how a node is written; 0 is a plain scalar, or a collection by
// indentation.
type Style uint8

const (
	DoubleQuotedStyle Style = 1 << iota
	SingleQuotedStyle
	LiteralStyle // |
	FoldedStyle  // >
	FlowStyle    // in brackets or braces
)

// Node is a value of a document.
type Node struct {
	Kind  Kind
	Style Style
	// Tag is what a value is: !!str, !!int, !!float, !!bool, !!null, !!seq, !!map,
	// or !!merge of the plain scalar <<. Of scalars only plain ones are not !!str;
	// dates are !!str.
	Tag     string
	Value   string  // of a scalar
	Line    int     // from 1
	Column  int     // from 1, in characters
	Content []*Node // entries of a sequence; of a mapping each key and its value
}

// Fault is something that is wrong at a place: what, and what to do.
type Fault struct {
	Line, Column int
	What         string
}

// Error is the fault with its place.
func (f Fault) Error() string { return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.What) }

// Limits bound a document.
type Limits struct {
	Depth int // of values in values; a document that is a scalar has 0
	Nodes int
}

// Parse reads a document. faults tells what is wrong; where it is so much that no
// value can be read, the node is nil. Keys given twice are the caller's matter.
func Parse(text string, limits Limits) (root *Node, faults []Fault) {
	p := &parser{text: text, line: 1, column: 1, indent: -1, keyOK: true, limits: limits}
	defer func() {
		// Readers of what cannot go on leave by panic(stop{}).
		switch r := recover().(type) {
		case nil:
		case stop:
			root, faults = nil, p.faults
		default:
			panic(r)
		}
	}()
	p.characters()
	return p.document(), p.faults
}

// stop ends the reading after a fault.
type stop struct{}

// maxFaults bounds the faults of a text: after so many reading ends.
const maxFaults = 100

// note notes a fault after which reading goes on.
func (p *parser) note(line, column int, format string, args ...any) {
	if len(p.faults) == maxFaults {
		panic(stop{})
	}
	p.faults = append(p.faults, Fault{line, column, fmt.Sprintf(format, args...)})
}

// fail notes a fault at a place and ends the reading.
func (p *parser) fail(line, column int, format string, args ...any) {
	p.note(line, column, format, args...)
	panic(stop{})
}

// failHere does so where the reader is.
func (p *parser) failHere(format string, args ...any) {
	p.fail(p.line, p.col(), format, args...)
}

// document reads the document and what surrounds it.
func (p *parser) document() *Node {
	p.skip()
	if p.at('%') && p.col() == 1 {
		p.failHere("directives such as %%YAML are not read; leave the line out")
	}
	if p.mark('-') {
		p.advance(3)
		p.keyOK = false
		p.skip()
	}
	if p.outside(-1, false) {
		p.fail(1, 1, "is empty; a YAML mapping is expected")
	}
	root := p.block(-1, false, p.line, p.col())
	p.skip()
	for p.mark('.') {
		p.advance(3)
		p.skip()
	}
	switch {
	case p.end():
	case p.mark('-') || p.at('%') && p.col() == 1:
		p.failHere("a second document begins; write one document a file")
	default:
		p.unexpected()
	}
	return root
}
