package explain

import (
	"strings"
	"time"

	"vignette/scenes"
)

// The phrases for study cards.
var (
	sayQuestion  = phrase{"The question", "研究问题"}
	sayWhy       = phrase{"What the answer is for", "用途"}
	sayRecorded  = phrase{"What is recorded, if you say yes", "同意后记录的内容"}
	sayTask      = phrase{"%s: how you get from “%s” to “%s”", "%s：从“%s”到“%s”的操作过程"}
	sayCard      = phrase{"%s: that the scene card “%s” has acted, and whether you take that back within a minute", "%s：场景卡“%s”已执行，以及您是否在一分钟内撤销"}
	sayDeeds     = phrase{"of each: roughly how fast the car was going, and roughly how long it took you; not what the card did, nor what you did instead", "每次：大致车速与大致间隔；不记录卡片做了什么，也不记录您改成了什么"}
	sayAsk       = phrase{"that you may be asked, when the car is parked, what you think of %s: “%s” Only which of these you choose: %s. You need not answer, and each question counts once a week", "驻车时可能会询问您对%s的看法：“%s”只记录您的选择：%s。可以不回答；每个问题每周至多记录一次"}
	sayAskCard   = phrase{"the scene card “%s”", "场景卡“%s”"}
	sayAskScreen = phrase{"the screen “%s”", "屏幕“%s”"}
	sayAskElem   = phrase{"the button “%s”", "按键“%s”"}
	saySteps     = phrase{"of each step: which button, how it was touched, what came of it, and roughly how long after the step before and how fast the car was going", "每一步：触碰的按键、方式、结果，以及与上一步的大致间隔和大致车速"}
	sayWeek      = phrase{"the week; the level of driver assistance, if the car tells it; the kind of car, if there are 1,000 or more of it", "所在的周；驾驶辅助等级（若车辆提供）；车辆类别（若同类不少于 1,000 辆）"}
	sayPartOfDay = phrase{"whether it was night, morning, afternoon or evening", "深夜、上午、下午或晚间"}
	sayScreens   = phrase{"buttons that can be told apart: %d, on the screens %s; any other counts as “other”", "可区分的按键：%d 个，所在屏幕：%s；其余一律记为“其他”"}
	sayKeyboard  = phrase{"of typing: only whether it was short, medium or long, never what", "输入内容不记录，只记录长短等级"}
	sayNeverRec  = phrase{"Never: where you are, who you are, what you type, say or listen to, times of day to the minute", "绝不记录：位置、身份、输入、语音或收听的内容、精确时间"}
	sayLearnt    = phrase{"What could be learnt", "可能被得知的信息"}
	sayFleet     = phrase{"Only sequences that %d or more test vehicles have shown leave the car, at most one attempt at each task a week, without anything that links two of them.", "只有在至少 %d 辆测试车上出现过的操作序列才会离开本车；每项任务每周至多一次，且各次之间无法关联。"}
	sayFleetRisk = phrase{"It is made so that others learn no more than this: in that week some car of this kind was used so. Not that it was yours.", "其设计目标是：他人只能得知该周内有一辆同类车被这样使用过，而无法得知是否为您的车。"}
	sayReport    = phrase{"No figure in a report stands for fewer than %d vehicles.", "报告中的任何数字都不少于 %d 辆车。"}
	sayPanel     = phrase{"This is a panel of test drivers: what is recorded is personal data. Every attempt leaves the car under a number that stays the same, so all of yours can be put together.", "这是测试驾驶员小组：所记录的是个人数据。每次操作都带有同一编号离开本车，因此可以拼合成您的完整记录。"}
	sayUntil     = phrase{"Until when", "期限"}
	sayDays      = phrase{"From %s to %s, and at most %d weeks from your yes; then it stops by itself.", "自 %s 至 %s，且自同意起最多 %d 周；到期自动停止。"}
	sayStop      = phrase{"How to stop", "如何停止"}
	sayWithdraw  = phrase{"At any time, also while driving: everything that still waits in the car is deleted at once. What has left the car cannot be called back.", "可随时停止（行驶中亦可）：车内尚未发出的记录立即删除；已离开本车的数据无法撤回。"}
	sayShow      = phrase{"Until it leaves you can look at each record, byte by byte, and delete it.", "发出之前，您可以逐字节查看并删除每条记录。"}
	sayOff       = phrase{"Without your yes nothing is recorded at all.", "未经同意，不记录任何内容。"}
)

// Study puts a study card into plain words for the driver who is asked: what is
// recorded, why, until when, and what could be learnt.
func Study(s *scenes.Study, l Language) string {
	var b strings.Builder
	b.WriteString(s.Title.In(l.Tag()) + "\n")
	section(&b, sayQuestion[l], []string{s.Question.In(l.Tag())})
	section(&b, sayWhy[l], []string{s.Purpose.In(l.Tag())})
	section(&b, sayRecorded[l], l.recorded(s))
	learnt := []string{l.say(sayFleet, s.K), sayFleetRisk[l], l.say(sayReport, s.K)}
	if s.Panel {
		learnt = []string{sayPanel[l], l.say(sayReport, s.K)}
	}
	section(&b, sayLearnt[l], append(learnt, sayNeverRec[l]))
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	section(&b, sayUntil[l], []string{l.say(sayDays, day(s.From), day(s.Until.AddDate(0, 0, -1)), scenes.ConsentWeeks)})
	section(&b, sayStop[l], []string{sayWithdraw[l], sayShow[l], sayOff[l]})
	return b.String()
}

// recorded lists what the study may record.
func (l Language) recorded(s *scenes.Study) (lines []string) {
	touches, cards := l.tasks(s)
	if len(touches) > 0 {
		lines = append(touches, saySteps[l])
	}
	if len(cards) > 0 {
		lines = append(append(lines, cards...), sayDeeds[l])
	}
	lines = append(append(lines, l.asked(s)...), sayWeek[l])
	if s.PartOfDay {
		lines = append(lines, sayPartOfDay[l])
	}
	if len(touches) > 0 {
		lines = append(lines, l.registered(s)...)
	}
	return lines
}

// tasks lists what is done on screens, and the cards that are watched.
func (l Language) tasks(s *scenes.Study) (touches, cards []string) {
	for _, k := range s.Tasks {
		if k.Card != "" {
			cards = append(cards, l.say(sayCard, k.Title.In(l.Tag()), k.Card))
			continue
		}
		if len(k.Choices) == 0 {
			touches = append(touches, l.say(sayTask, k.Title.In(l.Tag()), k.Start.Name.Text, k.End.Name.Text))
		}
	}
	return touches, cards
}

// asked lists what drivers may be asked.
func (l Language) asked(s *scenes.Study) (lines []string) {
	for _, k := range s.Tasks {
		var choices []string
		for _, c := range k.Choices {
			choices = append(choices, l.say(sayQuoted, c.Text.In(l.Tag())))
		}
		if choices == nil {
			continue
		}
		kind, target := k.About()
		about := map[string]phrase{"card": sayAskCard, "screen": sayAskScreen, "element": sayAskElem}[kind]
		lines = append(lines, l.say(sayAsk, l.say(about, target), k.Title.In(l.Tag()), strings.Join(choices, sayList[l])))
	}
	return lines
}

var sayQuoted = phrase{"“%s”", "“%s”"}

// registered tells of the screens and elements.
func (l Language) registered(s *scenes.Study) (lines []string) {
	var screens []string
	elements, keyboard := 0, false
	for _, c := range s.Screens {
		screens = append(screens, c.Name)
		elements += len(c.Elements)
		for _, e := range c.Elements {
			keyboard = keyboard || e.Keyboard
		}
	}
	lines = append(lines, l.say(sayScreens, elements, strings.Join(screens, sayList[l])))
	if keyboard {
		lines = append(lines, sayKeyboard[l])
	}
	return lines
}

var sayList = phrase{", ", "、"}
