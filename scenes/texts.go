package scenes

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Text is a text in one language.
type Text struct {
	Lang string // BCP-47 tag
	Text string
}

// Texts is one text in several languages, ordered by tag, `en` among them.
type Texts []Text

// In returns the text for a BCP-47 tag: its own, else that of the tag without
// its last subtags, else the English one.
func (ts Texts) In(lang string) string {
	for ; lang != ""; lang = lang[:max(strings.LastIndexByte(lang, '-'), 0)] {
		for _, t := range ts {
			if strings.EqualFold(t.Lang, lang) {
				return t.Text
			}
		}
	}
	for _, t := range ts {
		if t.Lang == "en" {
			return t.Text
		}
	}
	return ""
}

var langTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

// texts reads a text by language, `en` required.
func (r *reader) texts(n *yaml.Node, what string) Texts {
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		r.fault(n, "%s must be a text by language; write {en: %s}", what, n.Value)
		return nil
	}
	var ts Texts
	english := false
	r.named(n, what, func(name, value *yaml.Node) {
		lang := r.pattern(name, langTag, "a language tag (BCP-47), such as en or zh-Hant")
		ts = append(ts, Text{lang, r.text(value)})
		english = english || lang == "en"
	})
	if n.Kind == yaml.MappingNode && !english {
		r.fault(n, "%s has no English text; add `en`", what)
	}
	slices.SortFunc(ts, func(a, b Text) int { return strings.Compare(a.Lang, b.Lang) })
	return ts
}
