package explain

import (
	"strings"

	"vignette/scenes"
)

// lacking says what a car does not have, by scenes.LackKind; of those with two %s
// the second is a value.
var lacking = [...]phrase{
	scenes.NoLack:        {"%s", "%s"},
	scenes.LackSignal:    {"this car does not tell %s", "本车不提供%s"},
	scenes.LackActuator:  {"cards cannot set %s in this car", "本车的卡片无法设置%s"},
	scenes.LackForbidden: {"no card may set %s in this car", "本车禁止卡片设置%s"},
	scenes.LackAction:    {"this car cannot do “%s”", "本车无法执行“%s”"},
	scenes.LackState:     {"this car does not tell whether it is %s", "本车无法判断是否处于%s状态"},
	scenes.LackValue:     {"%s is never %s in this car", "本车的%s没有 %s 这个值"},
	scenes.LackRange:     {"%s cannot be set to %s in this car", "本车的%s不能设为 %s"},
	scenes.LackLease:     {"%s may not be set for as long as %s in this car", "本车的%s不能设置长达 %s"},
	scenes.LackUnit:      {"%s is not told in that unit (%s) in this car", "本车的%s不使用该单位（%s）"},
	scenes.LackEvent:     {"this car does not tell of “%s”", "本车不会告知“%s”"},
	scenes.LackPower:     {"this car does not tell whether it is switched on", "本车无法判断电源是否打开"},
	scenes.LackClock:     {"this car has no clock that can be relied on", "本车没有可靠的时钟"},
}

// Missing puts what a car lacks into words: empty where a diagnostic is of
// something else.
func Missing(d *scenes.Diagnostic, l Language) string {
	lack, say := &d.Lack, lacking[d.Lack.Kind]
	name := lack.Name
	switch lack.Kind {
	case scenes.NoLack:
		return ""
	case scenes.LackSignal, scenes.LackActuator, scenes.LackForbidden:
		return l.say(say, l.signal(name)) + phrase{" (" + name + ")", "（" + name + "）"}[l]
	case scenes.LackAction:
		name = l.action(name)
	case scenes.LackState:
		name = l.state(name)
	}
	switch strings.Count(say[l], "%s") {
	case 0:
		return say[l]
	case 1:
		return l.say(say, name)
	}
	return l.say(say, l.signal(lack.Of), name)
}
