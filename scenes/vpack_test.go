package scenes

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"vignette/scenes/pack"
	"vignette/scenes/sign"
)

const eveningCard = `schema: 1
id: cool-evening
version: 1.1.0
title: {en: Cool evening}
when:
  - {signal: Vehicle.Speed, rises_above: 90, unit: km/h}
  - {sequence: [{signal: Vehicle.Cabin.Door.Row1.DriverSide.IsOpen, becomes: false}, {button: star}], within: 5s}
  - {sunset: true}
  - {place: {enter: home}}
only_if:
  - {any: [{state: parked}, {not: {power: on}}, {time: {from: "20:00", to: "06:00"}}]}
  - {expr: "Vehicle.Exterior.AirTemperature > 20 Celsius"}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 60, unit: percent, lease: 10m}
  - {wait: 1s}
  - {do: notify, with: {text: {en: Cool}}}
`

const eveningSource = `schema: 1
id: cool-evening
version: 1.1.0
title: {zh: "凉爽\n的夜晚", en: "Cool: evening"}
author: mei
licence: CC-BY-4.0
engine: 0.1.0
derived_from: {pack: cool-down@1.0.0, sha256: 1e45e7b5ae3f4c1b0b7ea1d7d1f5e0b2fa3f4a38b2d5a2f4b1c0d9e8f7a6b5c4, author: jo}
expires: 2027-12-31
cards: [cards/cool-evening.yaml]
`

// evening is the source of a pack of one card.
func evening() fstest.MapFS {
	return fstest.MapFS{"pack.yaml": {Data: []byte(eveningSource)}, "cards/cool-evening.yaml": {Data: []byte(eveningCard)}}
}

// packKey is a key that is always the same.
func packKey(t testing.TB, seed byte) *sign.SecretKey {
	t.Helper()
	k, err := sign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return &k
}

func TestPackRoundTrip(t *testing.T) {
	data, err := MakePack("src", evening(), packKey(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenPack("x.vpack", data)
	if err != nil {
		t.Fatal(err)
	}
	m := p.Manifest
	if m.Name() != "cool-evening@1.1.0" || m.Title["zh"] != "凉爽\n的夜晚" || m.DerivedFrom.Author != "jo" || m.Expires.Year() != 2027 || !p.Cards[0].Off {
		t.Errorf("read back: %+v", m)
	}
	if want := []string{"Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", "Vehicle.Exterior.AirTemperature", "Vehicle.Speed"}; !reflect.DeepEqual(m.Reads, want) {
		t.Errorf("reads %q", m.Reads)
	}
	if want := []string{"Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed", "notify"}; !reflect.DeepEqual(m.Touches, want) {
		t.Errorf("touches %q", m.Touches)
	}
	if want := []string{"button star", "clock", "place home", "power", "state parked", "sun"}; !reflect.DeepEqual(m.Needs, want) {
		t.Errorf("needs %q", m.Needs)
	}
	again, err := ParseManifest("again", m.Text())
	if err != nil || !bytes.Equal(again.Text(), m.Text()) {
		t.Errorf("written twice: %v\n%s", err, m.Text())
	}
}

// repacked is the pack of evening with a changed manifest or card, signed anew.
func repacked(t *testing.T, change func(name, text string) string, more ...pack.File) error {
	t.Helper()
	data, err := MakePack("src", evening(), nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := pack.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	files := more
	changed := len(more) > 0
	for _, f := range box.Files {
		text := change(f.Name, string(f.Data))
		changed = changed || text != string(f.Data)
		files = append(files, pack.File{Name: f.Name, Data: []byte(text)})
	}
	if !changed {
		t.Fatal("nothing changed")
	}
	if data, err = pack.Make(files, packKey(t, 1), "cool-evening@1.1.0"); err != nil {
		t.Fatal(err)
	}
	_, err = OpenPack("x.vpack", data)
	return err
}

func TestRefusedPacks(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"claims less to touch": {", notify]", "]", "pack.yaml:12:10: `touches` does not name `notify`"},
		"claims less to read":  {"Vehicle.Exterior.AirTemperature, ", "", "`reads` does not name `Vehicle.Exterior.AirTemperature`"},
		"claims no needs":      {"needs: [", "#needs: [", "`needs` does not name `clock`"},
		"claims more":          {", notify]", ", notify, open_window]", "names `open_window`, but no card"},
		"unsorted":             {"button star, clock", "clock, button star", "not sorted"},
		"claimed twice":        {", notify]", ", notify, notify]", "not sorted"},
		"another version":      {"version: 1.1.0\ntitle: {en: \"Cool:", "version: 1.2.0\ntitle: {en: \"Cool:", "the manifest is of cool-evening@1.2.0, but cool-evening@1.1.0 was signed"},
		"newer engine":         {"engine: 0.1.0", "engine: 99.0.0", "99.0.0 of the engine or newer"},
		"missing file":         {"licence:", "picture: cover.png\nlicence:", "has no file `cover.png`"},
		"named twice":          {"cards: [", "scenarios: [cards/cool-evening.yaml]\ncards: [", "is named twice"},
		"manifest as card":     {"cards: [", "cards: [pack.yaml, ", "is named twice"},
		"path":                 {"cards: [", "cards: [../x.yaml, ", "is not allowed"},
		"loop":                 {"pack: cool-down@1.0.0", "pack: cool-evening@1.1.0", ""},
		"own parent":           {"pack: cool-down@1.0.0, sha256: 1e45e7b5ae3f4c1b0b7ea1d7d1f5e0b2fa3f4a38b2d5a2f4b1c0d9e8f7a6b5c4, author: jo", "pack: cool-evening@1.1.0, sha256: 1e45e7b5ae3f4c1b0b7ea1d7d1f5e0b2fa3f4a38b2d5a2f4b1c0d9e8f7a6b5c4, author: mei", "the lineage is a loop"},
		"homoglyph":            {"author: mei", "author: mеi", "is not a handle"}, // a Cyrillic letter
		"another card id":      {"id: cool-evening\nversion: 1.1.0\ntitle: {en: Cool evening}", "id: hot-evening\nversion: 1.1.0\ntitle: {en: Cool evening}", "give both one id"},
		"a bad card":           {"rises_above: 90", "rises: 90", "x.vpack/cards/cool-evening.yaml:6:29: unknown key `rises`"},
	} {
		err := repacked(t, func(_, text string) string { return strings.Replace(text, c.from, c.to, 1) })
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	keep := func(_, text string) string { return text }
	if err := repacked(t, keep, pack.File{Name: "readme.txt", Data: []byte("x")}); err == nil || !strings.Contains(err.Error(), "does not name, `readme.txt`") {
		t.Errorf("a file more: %v", err)
	}
	if err := repacked(t, keep, pack.File{Name: "empty.txt"}); err == nil {
		t.Error("an empty file more: taken")
	}
}

func TestCompareVersions(t *testing.T) {
	// The order of https://semver.org, 11.
	list := []string{"", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0", "99999999999999999999.0.0"}
	for i, a := range list {
		for j, b := range list {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := CompareVersions(a, b); got != want {
				t.Errorf("%q against %q: %d, want %d", a, b, got, want)
			}
		}
	}
	if CompareVersions("1.0.0+a", "1.0.0+b") != 0 {
		t.Error("build metadata counts")
	}
}
