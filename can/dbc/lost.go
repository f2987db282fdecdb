package dbc

import candbc "go.einride.tech/can/pkg/dbc"

// collect notes what the compiler is given, by the line it began in.
func (c *compiler) collect(defs []candbc.Def) {
	for _, def := range defs {
		if d, ok := def.(*candbc.MessageDef); ok {
			w := c.wrote(d.Pos)
			c.n.keep(w.key)
			for i := range c.n.signals[w.first:w.end] {
				c.n.keep(c.n.signals[w.first+i].key)
			}
		}
	}
	for i := range c.n.values {
		c.n.keep(c.n.values[i].key)
	}
	for i := range c.n.valueTypes {
		c.n.keep(c.n.valueTypes[i].key)
	}
	for i := range c.n.muxes {
		c.n.keep(c.n.muxes[i].key)
	}
	for i := range c.n.set {
		c.n.keep(c.n.set[i].key)
	}
}

// checkLost holds the definitions that begin a line of the text against those
// that were taken from it: whichever pass reads a line, ours or can-go's, may
// take it for a part of the one before. A message or signal lost is an error,
// anything else a diagnostic.
func (c *compiler) checkLost(defs []candbc.Def) (err error) {
	c.collect(defs)
	survey(c.n.src, func(line, at int, keyword string) bool {
		if c.n.kept[line]&surveyed(keyword) != 0 {
			return true
		}
		const why = "is lost: the DBC parser swallowed it with the definition before"
		switch keyword {
		case "BO_":
			err = Diagnostic{c.n.place(at), "message " + why + "; correct or delete that definition"}
		case "SG_":
			err = Diagnostic{c.n.place(at), "signal " + why + `; see that every signal before it ends with its receivers, Vector__XXX for none`}
		default:
			c.diagnose(c.n.place(at), "%s %s; correct or delete that definition", keyword, why)
		}
		return err == nil
	})
	return err
}

func trimLeft(text string) string {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
		text = text[1:]
	}
	return text
}
