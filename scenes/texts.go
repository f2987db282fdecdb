package scenes

import (
	"strings"

	"vignette/scenes/yaml"
)

// Texts is one text in several languages by BCP-47 tag in lower case, `en`
// among them.
type Texts map[string]string

// In returns the text for a BCP-47 tag: its own, else that of the tag without
// its last subtags, else the English one.
func (ts Texts) In(lang string) string {
	for ; lang != ""; lang = lang[:max(strings.LastIndexByte(lang, '-'), 0)] {
		if text, ok := ts[strings.ToLower(lang)]; ok {
			return text
		}
	}
	return ts["en"]
}

// texts reads a text by language, `en` required.
func (r *reader) texts(n *yaml.Node, what string) Texts {
	if r.shape(n, textsShape) {
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		r.fault(n, "%s must be a text by language; write {en: %s}", what, n.Value)
		return nil
	}
	ts := Texts{}
	r.named(n, what, func(name, value *yaml.Node) {
		lang := r.pattern(name, langTag, "a language tag (BCP-47), such as en or zh-Hant")
		if _, twice := ts[strings.ToLower(lang)]; twice && lang != "" {
			r.fault(name, "language `%s` is given twice; keep one", lang)
		}
		ts[strings.ToLower(lang)] = r.text(value)
	})
	if _, english := ts["en"]; n.Kind == yaml.MappingNode && !english {
		r.fault(n, "%s has no English text; add `en`", what)
	}
	return ts
}
