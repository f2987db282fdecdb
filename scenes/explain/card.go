package explain

import (
	"strconv"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Card puts a card into plain words, a line each.
func Card(c *scenes.Card, l Language) string {
	var b strings.Builder
	b.WriteString(oneLine(c.Title.In(l.Tag())) + "\n")
	section(&b, sayWhen[l], l.triggers(c.When))
	if len(c.OnlyIf) > 0 {
		section(&b, sayOnlyIf[l], l.conditions(c.OnlyIf))
	}
	var steps []string
	for i := range c.Then {
		steps = append(steps, strconv.Itoa(i+1)+". "+l.step(&c.Then[i]))
	}
	section(&b, sayThen[l], steps)
	if c.Cooldown > 0 {
		b.WriteString(l.say(sayCooldown, l.duration(c.Cooldown)) + "\n")
	}
	if c.Manual {
		b.WriteString(l.say(sayManual) + "\n")
	}
	if c.DerivedFrom != "" {
		b.WriteString(l.say(sayRemix, c.DerivedFrom) + "\n")
	}
	return b.String()
}

// oneLine keeps what an author wrote from looking like lines of the explanation.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func section(b *strings.Builder, head string, lines []string) {
	b.WriteString(head + "\n")
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
}

// ended ends every line but the last with a word that joins it to the next.
func (l Language) ended(lines []string, with phrase) []string {
	for i := range len(lines) - 1 {
		lines[i] += with[l]
	}
	return lines
}

func (l Language) conditions(list []scenes.Cond) (lines []string) {
	for i := range list {
		lines = append(lines, l.condition(&list[i]))
	}
	return l.ended(lines, sayAnd)
}

func (l Language) condition(c *scenes.Cond) string {
	name, a := l.signal(c.Signal), l.value(c.Signal, c.A.String(), c.Unit.Text)
	switch c.Op {
	case engine.Above:
		return l.say(sayAbove, name, a)
	case engine.Below:
		return l.say(sayBelow, name, a)
	case engine.Between:
		return l.say(sayBetween, name, a, l.value(c.Signal, c.B.String(), c.Unit.Text))
	case engine.Is:
		return l.say(sayIs, name, a)
	case engine.IsNot:
		return l.say(sayIsNot, name, a)
	case engine.Fresh:
		return l.say(sayFresh, name)
	case engine.TimeOfDay:
		return l.say(sayTime, clock(c.From), clock(c.To))
	case engine.InState:
		return l.say(sayState, l.state(c.State.Text))
	case engine.Computed:
		return l.say(sayExpr, oneLine(c.Expr.Text))
	case engine.Not:
		return l.say(sayNot, l.inner(&c.Of[0]))
	}
	if c.Power.Text != "" {
		return l.say(sayPower, powers[c.Power.Text][l])
	}
	var parts []string
	for i := range c.Of {
		parts = append(parts, l.inner(&c.Of[i]))
	}
	if c.Op == engine.Any {
		return strings.Join(parts, sayOrIn[l])
	}
	return strings.Join(parts, sayAndIn[l])
}

// inner is a condition within another: in brackets if it combines several.
func (l Language) inner(c *scenes.Cond) string {
	s := l.condition(c)
	if (c.Op == engine.All || c.Op == engine.Any) && len(c.Of) > 1 {
		return l.say(sayGroup, s)
	}
	return s
}

func (l Language) step(s *scenes.Step) string {
	var text string
	switch s.Kind {
	case engine.Set:
		path := s.Name.Text
		text = l.say(saySet, l.signal(path), l.value(path, s.To.String(), s.Unit.Text), l.duration(s.Lease))
		switch s.AtEnd {
		case engine.Restore:
			text += sayRestore[l]
		case engine.Leave:
			text += sayLeave[l]
		case engine.SetTo:
			text += l.say(saySetTo, l.value(path, s.EndValue.String(), s.Unit.Text))
		}
	case engine.Do:
		text = l.do(s)
	case engine.Release:
		text = l.say(sayRelease, l.signal(s.Name.Text))
	case engine.Wait:
		return l.say(sayWait, l.duration(s.Wait))
	}
	if s.Continue {
		text += sayGoesOn[l]
	}
	return text
}

// do names an action with its arguments, the texts in the language.
func (l Language) do(s *scenes.Step) string {
	var args []string
	for _, a := range s.With {
		if a.Texts != nil {
			args = append(args, oneLine(a.Texts.In(l.Tag())))
		} else {
			args = append(args, l.value("", a.Value.String(), ""))
		}
	}
	name := l.action(s.Name.Text)
	if args == nil {
		return name
	}
	return l.say(sayDoText, name, strings.Join(args, "” “"))
}
