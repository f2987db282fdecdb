package explain

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"vignette/scenes"
)

func TestSignalNames(t *testing.T) {
	for _, c := range []struct{ path, en, zh string }{
		{"Vehicle.Speed", "the speed", "车速"},
		{"Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed", "the fan (front, driver)", "前排驾驶员侧风量"},
		{"Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen", "the door (second row, passenger's side)", "第二排副驾侧车门"},
		{"Vehicle.Cabin.HVAC.Station.Row1.Passenger.Temperature", "the set temperature (front, passenger)", "前排副驾侧空调温度"},
		{"Private.Tesla.BrakePedal", "brake pedal", "brake pedal"},
		{"Private.Vendor.HVACState_2", "HVAC state 2", "HVAC state 2"},
	} {
		if en, zh := English.signal(c.path), Chinese.signal(c.path); en != c.en || zh != c.zh {
			t.Errorf("%s: %q and %q; want %q and %q", c.path, en, zh, c.en, c.zh)
		}
	}
}

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		d      time.Duration
		en, zh string
	}{
		{0, "0 s", "0 秒"},
		{1500 * time.Millisecond, "1 s 500 ms", "1 秒 500 毫秒"},
		{90 * time.Minute, "1 h 30 min", "1 小时 30 分钟"},
		{7 * time.Nanosecond, "7 ns", "7 纳秒"},
	} {
		if en, zh := English.duration(c.d), Chinese.duration(c.d); en != c.en || zh != c.zh {
			t.Errorf("%v: %q and %q; want %q and %q", c.d, en, zh, c.en, c.zh)
		}
	}
}

// TestPhrasesAreWhole holds that both languages say something with the same
// arguments.
func TestPhrasesAreWhole(t *testing.T) {
	for _, tables := range []map[string]phrase{leaves, states, actions, gears} {
		for key, p := range tables {
			if p[English] == "" || p[Chinese] == "" {
				t.Errorf("%s has no words in one of the languages: %q", key, p)
			}
		}
	}
	for _, p := range []phrase{sayRises, sayFalls, sayHeld, sayBetween, saySet, saySetTo, sayDoText, sayCanSet, sayOften, sayWas, sayChanged} {
		if n := strings.Count(p[English], "%s"); n == 0 || n != strings.Count(p[Chinese], "%s") {
			t.Errorf("%q and %q differ in what they take", p[English], p[Chinese])
		}
	}
}

// TestEveryCardIsExplained holds that each card of the traces, whatever it
// uses, is put into words without a hole.
func TestEveryCardIsExplained(t *testing.T) {
	cards, err := scenes.LoadCards("../../testdata/drive/cards", "../../testdata/tesla/cards")
	if err != nil {
		t.Fatal(err)
	}
	traces, err := filepath.Glob("../../testdata/meaning/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range traces {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if !strings.HasPrefix(f.Name, "cards") {
				continue
			}
			c, err := scenes.ParseCard(name+": "+f.Name, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			cards = append(cards, c)
		}
	}
	for _, c := range cards {
		for _, l := range []Language{English, Chinese} {
			text := Card(c, l)
			if strings.Contains(text, "%!") || strings.Contains(text, "%s") || strings.Contains(text, "  \n") || !strings.HasPrefix(text, c.Title.In(l.Tag())) {
				t.Errorf("%s:\n%s", c.ID, text)
			}
		}
	}
}

func TestWider(t *testing.T) {
	was := Touch{Actuator: "A", Min: "10", Max: "20", min: 10, max: 20, lease: time.Minute, Ends: []string{"restore"}, States: []string{"parked"}, Hourly: 4}
	for name, c := range map[string]struct {
		change func(*Touch)
		want   bool
	}{
		"same":        {func(*Touch) {}, false},
		"higher":      {func(t *Touch) { t.max = 21 }, true},
		"narrower":    {func(t *Touch) { t.max = 19 }, false},
		"longer":      {func(t *Touch) { t.lease++ }, true},
		"other end":   {func(t *Touch) { t.Ends = []string{"leave"} }, true},
		"more states": {func(t *Touch) { t.States = []string{"moving", "parked"} }, true},
		"more often":  {func(t *Touch) { t.Hourly = 5 }, true},
		"unbounded":   {func(t *Touch) { t.Hourly = 0 }, true},
	} {
		now := was
		c.change(&now)
		if got := now.wider(&was); got != c.want {
			t.Errorf("%s: wider %v, want %v", name, got, c.want)
		}
	}
}
