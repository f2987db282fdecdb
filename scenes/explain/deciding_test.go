package explain

import (
	"strings"
	"testing"

	"vignette/scenes"
)

// Each kind of trigger and condition, in both languages.
func TestDecidingWords(t *testing.T) {
	for _, c := range []struct{ when, onlyIf, en, zh string }{
		{"{signal: Vehicle.Speed, stale_for: 5s}", "{signal: Vehicle.Speed, fresh: true}", "nothing has been heard of the speed for 5 s|the speed is known at the time", "车速已有 5 秒 没有数据|车速当时有数据"},
		{"{signal: Vehicle.Speed, recovered: true}", "{power: accessory}", "the speed is heard of again after a silence|the car's power is on for accessories only", "车速在中断后恢复数据|车辆电源为附件供电"},
		{"{signal: Vehicle.Speed, avg: {above: 80, over: 10m}, unit: km/h}", `{time: {from: "22:00", to: "06:30"}}`,
			"the average of the speed over 10 min rises above 80 km/h|it is between 22:00 and 06:30", "车速在 10 分钟 内的平均值升至 80 km/h 以上|时间在 22:00 和 06:30 之间"},
		{"{signal: Vehicle.Speed, max: {below: 5, over: 1m}, unit: km/h}", "{not: {power: on}}", "the highest of the speed over 1 min falls below 5 km/h|not: the car's power is on", "车速在 1 分钟 内的最高值降至 5 km/h 以下|并非：车辆电源为开启"},
		{"{count: {of: {button: star}, reaches: 3, within: 2s}}", "{power: off}", "the button “star” is pressed, 3 times within 2 s|the car's power is off", "按下按键“star”，3 次（2 秒 内）|车辆电源为关闭"},
		{"{sequence: [{ignition: off}, {phone: far}], within: 5m}", "{power: on}", "first the ignition is switched off, then your phone goes away, at most 5 min later", "先点火开关关闭，再手机远离，相隔不超过 5 分钟"},
		{`{at: "07:30", on: [mon, fri]}`, "{power: on}", "it is 07:30 on Monday and Friday", "时间到 07:30（周一、周五）"},
		{`{at: "07:30"}`, "{power: on}", "it is 07:30\n", "时间到 07:30\n"},
		{"{sunrise: true}", "{power: on}", "it is sunrise", "时间到 日出"},
		{"{sunset: true, offset: -30m}", "{power: on}", "30 min before sunset", "日落前 30 分钟"},
		{"{place: {enter: home}}", "{power: on}", "you arrive at home", "到达 home"},
		{"{place: {leave: home}}", "{power: on}", "you leave home", "离开 home"},
		{"{event: welcome}", "{power: on}", "“welcome” happens", "发生“welcome”"},
	} {
		card, err := scenes.ParseCard("a.yaml", []byte("schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A card}\nwhen: ["+c.when+"]\nonly_if: ["+c.onlyIf+"]\nthen: [{wait: 1s}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		for l, want := range map[Language]string{English: c.en, Chinese: c.zh} {
			text := Card(card, l)
			for part := range strings.SplitSeq(want, "|") {
				if !strings.Contains(text, part) || strings.Contains(text, "%!") {
					t.Errorf("%s:\n%swant %q", c.when, text, part)
				}
			}
		}
	}
}
