// Package explain puts cards into plain words for drivers, in English and
// Chinese, from the card itself: what it does (Card), what it can touch and
// how often (Reach), and what has changed against an older version (Compare).
package explain

import (
	"fmt"
	"strings"
)

// Language is a language that cards are explained in.
type Language int

// The languages.
const (
	English Language = iota
	Chinese
)

// ParseLanguage reads a BCP-47 tag: en, zh, or one below them.
func ParseLanguage(tag string) (Language, error) {
	switch main, _, _ := strings.Cut(strings.ToLower(tag), "-"); main {
	case "en":
		return English, nil
	case "zh":
		return Chinese, nil
	}
	return English, fmt.Errorf("no words for language %q; use en or zh", tag)
}

// Tag is the language's BCP-47 tag.
func (l Language) Tag() string { return [...]string{"en", "zh"}[l] }

// phrase is one saying in each language, for fmt.
type phrase [2]string

// say fills a phrase.
func (l Language) say(p phrase, args ...any) string {
	if len(args) == 0 {
		return p[l]
	}
	return fmt.Sprintf(p[l], args...)
}

// The phrases. %s are names, values and further phrases.
var (
	sayWhen     = phrase{"When", "何时"}
	sayOnlyIf   = phrase{"Only if", "前提"}
	sayThen     = phrase{"Then", "动作"}
	sayOr       = phrase{", or", "，或者"}
	sayAnd      = phrase{", and", "，并且"}
	sayAndIn    = phrase{" and ", "且"}
	sayOrIn     = phrase{" or ", "或"}
	sayNot      = phrase{"not: %s", "并非：%s"}
	sayGroup    = phrase{"(%s)", "（%s）"}
	sayRises    = phrase{"%s rises above %s", "%s升至 %s 以上"}
	sayFalls    = phrase{"%s falls below %s", "%s降至 %s 以下"}
	sayBecomes  = phrase{"%s becomes %s", "%s变为 %s"}
	sayLeaves   = phrase{"%s is no longer %s", "%s不再是 %s"}
	sayChanges  = phrase{"%s changes", "%s发生变化"}
	sayRearmLow = phrase{" (and again once it has been at %s or below)", "（回到 %s 或以下后才会再次触发）"}
	sayRearmHi  = phrase{" (and again once it has been at %s or above)", "（回到 %s 或以上后才会再次触发）"}
	sayHeld     = phrase{" and stays so for %s", "并保持 %s"}
	sayAbove    = phrase{"%s is above %s", "%s高于 %s"}
	sayBelow    = phrase{"%s is below %s", "%s低于 %s"}
	sayBetween  = phrase{"%s is between %s and %s", "%s在 %s 和 %s 之间"}
	sayIs       = phrase{"%s is %s", "%s为 %s"}
	sayIsNot    = phrase{"%s is not %s", "%s不为 %s"}
	sayState    = phrase{"the car is %s", "车辆处于%s状态"}
	sayExpr     = phrase{"“%s” holds", "满足“%s”"}
	saySet      = phrase{"sets %s to %s for at most %s", "将%s设为 %s，最长 %s"}
	sayRestore  = phrase{"; afterwards it goes back to what it was", "；之后恢复原来的设置"}
	sayLeave    = phrase{"; afterwards it stays so", "；之后保持不变"}
	saySetTo    = phrase{"; afterwards it is set to %s", "；之后设为 %s"}
	sayDoText   = phrase{"%s: “%s”", "%s：“%s”"}
	sayWait     = phrase{"waits %s", "等待 %s"}
	sayRelease  = phrase{"lets go of %s", "放开%s"}
	sayGoesOn   = phrase{" (if that fails, the card goes on)", "（若失败，则继续执行）"}
	sayCooldown = phrase{"After that it rests for %s.", "之后休息 %s。"}
	sayRemix    = phrase{"A remix of %s.", "改编自 %s。"}
	sayStale    = phrase{"nothing has been heard of %s for %s", "%s已有 %s 没有数据"}
	sayBack     = phrase{"%s is known again", "%s恢复数据"}
	sayRateUp   = phrase{"%s rises by more than %s a second, over %s", "%s在 %[3]s 内的上升速度超过每秒 %[2]s"}
	sayRateDown = phrase{"%s changes by less than %s a second, over %s", "%s在 %[3]s 内的变化速度低于每秒 %[2]s"}
	sayAvg      = phrase{"the average of %s", "%s的平均值"}
	sayMin      = phrase{"the least of %s", "%s的最小值"}
	sayMax      = phrase{"the greatest of %s", "%s的最大值"}
	sayOver     = phrase{"%s over the last %s", "%[2]s 内%[1]s"}
	sayCount    = phrase{"%s times within %s: %s", "%[2]s 内第 %[1]s 次：%[3]s"}
	saySequence = phrase{"%s, and then, within %s, %s", "%s，随后在 %s 内，%s"}
	sayAt       = phrase{"it is %s", "时间到 %s"}
	sayOnDays   = phrase{" on %s", "（%s）"}
	saySunrise  = phrase{"the sun rises", "日出"}
	saySunset   = phrase{"the sun sets", "日落"}
	sayAfter    = phrase{"%s after %s", "%[2]s后 %[1]s"}
	sayBefore   = phrase{"%s before %s", "%[2]s前 %[1]s"}
	sayEnter    = phrase{"the car arrives at “%s”", "到达“%s”"}
	sayGo       = phrase{"the car leaves “%s”", "离开“%s”"}
	sayNear     = phrase{"the driver's phone comes near", "手机靠近"}
	sayFar      = phrase{"the driver's phone goes away", "手机离开"}
	sayIgnOn    = phrase{"the ignition is switched on", "点火开关打开"}
	sayIgnOff   = phrase{"the ignition is switched off", "点火开关关闭"}
	sayButton   = phrase{"the button “%s” is pressed", "按下“%s”按键"}
	sayEvent    = phrase{"“%s” happens", "发生“%s”"}
	sayPower    = phrase{"the car's power is %s", "车辆电源为%s"}
	sayTime     = phrase{"it is between %s and %s", "时间在 %s 到 %s 之间"}
	sayFresh    = phrase{"%s is known", "%s数据有效"}
	sayManual   = phrase{"The driver can also run it by hand.", "驾驶员也可手动执行。"}
	sayTrue     = phrase{"on", "开"}
	sayFalse    = phrase{"off", "关"}

	sayTouches   = phrase{"What it can touch", "可以触及的内容"}
	sayNothing   = phrase{"nothing in the car", "不触及车内任何设置"}
	sayCanSet    = phrase{"sets %s to %s, for at most %s", "可将%s设为 %s，最长 %s"}
	sayCanEnd    = phrase{"; afterwards %s", "；之后%s"}
	sayEndBack   = phrase{"back to what it was", "恢复原来的设置"}
	sayEndLeave  = phrase{"it stays so", "保持不变"}
	sayEndValue  = phrase{"%s", "设为 %s"}
	sayInStates  = phrase{"only while the car is %s", "仅当车辆处于%s状态"}
	sayInAny     = phrase{"in any state of the car, moving too", "车辆处于任何状态，包括行驶中"}
	sayAsks      = phrase{"the driver is asked first", "先征得驾驶员同意"}
	sayOften     = phrase{"at most %s times an hour", "每小时最多 %s 次"}
	sayTo        = phrase{"%s to %s", "%s 至 %s"}
	sayReads     = phrase{"What it reads", "读取的信号"}
	sayNew       = phrase{"new: %s", "新增：%s"}
	sayGone      = phrase{"gone: %s", "去除：%s"}
	sayWas       = phrase{"%s (was: %s)", "%s（原为：%s）"}
	sayChanged   = phrase{"What has changed against %s", "与 %s 相比的变化"}
	sayUnchanged = phrase{"nothing that it can touch", "可以触及的内容没有变化"}
)

// states are the drive states that profiles commonly name.
var states = map[string]phrase{
	"parked": {"parked", "驻车"},
	"idling": {"idling", "怠速"},
	"moving": {"moving", "行驶"},
}

// powers are the power states of a car.
var powers = map[string]phrase{"off": {"off", "关闭"}, "accessory": {"in accessory mode", "附件档"}, "on": {"on", "打开"}}

// weekdays begin with Sunday.
var weekdays = []phrase{{"Sunday", "周日"}, {"Monday", "周一"}, {"Tuesday", "周二"}, {"Wednesday", "周三"}, {"Thursday", "周四"}, {"Friday", "周五"}, {"Saturday", "周六"}}

// state names a drive state.
func (l Language) state(name string) string {
	if p, ok := states[name]; ok {
		return p[l]
	}
	return name
}

// join joins items as the language lists them.
func (l Language) join(items []string, last phrase) string {
	switch n := len(items); n {
	case 0, 1:
		return strings.Join(items, "")
	default:
		return strings.Join(items[:n-1], phrase{", ", "、"}[l]) + last[l] + items[n-1]
	}
}
