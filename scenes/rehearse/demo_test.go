package rehearse

import (
	"testing"

	"vignette/scenes"
)

// demo is the demonstration car with some of its cards.
func demo(t testing.TB, ids ...string) *scenes.Program {
	t.Helper()
	v, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, id := range ids {
		files = append(files, "../../testdata/drive/cards/"+id+".yaml")
	}
	cards, err := scenes.LoadCards(files...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDemoScenarios: the scenarios of the demonstration cards pass.
func TestDemoScenarios(t *testing.T) {
	for _, id := range []string{"air-hot-cabin", "rain-mood", "warm-seat"} {
		s, err := scenes.LoadScenario("../../testdata/drive/scenarios/" + id + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range All(demo(t, id), []*scenes.Scenario{s}) {
			if r.Outcome != Passed {
				t.Errorf("%s: %v %v", id, r.Outcome, r.Faults)
				for _, m := range r.Missed {
					t.Errorf("%v %s %v: instead %+v; %v %s", m.Expect.Kind, m.Expect.Name.Text, m.Expect.First, m.Instead, m.State.State, m.State.Why)
				}
			}
		}
	}
}
