package explain

import (
	"vignette/scenes"
	"vignette/scenes/engine"
)

// The phrases for habits.
var (
	sayHabit    = phrase{"Set %s to %s when %s", "将%s设为 %s（%s时）"}
	sayHabitWhy = phrase{"On %d days, %d of %d times, you did this by hand: within half a minute after %s, you set %s to %s.", "在 %d 天中，%[3]d 次里有 %[2]d 次您手动完成：%[4]s后半分钟内，将%[5]s设为 %[6]s。"}
)

// Habit puts a card that was drafted from a habit into words: a title, and what
// was seen that speaks for it. The card has one trigger, on a signal's value or on
// an occurrence, at most one condition, a time of day, and one action, which sets
// an actuator.
func Habit(c *scenes.Card, times, of, days int, l Language) (title, why string) {
	t, s := &c.When[0], &c.Then[0]
	when := l.edge(t)
	if t.Op == engine.Occurs {
		when = l.occurs(&t.Occur)
	}
	for _, is := range c.OnlyIf {
		when += sayAndIn[l] + l.say(sayTime, clock(is.From), clock(is.To))
	}
	name, value := l.signal(s.Name.Text), l.value(s.Name.Text, s.To.String(), s.Unit.Text)
	return l.say(sayHabit, name, value, when), l.say(sayHabitWhy, days, times, of, when, name, value)
}
