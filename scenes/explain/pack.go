package explain

import (
	"strings"
	"time"

	"vignette/scenes"
)

// The phrases for packs of cards.
var (
	sayBy       = phrase{"By", "作者"}
	sayStanding = map[scenes.Standing]phrase{
		scenes.Trusted:  {"%s, whose key is trusted here (%s)", "%s，其密钥在此受信任（%s）"},
		scenes.Lapsed:   {"%s, whose key was trusted until a day that is past (%s)", "%s，其密钥的信任期已过（%s）"},
		scenes.Unknown:  {"somebody who goes by %s; the key is not known here (%s)", "自称 %s；其密钥在此未知（%s）"},
		scenes.Unsigned: {"it says: %s; but it is not signed, anybody could have written it", "自称 %s；但未签名，任何人都可能写了它"},
	}
	sayLicence   = phrase{"licence %s", "许可证 %s"}
	sayExpires   = phrase{"to be installed before %s", "须在 %s 之前安装"}
	sayParents   = phrase{"A remix of", "改编自"}
	sayParent    = phrase{"%s by %s", "%s，作者 %s"}
	sayNeeds     = phrase{"What else the car must have", "车辆还须具备"}
	sayNeedState = phrase{"the state “%s”", "“%s”状态"}
	sayNeedPower = phrase{"to know whether it is switched on", "能判断电源是否接通"}
	sayNeedClock = phrase{"a clock that can be relied on", "可靠的时钟"}
	sayNeedSun   = phrase{"sunrise and sunset where it is", "所在地的日出与日落"}
	sayNeedPlace = phrase{"the place “%s”", "地点“%s”"}
	sayNeedPhone = phrase{"to notice the driver's phone", "能识别驾驶员的手机"}
	sayNeedIgn   = phrase{"to tell when it is switched on and off", "能告知上电与下电"}
	sayNeedBut   = phrase{"the button “%s”", "按键“%s”"}
	sayNeedEvent = phrase{"the event “%s”", "事件“%s”"}
	sayTold      = phrase{"Scenarios to try it with before it is enabled: %d", "启用前可试演的情景：%d 个"}
)

// Pack puts a pack into plain words: by whom, from what parent, what it touches,
// reads and needs, and its cards.
func Pack(p *scenes.Pack, of scenes.Standing, l Language) string {
	m := p.Manifest
	var b strings.Builder
	b.WriteString(m.Title.In(l.Tag()) + " (" + m.ID + " " + m.Version + ")\n")
	section(&b, sayBy[l], l.origin(p, of))
	var parents []string
	for _, parent := range m.Ancestors() {
		parents = append(parents, l.say(sayParent, parent.Pack, parent.Author))
	}
	if parents != nil {
		section(&b, sayParents[l], parents)
	}
	section(&b, sayTouches[l], l.Touches(m.Touches))
	if m.Reads != nil {
		section(&b, sayReads[l], l.Touches(m.Reads))
	}
	if m.Needs != nil {
		section(&b, sayNeeds[l], l.Needs(m.Needs))
	}
	if len(p.Scenarios) > 0 {
		b.WriteString(l.say(sayTold, len(p.Scenarios)) + "\n")
	}
	for _, c := range p.Cards {
		b.WriteString("\n" + Card(c, l))
	}
	return b.String()
}

// origin tells by whom a pack is, and under what terms.
func (l Language) origin(p *scenes.Pack, of scenes.Standing) []string {
	m := p.Manifest
	args := []any{m.Author}
	if of != scenes.Unsigned {
		args = append(args, p.Key.ID.String())
	}
	lines := []string{l.say(sayStanding[of], args...), l.say(sayLicence, m.Licence)}
	if !m.Expires.IsZero() {
		lines = append(lines, l.say(sayExpires, m.Expires.Format(time.DateOnly)))
	}
	return lines
}

// Touches names signals, actuators and actions in plain words, with their own
// names beside.
func (l Language) Touches(names []string) (lines []string) {
	for _, name := range names {
		plain := l.action(name)
		if strings.Contains(name, ".") {
			plain = l.signal(name)
		}
		lines = append(lines, plain+" – "+name)
	}
	if lines == nil {
		lines = []string{sayNothing[l]}
	}
	return lines
}

// Needs puts what cards need of a vehicle, as scenes.Claims names it, into words.
func (l Language) Needs(needs []string) (lines []string) {
	for _, need := range needs {
		kind, name, _ := strings.Cut(need, " ")
		switch kind {
		case "state":
			need = l.say(sayNeedState, l.state(name))
		case "power":
			need = sayNeedPower[l]
		case "clock":
			need = sayNeedClock[l]
		case "sun":
			need = sayNeedSun[l]
		case "place":
			need = l.say(sayNeedPlace, name)
		case "phone":
			need = sayNeedPhone[l]
		case "ignition":
			need = sayNeedIgn[l]
		case "button":
			need = l.say(sayNeedBut, name)
		case "event":
			need = l.say(sayNeedEvent, name)
		}
		lines = append(lines, need)
	}
	return lines
}
