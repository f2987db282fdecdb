package dbc

import (
	"fmt"
	"strconv"
	"strings"
)

// MuxRange is a range of a multiplexer's raw values, ends included.
type MuxRange struct{ First, Last uint64 }

// muxMark is the multiplexing mark of a multiplexed signal: m, mN or mNM.
type muxMark struct {
	selects bool // M at the end
	bare    bool // m without a number
	value   uint64
}

// extendedMux is a SG_MUL_VAL_: which values of which multiplexer select a signal.
type extendedMux struct {
	key              token
	id               uint32
	signal, selector string
	ranges           []MuxRange
}

// muxMark reads what may stand between a signal's name and its colon: M, m, mN
// or mNM, or nothing.
func (n *normaliser) muxMark(s *signalText) error {
	t, err := n.peek()
	if err != nil || t.kind != word {
		return err
	}
	n.full = false
	if s.selector = t.text == "M"; s.selector {
		return nil
	}
	value, selects := strings.CutSuffix(t.text, "M")
	value, multiplexed := strings.CutPrefix(value, "m")
	m := muxMark{selects: selects, bare: value == ""}
	if !m.bare {
		m.value, err = strconv.ParseUint(value, 10, 64)
	}
	if !multiplexed || err != nil {
		return n.fail(t, "expected M, m and a number, or m, a number and M before the colon, found %s; correct it", t)
	}
	s.mux = &m
	return nil
}

// muxValues is `SG_MUL_VAL_ id signal multiplexer first-last, first-last;`.
func (n *normaliser) muxValues(key token) error {
	id, _, drop, err := n.reference()
	if err != nil {
		return err
	}
	signal, err := n.ident("the signal's name")
	if err != nil {
		return err
	}
	x := extendedMux{key: key, id: id, signal: signal.text}
	selector, err := n.ident("the multiplexer's name")
	if err == nil {
		x.selector = selector.text
		x.ranges, err = n.ranges()
	}
	if err == nil {
		err = n.finish("SG_MUL_VAL_")
	}
	switch {
	case drop:
		n.keep(key)
	case err != nil:
		n.keep(key)
		n.refusals = append(n.refusals, refusal{key.at, id, signal.text, "signal " + signal.text +
			" has a SG_MUL_VAL_ that is not complete; write SG_MUL_VAL_ id signal multiplexer first-last;"})
		return n.skip()
	default:
		n.muxes = append(n.muxes, x)
	}
	return err
}

// ranges are `first-last, first-last`; spaces do not matter.
func (n *normaliser) ranges() ([]MuxRange, error) {
	var found []MuxRange
	for {
		first, _, err := n.whole("the first value")
		if err != nil {
			return nil, err
		}
		if _, err := n.take("-"); err != nil {
			return nil, err
		}
		t, err := n.next()
		if err != nil {
			return nil, err
		}
		last, err := strconv.ParseUint(strings.TrimPrefix(t.text, "-"), 10, 64)
		if t.kind != number || err != nil || last < first {
			return nil, n.fail(t, "expected the last value of a range, found %s", t)
		}
		found = append(found, MuxRange{first, last})
		if more, err := n.take(","); err != nil || !more {
			return found, err
		}
	}
}

// setMarks enters the multiplexing mark of a signal.
func setMarks(m *muxMark, s *Signal) {
	if m != nil {
		s.Multiplexer, s.MuxValue, s.bare = m.selects, m.value, m.bare
	}
	if s.Multiplexed && !s.bare {
		s.MuxRanges = []MuxRange{{s.MuxValue, s.MuxValue}}
	}
}

// setExtendedMux gives a signal the multiplexer and the values of a
// SG_MUL_VAL_, which replace the N of its mN. Several for one signal must name
// the same multiplexer; their ranges add up.
func (c *compiler) setExtendedMux(x extendedMux) {
	s := c.find(x.key.at, "SG_MUL_VAL_", x.id, x.signal)
	if s == nil {
		return
	}
	m := c.lookup(x.id)
	selector := m.Signal(x.selector)
	if selector != nil && selector.bare { // some editors write m for the M of what others name
		selector.Multiplexer, selector.Multiplexed = true, selector.selector != nil
	}
	switch {
	case selector == nil:
		c.refuse(s, c.n.pos(x.key), "SG_MUL_VAL_ of signal %s names the multiplexer %s, which message %s does not have; correct the name", s.Name, x.selector, m.Name)
	case !s.Multiplexed && !s.Multiplexer:
		c.refuse(s, c.n.pos(x.key), "signal %s has a SG_MUL_VAL_ and no m on its SG_ line; write m and a number there, or delete the line", s.Name)
	case !selector.Multiplexer:
		c.refuse(s, c.n.pos(x.key), "signal %s is multiplexed by %s, which is no multiplexer; mark %s with M", s.Name, selector.Name, selector.Name)
	case s.selector != nil && s.selector != selector:
		c.refuse(s, c.n.pos(x.key), "signal %s has two multiplexers, %s and %s; delete one of the SG_MUL_VAL_", s.Name, s.selector.Name, selector.Name)
	case s.selector == selector:
		s.MuxRanges = append(s.MuxRanges, x.ranges...)
	default:
		s.selector, s.MuxRanges, s.Multiplexed = selector, x.ranges, true // some editors write M for mNM
	}
}

// setSelectors finds the multiplexer of the signals without SG_MUL_VAL_: the
// one of the message, or among several the one that is not multiplexed itself.
func (c *compiler) setSelectors(m *Message) {
	var roots, all []*Signal
	for _, s := range m.Signals {
		if s.Multiplexer {
			all = append(all, s)
		}
		if s.Multiplexer && !s.Multiplexed {
			roots = append(roots, s)
		}
	}
	for _, s := range m.Signals {
		if !s.Multiplexed || s.selector != nil || s.Refused != "" {
			continue
		}
		switch {
		case len(all) == 0:
			c.refuse(s, s.Pos, "signal %s is multiplexed and message %s has no multiplexer; mark the multiplexer with M", s.Name, m.Name)
		case s.bare:
			c.refuse(s, s.Pos, "signal %s is multiplexed by an m without a number; write the number, or add its SG_MUL_VAL_", s.Name)
		case len(all) == 1 && all[0] != s:
			s.selector = all[0]
		case len(roots) == 1 && s.Multiplexer:
			s.selector = roots[0]
		case len(all) > 1:
			c.refuse(s, s.Pos, "signal %s is multiplexed and message %s has %d multiplexers; add its SG_MUL_VAL_, which names one", s.Name, m.Name, len(all))
		default:
			c.refuse(s, s.Pos, "signal %s is multiplexed by itself; mark its multiplexer with M", s.Name)
		}
	}
}

// checkSelectors refuses signals whose multiplexers cannot be used.
func (c *compiler) checkSelectors(m *Message) {
	for _, s := range m.Signals {
		if s.selector == nil || s.Refused != "" {
			continue
		}
		steps := 0
		for up := s.selector; up != nil; up = up.selector {
			steps++
			if up.Refused != "" {
				c.refuse(s, s.Pos, "signal %s is multiplexed by %s, which is refused; correct %s first", s.Name, up.Name, up.Name)
				break
			}
			if up.Float {
				c.refuse(s, s.Pos, "signal %s is multiplexed by %s, which is a float; a multiplexer is a whole number", s.Name, up.Name)
				break
			}
			if steps > len(m.Signals) || steps > maxMuxDepth {
				c.refuse(s, s.Pos, "signal %s is multiplexed in a circle, or through more than %d multiplexers; correct its SG_MUL_VAL_", s.Name, maxMuxDepth)
				break
			}
		}
	}
}

const maxMuxDepth = 64

// muxStep is one condition of a multiplexed signal: a multiplexer's raw value
// lies in one of the ranges.
type muxStep struct {
	bits   bitSlice
	ranges []MuxRange
}

// muxChain compiles the conditions from the signal's multiplexer up to the root.
func muxChain(m *Message, s *Signal) []muxStep {
	var chain []muxStep
	for ; s.selector != nil; s = s.selector {
		chain = append(chain, muxStep{newBitSlice(m, s.selector), s.MuxRanges})
	}
	return chain
}

// selected says whether data meets every condition of a chain.
func selected(chain []muxStep, data []byte) bool {
	for i := range chain {
		if !chain[i].met(data) {
			return false
		}
	}
	return true
}

// met says whether data meets the condition.
func (x *muxStep) met(data []byte) bool {
	raw, ok := x.bits.extract(data)
	if !ok {
		return false
	}
	for _, r := range x.ranges {
		if v := uint64(raw); r.First <= v && v <= r.Last {
			return true
		}
	}
	return false
}

// Selector returns the signal whose raw value selects s, one of MuxRanges; nil
// for a signal that is not multiplexed or that is refused for its multiplexer.
func (s *Signal) Selector() *Signal { return s.selector }

// plural counts things in a message.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
