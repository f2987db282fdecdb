package check

import (
	"fmt"
	"testing"

	"vignette/scenes"
)

// thousand are cards of several kinds over four actuators, with conditions
// that exclude each other for some.
func thousand(b *testing.B) (texts [][]byte) {
	b.Helper()
	acts := []string{fan, "Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity", "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"}
	for i := range 1000 {
		low := i % 50 * 3
		body := fmt.Sprintf(`when:
  - {signal: Vehicle.Speed, rises_above: %d, rearm_below: %d, unit: km/h}
only_if:
  - {signal: Vehicle.Exterior.AirTemperature, between: [%d, %d], unit: Celsius}
  - expr: Vehicle.Cabin.HVAC.AmbientAirTemperature - Vehicle.Exterior.AirTemperature > %d K and not Vehicle.Cabin.Door.Row1.DriverSide.IsOpen
then:
  - {set: %s, to: %d, unit: percent, lease: 1m}
cooldown: 1m
`, low+5, low, i%40-10, i%40-7, i%7, acts[i%3], 20+20*(i/3%3))
		texts = append(texts, []byte(fmt.Sprintf("schema: 1\nid: c%d\nversion: 1.0.0\ntitle: {en: Card}\n%s", i, body)))
	}
	return texts
}

// BenchmarkThousandCards reads, compiles and checks 1,000 cards.
func BenchmarkThousandCards(b *testing.B) {
	v := car(b)
	v.Budget = scenes.Budget{}
	texts := thousand(b)
	for b.Loop() {
		var cards []*scenes.Card
		for i, text := range texts {
			c, err := scenes.ParseCard(fmt.Sprintf("c%d.yaml", i), text)
			if err != nil {
				b.Fatal(err)
			}
			cards = append(cards, c)
		}
		p, err := scenes.Compile(v, cards)
		if err != nil {
			b.Fatal(err)
		}
		Run(p)
	}
}
