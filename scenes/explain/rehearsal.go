package explain

import (
	"strconv"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/rehearse"
)

// The phrases for rehearsals.
var (
	sayPassed   = phrase{"“%s”: passed", "“%s”：通过"}
	sayFailed   = phrase{"“%s”: failed", "“%s”：未通过"}
	sayUnable   = phrase{"“%s”: cannot be tried here", "“%s”：无法在本车上试演"}
	sayMissed   = phrase{"%s expected: %s; instead: %s", "%s 预期：%s；实际：%s"}
	sayStarts   = phrase{"“%s” starts", "“%s”启动"}
	sayIsSet    = phrase{"%s is set", "设置%s"}
	sayIsSetTo  = phrase{"%s is set to %s", "将%s设为 %s"}
	sayIsEnded  = phrase{"what was set on %s ends", "结束对%s的设置"}
	sayNever    = phrase{"never %s", "不应%s"}
	sayMoment   = phrase{" at %s", "（%s 时）"}
	sayMoments  = phrase{" between %s and %s", "（%s 至 %s 之间）"}
	sayHappened = phrase{"it did%s", "发生了%s"}
	sayNoCard   = phrase{"no card does that", "没有卡片执行此操作"}
	sayNoStart  = phrase{"nothing started it", "没有触发"}
	sayNotSo    = phrase{"it is not so that %s", "不满足：%s"}
	sayAwaits   = phrase{"it waits until %s", "等待：%s"}
	sayUnknown  = phrase{"%s is not known", "%s未知"}
	sayTheTime  = phrase{"the time of day", "时间"}
	sayRests    = phrase{"it rests after it has started", "启动后正在休息"}
	sayNotWhile = phrase{"the car does not allow it while %s", "车辆处于%s状态时不允许"}
	sayNoBase   = phrase{"what it was before is not known", "原来的设置未知"}
	sayTooSoon  = phrase{"it was set a moment ago", "刚刚设置过"}
	sayTakenBy  = phrase{"“%s” has it", "由“%s”占用"}
	sayTheHand  = phrase{"the driver's hand", "驾驶员手动操作"}
)

// Rehearsal puts what came of a scenario into words, a line each: how it ended,
// and then what was expected and what happened instead, or why it cannot be tried.
func Rehearsal(r *rehearse.Result, l Language) string {
	head := [...]phrase{sayPassed, sayFailed, sayUnable}[r.Outcome]
	var lines []string
	for _, f := range r.Faults {
		lines = append(lines, f.String())
	}
	for i := range r.Missed {
		m := &r.Missed[i]
		at := r.Scenario.File + ":" + strconv.Itoa(m.Expect.Pos.Line) + ":" + strconv.Itoa(m.Expect.Pos.Column) + ":"
		lines = append(lines, l.say(sayMissed, at, l.expected(m, r.Scenario.Until), l.instead(m)))
	}
	var b strings.Builder
	section(&b, l.say(head, r.Scenario.Title.In(l.Tag())), lines)
	return b.String()
}

// expected says what should have happened.
func (l Language) expected(m *rehearse.Missed, until time.Duration) (text string) {
	e := &m.Expect
	name := e.Name.Text
	switch {
	case e.Kind == scenes.Fires:
		text = l.say(sayStarts, m.Card.Title.In(l.Tag()))
	case e.Kind == scenes.Does:
		text = l.action(name)
	case e.Kind == scenes.Ends:
		text = l.say(sayIsEnded, l.signal(name))
	case e.To.Kind == engine.None:
		text = l.say(sayIsSet, l.signal(name))
	default:
		text = l.say(sayIsSetTo, l.signal(name), l.value(name, e.To.String(), e.Unit.Text))
	}
	if e.Never {
		text = l.say(sayNever, text)
	}
	switch {
	case e.First == e.Last:
		text += l.moment(int64(e.First))
	case e.First > 0 || e.Last < until:
		text += l.say(sayMoments, l.duration(e.First), l.duration(e.Last))
	}
	return text
}

func (l Language) moment(at int64) string { return l.say(sayMoment, l.duration(time.Duration(at))) }

// instead says what happened.
func (l Language) instead(m *rehearse.Missed) string {
	var parts []string
	for i := range m.Instead {
		r := &m.Instead[i]
		what := l.why(m.Card, r.Why)
		switch r.What {
		case engine.Fired, engine.Ended:
			what = l.say(sayHappened, "")
		case engine.Acted:
			if what = l.say(sayHappened, ""); r.Value.Kind != engine.None && r.Actuator != "" {
				what = l.say(sayIsSetTo, l.signal(r.Actuator), l.engineValue(r.Actuator, r.Value))
			}
		}
		parts = append(parts, what+l.moment(r.T))
	}
	switch {
	case parts != nil:
		return strings.Join(parts, phrase{"; ", "；"}[l])
	case m.Card == nil:
		return sayNoCard[l]
	case m.State.Why == "":
		return sayNoStart[l]
	}
	return l.why(m.Card, m.State.Why)
}

// engineValue writes a value of a record.
func (l Language) engineValue(path string, v engine.Value) string {
	switch v.Kind {
	case engine.Bool:
		return l.value(path, strconv.FormatBool(v.Num == 1), "")
	case engine.Label:
		return v.Text
	}
	return number(v.Num)
}

// why puts the reason of a record about a card, or of a card's state, into words;
// one that has none is told as it is.
func (l Language) why(c *scenes.Card, why string) string {
	kind, name, _ := strings.Cut(why, ":")
	switch kind {
	case "unknown":
		if name == "clock" {
			return l.say(sayUnknown, sayTheTime[l])
		}
		return l.say(sayUnknown, l.signal(name))
	case "cooldown":
		return sayRests[l]
	case "state":
		return l.say(sayNotWhile, l.state(name))
	case "base":
		return sayNoBase[l]
	case "interval":
		return sayTooSoon[l]
	case "winner":
		if name == "driver" {
			name = sayTheHand[l]
		}
		return l.say(sayTakenBy, name)
	}
	place, index, _ := strings.Cut(strings.TrimSuffix(why, "]"), "[")
	i, err := strconv.Atoi(index)
	switch {
	case err != nil || c == nil:
	case place == "only_if" && i < len(c.OnlyIf):
		return l.say(sayNotSo, l.condition(&c.OnlyIf[i]))
	case place == "trigger" && i < len(c.When):
		return l.say(sayAwaits, l.trigger(&c.When[i]))
	}
	return why
}
