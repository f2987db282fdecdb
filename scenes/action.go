package scenes

import (
	"sort"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Action is what a card may do besides setting an actuator.
type Action struct {
	Name        string
	Pos         Pos
	Params      []Param // by name
	States      engine.StateSet
	MinInterval time.Duration
	Call        *Binding // nil: decided and logged, goes nowhere
}

// Param is one parameter of an action. Its type is localized (a text by
// language), string, number or boolean.
type Param struct {
	Name, Type string
}

type actionText struct {
	Action
	states []Name
	call   *bindingText
}

func actionKeys() object[actionText] {
	type a = actionText
	return object[a]{"an action", []key[a]{
		{"params", optional, func(r *reader, n *yaml.Node, a *a) {
			r.named(n, "`params`", func(name, value *yaml.Node) {
				p := Param{r.pattern(name, nameText, nameWant), r.word(value, "localized", "string", "number", "boolean")}
				if p.Name == "lang" || p.Name == "card" {
					r.fault(name, "`{%s}` has a meaning of its own in calls; choose another name", p.Name)
				}
				a.Params = append(a.Params, p)
			})
		}},
		{"states", required, func(r *reader, n *yaml.Node, a *a) { a.states = r.names(n, "`states`") }},
		{"min_interval", optional, func(r *reader, n *yaml.Node, a *a) { a.MinInterval = r.duration(n, 0) }},
		{"confirm", optional, func(r *reader, n *yaml.Node, a *a) { r.notYet(n, "confirm: true") }},
		{"call", optional, func(r *reader, n *yaml.Node, a *a) { a.call = r.binding(n) }},
	}}
}

func (r *reader) readActions(n *yaml.Node, p *profile) {
	r.named(n, "`actions`", func(name, value *yaml.Node) {
		a := actionText{Action: Action{Name: r.pattern(name, nameText, nameWant), Pos: at(name)}}
		if a.Name == "set" || a.Name == "end" {
			r.fault(name, "`%s` has a meaning of its own in the decision log; choose another name", a.Name)
		}
		if actionKeys().read(r, value, &a) && a.Name != "" {
			p.actions = append(p.actions, a)
		}
	})
}

// resolveActions checks each action against the states and its call.
func (p *profile) resolveActions() {
	for i := range p.actions {
		t := &p.actions[i]
		sort.SliceStable(t.Params, func(i, j int) bool { return t.Params[i].Name < t.Params[j].Name })
		names := []string{"lang", "card"}
		texts := []string{"lang", "card"}
		for _, q := range t.Params {
			names = append(names, q.Name)
			if q.Type == "localized" || q.Type == "string" {
				texts = append(texts, q.Name)
			}
		}
		t.States = p.stateSet(t.states)
		t.Call = p.checkBinding(t.call, names, texts)
		p.v.Actions = append(p.v.Actions, t.Action)
	}
	sort.SliceStable(p.v.Actions, func(i, j int) bool { return p.v.Actions[i].Name < p.v.Actions[j].Name })
}

// Action returns the action of that name, or nil.
func (v *Vehicle) Action(name string) *Action {
	for i := range v.Actions {
		if v.Actions[i].Name == name {
			return &v.Actions[i]
		}
	}
	return nil
}
