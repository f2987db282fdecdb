// Package explain puts cards into plain words for drivers, in English and
// Chinese, from the card itself: what it does (Card), what it can touch and
// how often (Reach), and what has changed against an older version (Compare).
package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Language is a language that cards are explained in.
type Language int

// The languages.
const (
	English Language = iota
	Chinese
)

// ParseLanguage reads a BCP-47 tag: zh and what lies below it is Chinese, any
// other English.
func ParseLanguage(tag string) Language {
	if main, _, _ := strings.Cut(strings.ToLower(tag), "-"); main == "zh" {
		return Chinese
	}
	return English
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

// state names a drive state.
func (l Language) state(name string) string {
	if p, ok := states[name]; ok {
		return p[l]
	}
	return name
}

// duration writes a duration in its largest units, exactly.
func (l Language) duration(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name phrase
	}{
		{time.Hour, phrase{"h", "小时"}}, {time.Minute, phrase{"min", "分钟"}}, {time.Second, phrase{"s", "秒"}},
		{time.Millisecond, phrase{"ms", "毫秒"}}, {time.Microsecond, phrase{"µs", "微秒"}}, {1, phrase{"ns", "纳秒"}},
	}
	var parts []string
	for _, u := range units {
		if n := d / u.of; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+u.name[l])
			d -= n * u.of
		}
	}
	if parts == nil {
		return "0 " + units[2].name[l]
	}
	return strings.Join(parts, " ")
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
