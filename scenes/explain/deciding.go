package explain

import (
	"fmt"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// The phrases of triggers and conditions that are not about one value now.
var (
	sayStale     = phrase{"nothing has been heard of %s for %s", "%s已有 %s 没有数据"}
	sayRecovered = phrase{"%s is heard of again after a silence", "%s在中断后恢复数据"}
	sayCount     = phrase{"%s, %s times within %s", "%s，%s 次（%s 内）"}
	saySequence  = phrase{"first %s, then %s, at most %s later", "先%s，再%s，相隔不超过 %s"}
	sayAt        = phrase{"it is %s", "时间到 %s"}
	sayOn        = phrase{" on %s", "（%s）"}
	sayBefore    = phrase{"%s before %s", "%[2]s前 %[1]s"}
	sayAfter     = phrase{"%s after %s", "%[2]s后 %[1]s"}
	sayFresh     = phrase{"%s is known at the time", "%s当时有数据"}
	sayPower     = phrase{"the car's power is %s", "车辆电源为%s"}
	sayTime      = phrase{"it is between %s and %s", "时间在 %s 和 %s 之间"}
)

// figures name what a window measures.
var figures = map[engine.TriggerOp]phrase{
	engine.Rate: {"the change per second of %s over %s", "%s在 %s 内的每秒变化"},
	engine.Avg:  {"the average of %s over %s", "%s在 %s 内的平均值"},
	engine.Min:  {"the lowest of %s over %s", "%s在 %s 内的最低值"},
	engine.Max:  {"the highest of %s over %s", "%s在 %s 内的最高值"},
}

// occurs are what happens, by kind and word; %s is the name where there is one.
var occurs = map[string]phrase{
	"place enter":  {"you arrive at %s", "到达 %s"},
	"place leave":  {"you leave %s", "离开 %s"},
	"phone near":   {"your phone comes near", "手机靠近"},
	"phone far":    {"your phone goes away", "手机远离"},
	"ignition on":  {"the ignition is switched on", "点火开关打开"},
	"ignition off": {"the ignition is switched off", "点火开关关闭"},
	"button":       {"the button “%s” is pressed", "按下按键“%s”"},
	"event":        {"“%s” happens", "发生“%s”"},
}

var weekdays = []phrase{{"Sunday", "周日"}, {"Monday", "周一"}, {"Tuesday", "周二"}, {"Wednesday", "周三"}, {"Thursday", "周四"}, {"Friday", "周五"}, {"Saturday", "周六"}}

var powers = map[string]phrase{"off": {"off", "关闭"}, "accessory": {"on for accessories only", "附件供电"}, "on": {"on", "开启"}}

// deciding says a trigger that is no threshold and no value.
func (l Language) deciding(t *scenes.Trigger) string {
	name := l.signal(t.Signal.Text)
	switch t.Op {
	case engine.StaleFor:
		return l.say(sayStale, name, l.duration(t.Over))
	case engine.Recovered:
		return l.say(sayRecovered, name)
	case engine.Rate, engine.Avg, engine.Min, engine.Max:
		figure, x := l.say(figures[t.Op], name, l.duration(t.Over)), l.value(t.Signal.Text, t.X.String(), t.Unit.Text)
		if t.Below {
			return l.say(sayFalls, figure, x)
		}
		return l.say(sayRises, figure, x)
	case engine.Count:
		return l.say(sayCount, l.trigger(&t.Of[0]), fmt.Sprint(t.N), l.duration(t.Over))
	case engine.Sequence:
		return l.say(saySequence, l.trigger(&t.Of[0]), l.trigger(&t.Of[1]), l.duration(t.Over))
	case engine.WallTime:
		return l.say(sayAt, clockTime(t.At)) + l.days(t.Days)
	case engine.Sunrise:
		return l.sun(phrase{"sunrise", "日出"}, t.Offset)
	case engine.Sunset:
		return l.sun(phrase{"sunset", "日落"}, t.Offset)
	}
	o := t.Occur
	p := occurs[strings.TrimSuffix(o.Kind+" "+o.Word, " ")]
	if o.Name.Text == "" {
		return l.say(p)
	}
	return l.say(p, o.Name.Text)
}

func clockTime(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// days says on which days of the week, where not on all.
func (l Language) days(days uint8) string {
	var names []string
	for i, day := range weekdays {
		if days>>i&1 != 0 {
			names = append(names, day[l])
		}
	}
	if len(names) == len(weekdays) {
		return ""
	}
	return l.say(sayOn, l.join(names, phrase{" and ", "、"}))
}

func (l Language) sun(what phrase, offset time.Duration) string {
	switch {
	case offset < 0:
		return l.say(sayBefore, l.duration(-offset), what[l])
	case offset > 0:
		return l.say(sayAfter, l.duration(offset), what[l])
	}
	return l.say(sayAt, what[l])
}
