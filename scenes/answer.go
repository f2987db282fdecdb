package scenes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Limits of an answer card.
const (
	maxAnswerBytes = 16 << 10
	maxAnswerNodes = 1_000
	maxAnswers     = 64
	longAnswer     = 600 // characters of a text beyond which nobody reads it in a car
)

// Answer is an answer card: "you said, we changed", what a study has led to, for
// the drivers who took part in it. It follows docs/study-cards.md.
type Answer struct {
	Head
	Study    string // id of the study that it answers
	Versions []int  // of that study
	// Feedback is what of the study's feedback it answers, NAME or NAME/CHOICE; none:
	// it answers the study as a whole.
	Feedback []string
	// Builds are the HMI builds that have what the answer tells of, the one that
	// brought it first. A build's name says nothing about its order.
	Builds        []string
	Said, Changed Texts // what was found; what was changed for it, or why nothing was
	Date          time.Time
	// Words is the SHA-256 of the texts that drivers read, hexadecimal: another
	// version with the same words has nothing new to say.
	Words string
}

// AnswersFeedback reports whether the card answers a choice of a feedback of its
// study.
func (a *Answer) AnswersFeedback(name, choice string) bool {
	return slices.Contains(a.Feedback, name) || slices.Contains(a.Feedback, name+"/"+choice)
}

// At reports whether a car's HMI build has what the answer tells of.
func (a *Answer) At(build string) bool { return slices.Contains(a.Builds, build) }

// Answers reports whether the card answers a version of a study.
func (a *Answer) Answers(study string, version int) bool {
	return a.Study == study && slices.Contains(a.Versions, version)
}

// words is the hash of the texts in all their languages.
func (a *Answer) words() string {
	var all strings.Builder
	for _, t := range []Texts{a.Title, a.Said, a.Changed} {
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			fmt.Fprintf(&all, "%q %q\n", lang, t[lang])
		}
		all.WriteString("\n")
	}
	return hash([]byte(all.String()))
}

// answerKeys is the table of an answer card's keys.
func answerKeys() object[Answer] {
	return object[Answer]{"the answer card", append(headKeys(func(a *Answer) *Head { return &a.Head }), []key[Answer]{
		{"kind", required, func(r *reader, n *yaml.Node, a *Answer) { r.word(n, "answer") }},
		{"study", required, func(r *reader, n *yaml.Node, a *Answer) { answeredKeys().read(r, n, a) }},
		{"builds", required, (*reader).readBuilds},
		{"said", required, func(r *reader, n *yaml.Node, a *Answer) { a.Said = r.bothTexts(n, "`said`") }},
		{"changed", required, func(r *reader, n *yaml.Node, a *Answer) { a.Changed = r.bothTexts(n, "`changed`") }},
		{"date", required, func(r *reader, n *yaml.Node, a *Answer) { a.Date = r.date(n) }},
	}...)}
}

// answeredKeys say which study is answered.
func answeredKeys() object[Answer] {
	return object[Answer]{"the study that is answered", []key[Answer]{
		{"id", required, func(r *reader, n *yaml.Node, a *Answer) { a.Study = r.pattern(n, idText, idWant) }},
		{"versions", required, func(r *reader, n *yaml.Node, a *Answer) {
			r.list(n, "`versions`", func(n *yaml.Node) {
				v := r.whole(n, 1, maxStudyID)
				if slices.Contains(a.Versions, v) && v != 0 {
					r.fault(n, "version %d is given twice; keep one", v)
				}
				a.Versions = append(a.Versions, v)
			})
		}},
		{"feedback", optional, func(r *reader, n *yaml.Node, a *Answer) {
			for _, f := range r.names(n, "`feedback`") {
				a.Feedback = append(a.Feedback, f.Text) // the desk, which has the study, says what it lacks
			}
		}},
	}}
}

func (r *reader) readBuilds(n *yaml.Node, a *Answer) {
	a.Builds = nil
	for _, b := range r.names(n, "`builds`") {
		if slices.Contains(a.Builds, b.Text) {
			r.diags.add(r.file, b.Pos, "build `%s` is given twice; keep one", b.Text)
		}
		a.Builds = append(a.Builds, b.Text)
	}
}

// ParseAnswer reads one answer card from text; file is its name in messages. The
// error is Diagnostics.
func ParseAnswer(file string, text []byte) (*Answer, error) {
	r := &reader{file: file}
	if len(text) > maxAnswerBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxAnswerBytes))
		return nil, r.diags.err()
	}
	a := &Answer{Head: Head{File: file, SHA256: hash(text)}}
	if root := r.document(text, maxAnswerNodes); root != nil && r.mapping(root, "the answer card") {
		answerKeys().read(r, root, a)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	a.Words = a.words()
	return a, nil
}

// answerCards are answer cards as signed cards.
var answerCards = signable[*Answer]{"answer", maxAnswerBytes, maxAnswers, ParseAnswer}

// LoadAnswer reads an answer card without asking for its signature: for desks.
func LoadAnswer(path string) (*Answer, error) { return answerCards.load(path, nil) }

// LoadSignedAnswer reads an answer card if its signature, the file path.minisig
// beside it, is one of keys'.
func LoadSignedAnswer(path string, keys []sign.PublicKey) (*Answer, error) {
	return answerCards.load(path, asked(keys))
}

// LoadAnswers reads answer cards as LoadStudies does study cards. Those that can
// be read are returned with the error that tells of the others.
func LoadAnswers(paths []string, read func(path string) (*Answer, error)) ([]*Answer, error) {
	return answerCards.loadAll(paths, read)
}

// Warnings is what is most likely a mistake in an answer card that can be read.
func (a *Answer) Warnings() Diagnostics {
	var ds Diagnostics
	for _, t := range []struct {
		name  string
		texts Texts
	}{{"said", a.Said}, {"changed", a.Changed}} {
		for _, lang := range []string{"en", "zh"} {
			if n := utf8.RuneCountInString(t.texts[lang]); n > longAnswer {
				ds.found("answer", a.File, a.pos, "`%s` has %d characters in %s; nobody reads more than %d in a car", t.name, n, lang, longAnswer)
			}
		}
	}
	return ds
}
