package explain

import (
	"strings"
	"time"

	"vignette/scenes"
)

// The phrases for answer cards.
var (
	saySaid    = phrase{"You said", "您的反馈"}
	sayCameOf  = phrase{"What came of it", "处理结果"}
	sayOwnWord = phrase{"It is announced to those who said so in %s; to the others it is there to be found.", "向在 %s 中作出该选择的驾驶员通知；其他驾驶员可自行查看。"}
	sayAnswers = phrase{"An answer to those who took part in the study %s, of %s; in the car from build %s on.", "致参与研究 %s 的驾驶员，日期 %s；自 %s 版本起生效。"}
)

// Answer puts an answer card into plain words, as a driver who took part reads it.
func Answer(a *scenes.Answer, l Language) string {
	var b strings.Builder
	b.WriteString(a.Title.In(l.Tag()) + "\n")
	section(&b, saySaid[l], []string{a.Said.In(l.Tag())})
	section(&b, sayCameOf[l], []string{a.Changed.In(l.Tag())})
	b.WriteString(l.say(sayAnswers, a.Study, a.Date.Format(time.DateOnly), a.Builds[0]) + "\n")
	if len(a.Feedback) > 0 {
		b.WriteString(l.say(sayOwnWord, strings.Join(a.Feedback, sayList[l])) + "\n")
	}
	return b.String()
}
