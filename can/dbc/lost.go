package dbc

import (
	"fmt"
	"strconv"

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

func collect(defs []candbc.Def) kept {
	k := kept{map[lineKey]bool{}, map[int]uint32{}}
	for _, def := range defs {
		line := def.Position().Line
		switch d := def.(type) {
		case *candbc.MessageDef:
			k.lines[lineKey{"BO_", line}] = true
			k.ids[line] = uint32(d.MessageID)
			for i := range d.Signals {
				k.lines[lineKey{"SG_", d.Signals[i].Pos.Line}] = true
			}
		case *candbc.ValueDescriptionsDef:
			k.lines[lineKey{"VAL_", line}] = true
		case *candbc.SignalValueTypeDef:
			k.lines[lineKey{"SIG_VALTYPE_", line}] = true
		case *candbc.AttributeValueForObjectDef:
			k.lines[lineKey{"BA_", line}] = true
		}
	}
	return k
}

// checkLost holds the definitions that begin a line of the text against those
// that the parser returned. can-go skips an unknown keyword with the line
// behind it, and takes SG_ for a receiver where the receivers are missing. A
// message or signal lost is an error, anything else a diagnostic.
func (c *compiler) checkLost(entries []entry, defs []candbc.Def) error {
	k := collect(defs)
	for _, e := range entries {
		if e.keyword == "SG_MUL_VAL_" { // the parser never keeps it; see checkExtendedMux
			continue
		}
		if k.lines[lineKey{e.keyword, e.pos.Line}] {
			if err := checkID(e, k.ids[e.pos.Line]); err != nil {
				return err
			}
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
	return c.checkOrphans(defs)
}

// checkOrphans refuses a signal that the parser put outside of any message. Its
// line need not begin with SG_, so checkLost may have missed it.
func (c *compiler) checkOrphans(defs []candbc.Def) error {
	for _, def := range defs {
		if d, ok := def.(*candbc.SignalDef); ok {
			return Diagnostic{position(c.db.Name, d.Pos), fmt.Sprintf("signal %s stands outside of any message; move it below its BO_ line", d.Name)}
		}
	}
	return nil
}

// checkID compares the message id with the digits in the text, because the
// parser cuts an id to 32 bits.
func checkID(e entry, id uint32) error {
	if e.keyword != "BO_" {
		return nil
	}
	digits, _ := word(trimLeft(e.text[len(e.keyword):]))
	if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n != uint64(id) {
		return Diagnostic{e.pos, fmt.Sprintf("message id %s has more than 32 bits; correct it", digits)}
	}
	return nil
}

func trimLeft(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	return text
}
