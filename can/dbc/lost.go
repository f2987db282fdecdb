package dbc

import (
	candbc "go.einride.tech/can/pkg/dbc"
)

// kept holds what the parser made of the text, by the line it begins in.
type kept struct {
	lines map[lineKey]bool
	ids   map[int]uint32 // of the message whose definition begins in that line
}

type lineKey struct {
	keyword string
	line    int
}

func (c *compiler) collect(defs []candbc.Def) kept {
	k := kept{map[lineKey]bool{}, map[int]uint32{}}
	for _, def := range defs {
		line := c.position(def.Position()).Line
		switch d := def.(type) {
		case *candbc.MessageDef:
			k.lines[lineKey{"BO_", line}] = true
			k.ids[line] = uint32(d.MessageID)
			for i := range d.Signals {
				k.lines[lineKey{"SG_", c.position(d.Signals[i].Pos).Line}] = true
			}
		case *candbc.ValueDescriptionsDef:
			k.lines[lineKey{"VAL_", line}] = true
		case *candbc.SignalValueTypeDef:
			k.lines[lineKey{"SIG_VALTYPE_", line}] = true
		case *candbc.AttributeValueForObjectDef:
			k.lines[lineKey{"BA_", line}] = true
		}
	}
	for _, x := range c.n.muxes {
		k.lines[lineKey{"SG_MUL_VAL_", x.pos.Line}] = true
	}
	for key := range c.n.accounted {
		k.lines[key] = true
	}
	return k
}

// checkLost holds the definitions that begin a line of the text against those
// that the parser returned. can-go skips an unknown keyword with the line
// behind it, and takes SG_ for a receiver where the receivers are missing. A
// message or signal lost is an error, anything else a diagnostic.
func (c *compiler) checkLost(entries []entry, defs []candbc.Def) error {
	k := c.collect(defs)
	for _, e := range entries {
		if k.lines[lineKey{e.keyword, e.pos.Line}] {
			continue
		}
		const why = "is lost: the DBC parser swallowed it with the definition before"
		switch e.keyword {
		case "BO_":
			return Diagnostic{e.pos, "message " + why + "; correct or delete that definition"}
		case "SG_":
			return Diagnostic{e.pos, "signal " + why + `; see that every signal before it ends with its receivers, Vector__XXX for none`}
		}
		c.diagnose(e.pos, "%s %s; correct or delete that definition", e.keyword, why)
	}
	return nil
}

func trimLeft(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	return text
}
