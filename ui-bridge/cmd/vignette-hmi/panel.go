package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
)

// labels are the words of the panel by language.
var labels = map[string]map[string]string{
	"en": {"waiting": "waiting for the agent", "consent": "consent to the demo study given", "no_study": "the demo study is not asked", "speed": "speed", "gear": "gear",
		"cabin": "cabin", "outside": "outside", "charge": "battery", "notice": "notice", "tip": "tip", "car": "car", "set": "set", "for": "for",
		"fired": "started", "blocked": "did nothing:", "denied": "was refused:", "lost": "gave way:", "failed": "failed:",
		"ended": "is over:", "quarantined": "is quarantined:", "override": "the driver's hand:", "end": "the agent has ended",
		"answer": "answer", "said": "you said", "changed": "we changed", "took": "weeks that it took us"},
	"zh": {"waiting": "等待座舱代理", "consent": "已同意演示研究", "no_study": "没有演示研究", "speed": "车速", "gear": "挡位",
		"cabin": "车内", "outside": "车外", "charge": "电量", "notice": "通知", "tip": "提示", "car": "车辆", "set": "设置", "for": "持续",
		"fired": "已触发", "blocked": "未执行：", "denied": "被拒绝：", "lost": "让位：", "failed": "失败：",
		"ended": "已结束：", "quarantined": "已隔离：", "override": "驾驶员手动：", "end": "座舱代理已退出",
		"answer": "答复", "said": "您的反馈", "changed": "我们的改进", "took": "用时（周）"},
}

// gauge is a watched signal and how it is shown.
type gauge struct{ path, label, unit string }

var gauges = []gauge{
	{"Vehicle.Speed", "speed", " km/h"},
	{gearPath, "gear", ""},
	{"Vehicle.Cabin.HVAC.AmbientAirTemperature", "cabin", " °C"},
	{"Vehicle.Exterior.AirTemperature", "outside", " °C"},
	{"Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", "charge", " %"},
}

// watched are the paths of all gauges.
func watched() []string {
	var paths []string
	for _, g := range gauges {
		paths = append(paths, g.path)
	}
	return paths
}

// panelLines is how many of the latest lines the live panel keeps.
const panelLines = 16

// panel shows the head unit: redrawn in place on a terminal, line by line elsewhere.
type panel struct {
	w     io.Writer
	live  bool
	words map[string]string
	now   map[string]dbus.Variant
	last  string // the gauges as last printed
	lines []string
}

func newPanel(w io.Writer, lang string) *panel {
	return &panel{w: w, live: isTerminal(w), words: labels[lang]}
}

// isTerminal reports whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// say shows one of our own lines.
func (p *panel) say(word string) { p.line("-- " + p.words[word]) }

// end leaves the panel.
func (p *panel) end() {
	p.print(p.gauges())
	p.say("end")
}

// values takes what the watched signals are now.
func (p *panel) values(v map[string]dbus.Variant) {
	before := p.now[gearPath].Value()
	p.now = v
	if p.live {
		p.draw()
	} else if v[gearPath].Value() != before {
		p.print(p.gauges())
	}
}

// tick shows the gauges where they are not live.
func (p *panel) tick() {
	if !p.live {
		p.print(p.gauges())
	}
}

// print writes a line of gauges unless it would repeat the last one.
func (p *panel) print(s string) {
	if !p.live && s != p.last {
		fmt.Fprintln(p.w, s)
		p.last = s
	}
}

// gauges is one line of all watched signals; unknown ones are dashes.
func (p *panel) gauges() string {
	var parts []string
	for _, g := range gauges {
		text := "--"
		if v, ok := p.now[g.path]; ok {
			text = gaugeText(g, v.Value()) + g.unit
		}
		parts = append(parts, p.words[g.label]+" "+text)
	}
	return strings.Join(parts, "   ")
}

// gaugeText shows a value; VSS's gears have letters on a display.
func gaugeText(g gauge, v any) string {
	f, ok := v.(float64)
	if !ok {
		return fmt.Sprint(v)
	}
	if g.path != gearPath {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	switch f {
	case 126:
		return "P"
	case 127:
		return "D"
	case 0:
		return "N"
	case -1:
		return "R"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// asked shows what the agent asked us to do.
func (p *panel) asked(c received) {
	switch {
	case c.method == "Notify" && len(c.args) == 2:
		p.line(fmt.Sprintf("%s: %s", p.words["notice"], visible(c.args[1])))
	case c.method == "ShowTip" && len(c.args) == 2:
		p.line(fmt.Sprintf("%s: %s", p.words["tip"], visible(c.args[1])))
	case c.method == "SetActuator" && len(c.args) == 3:
		p.line(fmt.Sprintf("%s: %s %s", p.words["car"], leaf(fmt.Sprint(c.args[0])), visible(plain(c.args[1]))))
	default:
		p.line(fmt.Sprintf("%s %s", c.method, visible(c.args)))
	}
}

// decided shows what a card did, and why one did nothing.
func (p *panel) decided(d decision) {
	word := p.words[d.What]
	switch d.What {
	case "acted":
		if d.Action != "set" && d.Action != "end" {
			return // its call is shown
		}
		lease := ""
		if d.Lease > 0 {
			lease = fmt.Sprintf(", %s %.3g s", p.words["for"], d.Lease)
		}
		p.line(fmt.Sprintf("%s: %s %s = %s%s", visible(d.Card), p.words["set"], leaf(d.Actuator), visible(d.Value), lease))
	case "fired":
		p.line(fmt.Sprintf("%s %s (%s)", visible(d.Card), word, visible(d.Why)))
	case "override":
		p.line(fmt.Sprintf("%s %s = %s", word, leaf(d.Actuator), visible(d.Value)))
	case "blocked", "denied", "lost", "failed", "ended", "quarantined":
		p.line(fmt.Sprintf("%s %s %s", visible(d.Card), word, visible(d.Why)))
	}
}

// plain takes a value out of its D-Bus variant.
func plain(v any) any {
	if variant, ok := v.(dbus.Variant); ok {
		return variant.Value()
	}
	return v
}

// leaf is the last two words of a path.
func leaf(path string) string {
	parts := strings.Split(visible(path), ".")
	return strings.Join(parts[max(0, len(parts)-2):], ".")
}

// visible is a value as text without control characters, which a terminal
// would obey.
func visible(v any) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, fmt.Sprint(v))
}

// line adds a line of what happened.
func (p *panel) line(s string) {
	if !p.live {
		fmt.Fprintln(p.w, s)
		return
	}
	p.lines = append(p.lines, s)
	p.lines = p.lines[max(0, len(p.lines)-panelLines):]
	p.draw()
}

// draw redraws the live panel: from the top left, each line cleared to its end,
// the rest of the screen cleared (ECMA-48 CUP, EL, ED).
func (p *panel) draw() {
	fmt.Fprintf(p.w, "\x1b[H%s\x1b[K\n\x1b[K\n%s\x1b[K\n\x1b[J", p.gauges(), strings.Join(p.lines, "\x1b[K\n"))
}
