package review

import (
	"fmt"
	"slices"
	"strings"

	"vignette/scenes"
)

// between stands between a screen and its element in words.
const between = " › "

// wording puts a study's places into the words of a registry of elements.
type wording struct {
	places map[string]string // by SCREEN/ELEMENT
	lacks  []string          // places of the study that the registry has no words for
}

// newWording looks each of a study's elements up by its id; one that means
// something else in the registry has no words.
func newWording(s *scenes.Study, g *scenes.Registry) *wording {
	w := &wording{places: map[string]string{}}
	for _, screen := range s.Screens {
		if known := g.Screen(screen.ID); known != nil && known.Name == screen.Name {
			w.places[screen.Name+"/other"] = known.Title.In("en") + between + "other"
		}
		for _, e := range screen.Elements {
			name := screen.Name + "/" + e.Name
			on, known := g.Element(e.ID)
			if known == nil || on.Name != screen.Name || known.Name != e.Name {
				w.lacks = append(w.lacks, name)
				continue
			}
			w.places[name] = on.Title.In("en") + between + known.Title.In("en")
		}
	}
	return w
}

// of puts steps into words; a place without any stays as it is.
func (w *wording) of(steps []string) (list []string) {
	for _, step := range steps {
		place, rest, more := strings.Cut(step, " ")
		if words, ok := w.places[place]; ok {
			step = words
			if more {
				step += " (" + strings.ReplaceAll(rest, " ", ", ") + ")"
			}
		}
		list = append(list, step)
	}
	return list
}

// Word puts the places of a report into the words of a registry of elements, in
// text and on the page; JSON has both, CSV the names.
func (r *Report) Word(s *scenes.Study, g *scenes.Registry) {
	w := newWording(s, g)
	r.Registry = fmt.Sprintf("%s, version %d", g.ID, g.Version)
	r.NoWords = w.lacks
	for i := range r.Tasks {
		k := &r.Tasks[i]
		for j := range k.Ways {
			k.Ways[j].Words = w.of(k.Ways[j].Steps)
		}
		if k.KLM != nil {
			k.KLM.Words = w.of(k.KLM.Path)
		}
	}
}

// Text is the path in words, or by names.
func (m *KLM) Text() string { return strings.Join(worded(m.Words, m.Path), " → ") }

// shown are a way's steps in words, or by names.
func (w *Way) shown() []string { return worded(w.Words, w.Steps) }

func worded(words, names []string) []string {
	if words != nil {
		return words
	}
	return names
}

// unworded says what the registry lacks; empty: nothing, or there is none.
func (r *Report) unworded() string {
	if len(r.NoWords) == 0 {
		return ""
	}
	return "The registry of elements " + r.Registry + " has no words for " + strings.Join(slices.Sorted(slices.Values(r.NoWords)), ", ") + "."
}
