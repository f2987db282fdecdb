package dbc

import "strings"

// attribute is one that decoding needs, as its BA_DEF_ has it.
type attribute struct {
	form    string   // INT, HEX, FLOAT, STRING or ENUM
	choices []string // of an ENUM
}

// attributeValue is a BA_DEF_DEF_ or a BA_ of such an attribute.
type attributeValue struct {
	key     token
	name    string
	preset  bool
	object  string // BO_ or SG_; empty for another one
	id      uint32
	signal  string
	value   float64
	text    string
	isText  bool
	atValue token
}

// needed says whether decoding needs an attribute; others are passed over.
func needed(name string) bool {
	switch name {
	case cycleAttribute, formatAttribute, longMessageAttribute, longSignalAttribute:
		return true
	}
	return false
}

// attributeDef is `BA_DEF_ object "name" form …;`. The object may be missing.
func (n *normaliser) attributeDef(key token) error {
	t, err := n.peek()
	if err != nil {
		return err
	}
	if t.kind == word {
		n.full = false
	}
	name, err := n.quoted("the attribute's name")
	if err != nil {
		return err
	}
	if !needed(name.text) {
		return n.skip()
	}
	form, err := n.ident("the attribute's type")
	if err != nil {
		return err
	}
	a := &attribute{form: form.text}
	for {
		t, err := n.next()
		if err != nil {
			return err
		}
		if t.kind == text {
			a.choices = append(a.choices, t.text)
			continue
		}
		if t.kind == end || t.kind == mark && t.text == ";" {
			break
		}
		if p, err := n.peek(); err == nil && n.begins(p) {
			break
		}
	}
	switch a.form {
	case "INT", "HEX", "FLOAT", "STRING", "ENUM":
	default:
		return Diagnostic{n.pos(form), "attribute " + name.text + " has the unknown type " + form.text + "; write INT, HEX, FLOAT, STRING or ENUM"}
	}
	if n.attribute[name.text] == nil {
		n.attribute[name.text] = a
	}
	return nil
}

// attributeDefault is `BA_DEF_DEF_ "name" value;`.
func (n *normaliser) attributeDefault(key token) error {
	return n.anyValue(attributeValue{key: key, preset: true})
}

// attributeValue is `BA_ "name" object value;`.
func (n *normaliser) attributeValue(key token) error {
	return n.anyValue(attributeValue{key: key})
}

func (n *normaliser) anyValue(v attributeValue) error {
	name, err := n.quoted("the attribute's name")
	if err != nil {
		return err
	}
	v.name = name.text
	if !needed(v.name) {
		n.keep(v.key)
		return n.skip()
	}
	drop := false
	if object, err := n.peek(); err != nil {
		return err
	} else if object.kind == word && !v.preset {
		n.full = false
		if drop, err = n.attributeObject(object, &v); err != nil {
			return err
		}
	}
	v.atValue, err = n.next()
	if err != nil {
		return err
	}
	switch v.atValue.kind {
	case text:
		v.text, v.isText = v.atValue.text, true
	case number:
		n.ahead, n.full = v.atValue, true
		if v.value, _, err = n.decimal("the value"); err != nil {
			return err
		}
	default:
		return n.fail(v.atValue, "expected the value of %s, found %s; correct the definition here or just before", v.name, v.atValue)
	}
	if drop || !v.preset && v.object == "" {
		n.keep(v.key)
	} else {
		n.later = append(n.later, v)
	}
	return n.finish(v.key.text)
}

// attributeObject reads what an attribute's value is for.
func (n *normaliser) attributeObject(object token, v *attributeValue) (drop bool, err error) {
	switch object.text {
	case "BU_", "EV_":
		_, err := n.ident("a name")
		return false, err
	case "BO_", "SG_":
	default:
		return false, n.fail(object, "BA_ is for %s; known are BU_, BO_, SG_ and EV_", object)
	}
	v.object = object.text
	v.id, _, drop, err = n.reference()
	if err != nil || v.object == "BO_" {
		return drop, err
	}
	signal, err := n.ident("the signal's name")
	v.signal = signal.text
	return drop, err
}

// setAttributes gives the values the form of their definition. One that the file
// lacks is made after the first value.
func (n *normaliser) setAttributes() {
	for _, v := range n.later {
		if n.attribute[v.name] == nil {
			form := "FLOAT"
			if v.isText {
				form = "STRING"
			}
			n.attribute[v.name] = &attribute{form: form}
		}
	}
	for _, v := range n.later {
		n.setAttribute(v, n.attribute[v.name])
	}
}

// setAttribute gives one value its form: a number of an enumeration becomes its
// text.
func (n *normaliser) setAttribute(v attributeValue, a *attribute) {
	if a.form == "ENUM" && !v.isText {
		i := int(v.value)
		if v.value < 0 || v.value >= float64(len(a.choices)) || float64(i) != v.value {
			n.leave(v, "is not one of its "+plural(len(a.choices), "choice"))
			return
		}
		v.value, v.text, v.isText = 0, a.choices[i], true
	}
	if isText := a.form == "ENUM" || a.form == "STRING"; isText != v.isText {
		n.leave(v, "does not fit its type "+a.form)
		return
	}
	v.text = oneLine(v.text)
	n.set = append(n.set, v)
}

// leave reports an attribute's value that cannot be used.
func (n *normaliser) leave(v attributeValue, why string) {
	n.keep(v.key)
	n.diagnose(Diagnostic{n.pos(v.atValue), strings.Join([]string{v.key.text, "gives", v.name, v.atValue.String() + ", which", why + ";", "the value is left out"}, " ")})
}
