package catalog

import (
	"fmt"
	"hash/fnv"
	mathbits "math/bits"
	"slices"
	"strings"
)

// topic is what a card is about, as drivers look for it.
type topic struct {
	name  string
	hue   int // of its pictures
	Title Title
	parts []string // of the paths and actions that make it this
	glyph string   // drawn on pictures of 320 × 180, with strokes
}

// topics are in the order in which they are offered. The first one that has a part
// of what a card touches is its picture's.
var topics = []topic{
	{"climate", 200, Title{"Climate", "空调"}, []string{".HVAC.", "AirTemperature", "Defrost"},
		`<path d="M92 74h96a20 20 0 1 0-20-20M92 98h132a22 22 0 1 1-22 22M92 122h72a16 16 0 1 1-16 16"/>`},
	{"light", 38, Title{"Light", "灯光"}, []string{".Light", "Lights.", "AmbientLight", "Brightness", "DayNight"},
		`<circle cx="160" cy="86" r="30"/><path d="M148 130h24M152 142h16M160 34v-12M112 86h-12M220 86h-12M126 52l-9-9M194 52l9-9"/>`},
	{"seat", 16, Title{"Seats", "座椅"}, []string{".Seat.", "SteeringWheel.Heating"},
		`<path d="M134 40l12 62h44a12 12 0 0 1 12 12v10h-62a14 14 0 0 1-14-11l-13-62a9 9 0 0 1 21-11zM146 124v18M194 124v18"/>`},
	{"openings", 165, Title{"Doors and windows", "门窗"}, []string{".Door.", ".Window.", ".Sunroof.", ".Shade.", ".Trunk.", "Mirrors", "IsLocked"},
		`<path d="M110 92l34-46h66v90h-100zM110 92h100M186 108h12"/>`},
	{"media", 268, Title{"Sound", "声音"}, []string{".Media.", "Volume", "Audio", "speak"},
		`<path d="M118 104V80M139 124V60M160 138V46M181 120V64M202 104V80"/>`},
	{"energy", 130, Title{"Charging and range", "充电与续航"}, []string{"TractionBattery", "Charging", ".Range", "StateOfCharge", "Fuel"},
		`<rect x="104" y="62" width="104" height="60" rx="10"/><path d="M216 82v20M160 70l-14 24h28l-14 24"/>`},
	{"drive", 218, Title{"Driving", "驾驶"}, []string{"Powertrain.Transmission", "Vehicle.Speed", "Chassis", "ADAS", "Acceleration"},
		`<path d="M120 142l26-98M200 142l-26-98M160 52v14M160 82v16M160 114v20"/>`},
	{"message", 190, Title{"Messages", "提示"}, []string{"notify", "show_tip", "note"},
		`<path d="M110 48h100a10 10 0 0 1 10 10v54a10 10 0 0 1-10 10h-54l-22 20v-20h-24a10 10 0 0 1-10-10V58a10 10 0 0 1 10-10zM126 74h68M126 96h44"/>`},
	{"other", 240, Title{"Other", "其他"}, nil,
		`<circle cx="130" cy="90" r="12"/><circle cx="196" cy="60" r="12"/><circle cx="196" cy="120" r="12"/><path d="M141 85l44-20M141 95l44 20"/>`},
}

// topicsOf are those of a pack, as bits, and the first of them: of what it touches,
// and if it only shows or says something, of what it reads.
func topicsOf(touches, reads []string) (bits int, first int) {
	bits = about(touches)
	if !slices.ContainsFunc(touches, func(t string) bool { return strings.Contains(t, ".") }) {
		bits |= about(reads)
	}
	if bits == 0 {
		bits = 1 << (len(topics) - 1)
	}
	return bits, mathbits.TrailingZeros(uint(bits))
}

// about are the topics of some paths and actions.
func about(names []string) (bits int) {
	for i := range topics {
		if topics[i].has(names) {
			bits |= 1 << i
		}
	}
	return bits
}

func (t *topic) has(names []string) bool {
	for _, n := range names {
		for _, p := range t.parts {
			if strings.Contains(n, p) {
				return true
			}
		}
	}
	return false
}

// variants is how many pictures are drawn of each topic.
const variants = 8

// art is the path of the picture that stands for a pack without one of its own: by
// what it is about, and by its id.
func art(id string, topic int) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return fmt.Sprintf("art/%s-%d.svg", topics[topic].name, h.Sum32()%variants)
}

// drawings are all such pictures by path.
func drawings() map[string][]byte {
	list := map[string][]byte{}
	for i := range topics {
		for v := range variants {
			list[fmt.Sprintf("art/%s-%d.svg", topics[i].name, v)] = draw(&topics[i], v)
		}
	}
	return list
}

// draw draws a topic's glyph over two hills in the topic's colours.
func draw(t *topic, v int) []byte {
	hue := (t.hue + 344 + 4*v) % 360
	x, y, lift := 40+30*v, 120+4*(v%4), 18*(v%3)
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" width="320" height="180">`+
		`<rect width="320" height="180" fill="hsl(%d 32%% 45%%)"/>`+
		`<circle cx="%d" cy="%d" r="52" fill="hsl(%d 46%% 58%%)"/>`+
		`<path d="M0 %d Q 80 %d 160 %d T 320 %d V 180 H 0 Z" fill="hsl(%d 36%% 38%%)"/>`+
		`<path d="M0 %d Q 100 %d 190 %d T 320 %d V 180 H 0 Z" fill="hsl(%d 40%% 30%%)"/>`+
		`<g fill="none" stroke="#fff" stroke-opacity=".92" stroke-width="7" stroke-linecap="round" stroke-linejoin="round" transform="translate(160 90) scale(.72) translate(-160 -88)">%s</g></svg>`+"\n",
		hue, x, 40+lift, (hue+24)%360, y, y-50+lift, y-10, y-20, hue, y+34, y, y+24, y+10-lift/2, (hue+12)%360, t.glyph)
}
