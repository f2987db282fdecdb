package explain

import "vignette/scenes"

// The phrases for packs.
var (
	sayUnsigned  = phrase{"Nobody has signed this: anybody may have made it, or changed it on the way.", "此卡包未经签名：任何人都可能制作或在途中改动过它。"}
	sayNoName    = phrase{"It says that it is by %s, whom neither the manufacturer nor you know; its key is %s.", "自称作者为 %s，但厂商与您均不认识；其密钥为 %s。"}
	sayLapsed    = phrase{"The manufacturer vouched for %s, but only until a day that is past.", "厂商对 %s 的担保已过期。"}
	sayAccepted  = phrase{"You have accepted what %s makes; the manufacturer does not vouch for it.", "您已接受 %s 的作品；厂商不为其担保。"}
	sayCredit    = phrase{"A remix of %s by %s.", "改编自 %[2]s 的 %[1]s。"}
	sayNewParent = phrase{"Version %s of what it was made from is in this car: there is an update that this remix may not have.", "本车已有其原作的 %s 版：该更新可能未包含在此改编中。"}
)

// PackWarnings say what a driver should know of a pack before he enables its
// cards: who made it, what it is made from, and whether that has been updated
// since. Trust is the agent's word for what is known of who made it; parent the
// version of the parent that is in the car, empty: none.
func PackWarnings(p *scenes.Pack, trust, parent string, l Language) []string {
	m := p.Manifest
	text := []string{}
	switch trust {
	case scenes.Unsigned.String():
		text = append(text, sayUnsigned[l])
	case scenes.Unknown.String():
		text = append(text, l.say(sayNoName, m.Author, p.Key.ID.String()))
	case scenes.Lapsed.String():
		text = append(text, l.say(sayLapsed, m.Author))
	case scenes.Trusted.String():
	default:
		text = append(text, l.say(sayAccepted, m.Author))
	}
	if m.DerivedFrom == nil {
		return text
	}
	text = append(text, l.say(sayCredit, m.DerivedFrom.Pack, m.DerivedFrom.Author))
	if parent != "" && scenes.CompareVersions(parent, m.DerivedFrom.Version()) > 0 {
		text = append(text, l.say(sayNewParent, parent))
	}
	return text
}
