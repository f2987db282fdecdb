package drive_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"vignette/can/canlog/candump"
	"vignette/scenes"
	pump "vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/testdata/drive"
)

// The first 150 seconds as README.md tells them: second, card, what, why, and
// for what is done the action with its value. Worked out from the story by
// hand; only the tenths of the two stops and of the rain are read off.
const first150 = `
3.0 warm-seat blocked only_if[0]
7.8 air-hot-cabin fired trigger[0]
7.8 air-hot-cabin acted set 80
8.8 air-hot-cabin acted notify
16.0 gentle-air-passenger fired trigger[0]
16.0 gentle-air-passenger lost winner:air-hot-cabin set 20
16.0 gentle-air-passenger acted notify
25.0 quiet-reverse fired trigger[0]
25.0 air-hot-cabin lost winner:quiet-reverse set 80
25.0 quiet-reverse acted set 10
33.0 quiet-reverse ended duration
33.0 air-hot-cabin acted set 80
37.8 air-hot-cabin ended duration
37.8 air-hot-cabin acted end 30
46.3 waiting-tip held trigger[0]
49.3 waiting-tip fired trigger[0]
49.3 waiting-tip denied state:idling show_tip
57.0 unknown invalid:Vehicle.Cabin.HVAC.AmbientAirTemperature
58.0 drive-mode-note fired trigger[0]
58.0 drive-mode-note acted notify
73.9 rain-mood held trigger[0]
78.9 rain-mood fired trigger[0]
78.9 rain-mood acted set 10
78.9 rain-mood denied state:moving show_tip
78.9 rain-mood acted notify
85.4 waiting-tip held trigger[0]
88.4 waiting-tip blocked cooldown
92.5 unknown stale:Vehicle.Cabin.HVAC.AmbientAirTemperature
108.5 waiting-tip held trigger[0]
111.5 waiting-tip fired trigger[0]
111.5 waiting-tip acted show_tip
118.0 passenger-goodbye fired trigger[0]
118.0 passenger-goodbye acted show_tip
118.9 rain-mood ended duration
118.9 rain-mood acted end 40
130.0 unknown invalid:Vehicle.Body.Raindetection.Intensity
`

// TestCardsDecideTheStory replays the first 150 seconds through the engine.
func TestCardsDecideTheStory(t *testing.T) {
	var got []string
	replay(t, 150, func(r engine.Record) {
		if r.What != engine.Live && r.What != engine.Known {
			got = append(got, told(r))
		}
	})
	want := strings.Split(strings.TrimSpace(first150), "\n")
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", want[i])
		case i >= len(want):
			t.Errorf("not expected: %s", got[i])
		case got[i] != want[i]:
			t.Fatalf("decision %d is\n%s\nwant\n%s", i+1, got[i], want[i])
		}
	}
}

// TestEveryCardFires: over the whole drive no card is there in vain.
func TestEveryCardFires(t *testing.T) {
	fired := map[string]int{}
	cards := replay(t, drive.Seconds, func(r engine.Record) {
		if r.What == engine.Fired {
			fired[r.Card]++
		}
	})
	for _, card := range cards {
		if fired[card.ID] == 0 {
			t.Errorf("%s never fires", card.ID)
		}
	}
}

// told is a record in a line of first150.
func told(r engine.Record) string {
	words := []string{fmt.Sprintf("%.1f", float64(r.T-drive.Start*1_000_000_000)/1e9)}
	for _, word := range []string{r.Card, r.What.String(), r.Why, r.Action} {
		if word != "" {
			words = append(words, word)
		}
	}
	line := strings.Join(words, " ")
	if r.Action == "set" || r.Action == "end" {
		line += fmt.Sprintf(" %v", r.Value.Num)
	}
	return line
}

// replay runs the beginning of the drive through the demonstration cards.
func replay(t *testing.T, seconds int, take func(engine.Record)) []*scenes.Card {
	t.Helper()
	vehicle, err := scenes.LoadVehicle("vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cards, err := scenes.LoadCards("cards")
	if err != nil {
		t.Fatal(err)
	}
	program, err := scenes.Compile(vehicle, cards)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := drive.Generate(&log, seconds); err != nil {
		t.Fatal(err)
	}
	p := pump.NewPump(program, 0, false, pump.Output{Records: func(records []engine.Record) {
		for _, r := range records {
			take(r)
		}
	}})
	stream := pump.NewLogStream(vehicle, nil, []pump.Log{{Name: "drive.log", Reader: candump.NewReader("drive.log", &log)}})
	var entry pump.Entry
	for {
		err := stream.Next(&entry)
		if err == io.EOF {
			return cards
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Feed(&entry); err != nil {
			t.Fatal(err)
		}
	}
}
