// Package packs makes packs of cards by the thousand, all different, for tests
// and benchmarks of catalogues: cards by template, authors with keys of their own,
// remixes, new versions, pictures. The same seed makes the same bytes.
package packs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"

	"vignette/scenes"
	"vignette/scenes/sign"
)

// kind is a template of cards: %d is a number that differs from card to card.
type kind struct {
	id, en, zh       string
	when, only, then string
	from, step, many int // of the number
}

// words are what titles begin with.
var words = []struct{ id, en, zh string }{
	{"calm", "Calm", "宁静"}, {"cosy", "Cosy", "温馨"}, {"quick", "Quick", "快捷"}, {"gentle", "Gentle", "轻柔"}, {"bright", "Bright", "明亮"}, {"early", "Early", "清晨"},
	{"evening", "Evening", "傍晚"}, {"winter", "Winter", "冬日"}, {"summer", "Summer", "夏日"}, {"family", "Family", "家庭"}, {"city", "City", "城市"}, {"mountain", "Mountain", "山路"},
	{"school-run", "School run", "接送孩子"}, {"weekend", "Weekend", "周末"}, {"commuter", "Commuter", "通勤"}, {"holiday", "Holiday", "假日"}, {"rainy", "Rainy day", "雨天"}, {"night", "Night", "夜晚"},
}

const tip = `{do: notify, with: {text: {en: "%s", zh: "%s"}}, on_error: continue}`

var kinds = []kind{
	{"cool-cabin", "cool cabin", "清凉座舱", `{signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, rises_above: %d, unit: Celsius}`, `{state: parked}`,
		`{set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 60, unit: percent, lease: 2m, at_end: restore}`, 22, 1, 20},
	{"warm-seat", "warm seat", "座椅加热", `{signal: Vehicle.Cabin.Seat.Row1.DriverSide.OccupancyStatus, becomes: OCCUPIED}`, `{signal: Vehicle.Exterior.AirTemperature, below: %d, unit: Celsius}`,
		`{set: Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling, to: 40, unit: percent, lease: 10m, at_end: {set: 0}}`, 2, 1, 18},
	{"soft-light", "soft light", "柔和灯光", `{signal: Vehicle.Body.Raindetection.Intensity, rises_above: %d, unit: percent, held_for: 5s}`, `{not: {state: parked}}`,
		`{set: Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity, to: 10, unit: percent, lease: 40s, at_end: restore}`, 10, 2, 30},
	{"charge-hint", "charge hint", "充电提醒", `{signal: Vehicle.Powertrain.TractionBattery.StateOfCharge.Current, falls_below: %d, unit: percent}`, ``,
		fmt.Sprintf(tip, "Shall we look for a charger?", "需要查找充电站吗？"), 10, 1, 40},
	{"motorway-air", "motorway air", "高速清风", `{signal: Vehicle.Speed, rises_above: %d, unit: km/h, held_for: 30s}`, `{signal: Vehicle.Exterior.AirTemperature, between: [5, 30], unit: Celsius}`,
		`{set: Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature, to: 19.5, unit: Celsius, lease: 2m, at_end: restore}`, 80, 2, 25},
	{"goodbye", "goodbye", "下车提醒", `{signal: Vehicle.Cabin.Seat.Row1.PassengerSide.OccupancyStatus, leaves: OCCUPIED}`, `{signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, above: %d, unit: Celsius}`,
		`{do: show_tip, with: {text: {en: "Please take your belongings along.", zh: "请带好随身物品。"}}}`, 10, 1, 25},
	{"home-lights", "lights at home", "到家灯光", `{place: {enter: home}}`, `{signal: Vehicle.Exterior.LightIntensity, below: %d, unit: percent}`,
		`{set: Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity, to: 40, unit: percent, lease: 5m, at_end: restore}`, 5, 2, 30},
	{"quiet-reverse", "quiet reversing", "倒车静音", `{signal: Vehicle.Powertrain.Transmission.SelectedGear, becomes: -1}`, `{signal: Vehicle.Cabin.Infotainment.Media.Volume, above: %d, unit: percent}`,
		`{set: Vehicle.Cabin.Infotainment.Media.Volume, to: 10, unit: percent, lease: 8s, at_end: restore}`, 12, 2, 30},
	{"window-shut", "windows shut", "关窗", `{signal: Vehicle.Body.Raindetection.Intensity, rises_above: %d, unit: percent}`, `{state: parked}`,
		`{set: Vehicle.Cabin.Door.Row1.DriverSide.Window.Position, to: 0, unit: percent, lease: 10m, at_end: leave}`, 15, 3, 20},
	{"star-button", "star button", "星标按键", `{button: star}`, `{signal: Vehicle.Speed, below: %d, unit: km/h}`,
		`{set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 30, unit: percent, lease: 3m, at_end: restore}`, 20, 5, 20},
}

// made is a pack that others may be remixes or new versions of.
type made struct {
	author, minor      int
	id, en, zh         string
	kind, number, word int
	sum                string
	origin             string // derived_from
}

// authors is how many people make packs.
const authors = 400

// maker makes packs one after the other.
type maker struct {
	random *rand.Rand
	keys   [authors]sign.SecretKey
	all    []made
	taken  map[string]bool // ids of an author, and versions
}

// Write makes n packs in dir, which must be there. Three of ten are remixes of
// earlier ones, one of ten a new version, one of fifty is unsigned; one of four
// has a picture.
func Write(dir string, n int, seed uint64) error {
	w := maker{random: rand.New(rand.NewPCG(seed, 0)), taken: map[string]bool{}}
	for i := range w.keys {
		k, err := sign.GenerateKey(bytes.NewReader(keySeed(seed, i)))
		if err != nil {
			return err
		}
		w.keys[i] = k
	}
	for i := range n {
		m := w.next()
		data, err := m.make(w.key(&m), w.random.IntN(4) == 0)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		m.sum = hex.EncodeToString(sum[:])
		w.all = append(w.all, m)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d-%s.vpack", i, m.id)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// key is what a pack is signed with: its author's, if there is one.
func (w *maker) key(m *made) *sign.SecretKey {
	if m.author%50 == 0 {
		return nil
	}
	return &w.keys[m.author]
}

// next draws a pack.
func (w *maker) next() made {
	roll := w.random.IntN(10)
	if len(w.all) == 0 {
		roll = 9
	}
	if roll == 0 {
		m := w.all[w.random.IntN(len(w.all))]
		for m.minor++; w.taken[m.version()]; m.minor++ {
		}
		w.taken[m.version()] = true
		m.number++
		return m
	}
	m := made{author: w.random.IntN(authors), kind: w.random.IntN(len(kinds)), word: w.random.IntN(len(words))}
	if roll < 4 {
		old := &w.all[w.random.IntN(len(w.all))]
		m.kind = old.kind
		m.origin = fmt.Sprintf("derived_from: {pack: %s@1.%d.0, sha256: %s, author: %s}\n", old.id, old.minor, old.sum, handle(old.author))
	}
	k, word := &kinds[m.kind], words[m.word]
	m.number = k.from + k.step*w.random.IntN(k.many)
	m.en, m.zh = fmt.Sprintf("%s %s %d", word.en, k.en, m.number), fmt.Sprintf("%s%s%d", word.zh, k.zh, m.number)
	base := fmt.Sprintf("%s-%s-%d", word.id, k.id, m.number)
	for m.id = base; w.taken[m.version()]; {
		m.id = base + fmt.Sprintf("-%d", w.random.IntN(10000))
	}
	w.taken[m.version()] = true
	return m
}

// version names a version of a pack.
func (m *made) version() string { return fmt.Sprint(m.author, " ", m.id, " ", m.minor) }

func keySeed(seed uint64, i int) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", seed, i))
	return append(sum[:], sum[:8]...)
}

var firsts = []string{"mei", "jo", "lin", "ana", "kofi", "yuki", "omar", "lea", "tao", "nina", "raj", "eva", "hugo", "wei", "sara", "finn", "ying", "paul", "noor", "ivo"}

// handle is an author's.
func handle(i int) string {
	return fmt.Sprintf("%s-%s-%d", firsts[i%20], firsts[(i/20+i+7)%20], i)
}

// card is the pack's one card.
func (m *made) card() string {
	k := &kinds[m.kind]
	fill := func(s string) string {
		if strings.Contains(s, "%d") {
			return fmt.Sprintf(s, m.number)
		}
		return s
	}
	only := ""
	if k.only != "" {
		only = "only_if:\n  - " + fill(k.only) + "\n"
	}
	return fmt.Sprintf("schema: 1\nid: %s\nversion: 1.%d.0\ntitle: {en: %q, zh: %q}\nwhen:\n  - %s\n%sthen:\n  - %s\ncooldown: 5m\n",
		m.id, m.minor, m.en, m.zh, fill(k.when), only, k.then)
}

// make makes the pack's file.
func (m *made) make(key *sign.SecretKey, picture bool) ([]byte, error) {
	source := fmt.Sprintf("schema: 1\nid: %s\nversion: 1.%d.0\ntitle: {en: %q, zh: %q}\nauthor: %s\nlicence: CC-BY-4.0\nengine: 0.1.0\n%scards: [cards/%s.yaml]\n",
		m.id, m.minor, m.en, m.zh, handle(m.author), m.origin, m.id)
	files := fstest.MapFS{"cards/" + m.id + ".yaml": {Data: []byte(m.card())}}
	if picture {
		source += "picture: preview.png\n"
		files["preview.png"] = &fstest.MapFile{Data: paint(m.number, m.kind)}
	}
	files[scenes.ManifestName] = &fstest.MapFile{Data: []byte(source)}
	return scenes.MakePack(m.id, files, key)
}

// paint is a small picture: two colours that run into each other.
func paint(number, kind int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 160, 90))
	for y := range 90 {
		for x := range 160 {
			img.Set(x, y, color.NRGBA{uint8(60 + (x+7*number)%120), uint8(80 + y + 7*kind), uint8(120 + (2*x+y)/8), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // of an image in memory
	}
	return b.Bytes()
}
