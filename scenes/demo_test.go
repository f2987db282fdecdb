package scenes

import (
	"testing"
)

// The demonstration car loads and its cards compile.
func TestDemoCar(t *testing.T) {
	v, err := LoadVehicle("../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cards, err := LoadCards("../testdata/drive/cards")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Engine.Cards) != len(cards) || len(p.Sources) != len(p.Engine.Signals) || len(cards) < 8 {
		t.Errorf("%d cards compiled to %d, %d sources for %d slots", len(cards), len(p.Engine.Cards), len(p.Sources), len(p.Engine.Signals))
	}
	if _, err := LoadVehicle("../testdata/meaning/vehicle.yaml"); err != nil {
		t.Error(err)
	}
}
