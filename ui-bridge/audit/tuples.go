package audit

import (
	"fmt"

	"vignette/ui-bridge/trace"
)

// rareTuples counts what singles vehicles out: sequences that too few have
// released, that the dictionary lacks, or that one vehicle has released too often.
var rareTuples = attack{
	id: "rare-tuples", name: "Find released sequences of few vehicles",
	does: "Counts the vehicles behind each released sequence with all that is known of it: order, gaps, speeds, outcomes.",
	mark: "No sequence is of fewer than k vehicles; each is in the study's dictionary, which holds what k vehicles of a panel have shown; " +
		"no vehicle has more than one episode a task and week.",
	run: runRareTuples,
}

func runRareTuples(d *Dataset, _ Options) ([]Figure, error) {
	return []Figure{fewVehicles(d), notInDictionary(d), contributions(d)}, nil
}

// fewVehicles counts the tuples of fewer than k vehicles.
func fewVehicles(d *Dataset) Figure {
	vehicles := map[tuple]map[int]bool{}
	inWeek := map[tuple]map[uint16]int{}
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		t := tupleOf(ep.Task, ep.Ev)
		if vehicles[t] == nil {
			vehicles[t], inWeek[t] = map[int]bool{}, map[uint16]int{}
		}
		vehicles[t][ep.Car] = true
		inWeek[t][ep.Week]++
	}
	rare := 0
	for t := range vehicles {
		n := len(vehicles[t])
		if d.Cars == 0 {
			n = total(inWeek[t])
		}
		if n < d.Study.K {
			rare++
		}
	}
	name := fmt.Sprintf("released sequences of fewer than k = %d vehicles", d.Study.K)
	why := "distinct vehicles, by the truth"
	if d.Cars == 0 {
		why = "episodes stand for vehicles, since a vehicle releases at most one a task and week; one that shows a sequence in several weeks counts again"
	}
	return none(name, "sequences", rare, len(vehicles), why)
}

func total(weeks map[uint16]int) (n int) {
	for _, count := range weeks {
		n += count
	}
	return n
}

// notInDictionary counts the episodes whose tuple the study does not have under
// their variant.
func notInDictionary(d *Dataset) Figure {
	known := map[tuple]uint16{}
	for _, s := range d.Study.Dictionary {
		var events []trace.Event
		for _, e := range s.Events {
			events = append(events, trace.Event(e))
		}
		known[tupleOf(uint16(s.Task), events)] = uint16(s.ID)
	}
	strange := 0
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		if id, ok := known[tupleOf(ep.Task, ep.Ev)]; !ok || id != ep.Variant {
			strange++
		}
	}
	return none("episodes whose sequence is not in the dictionary", "episodes", strange, len(d.Episodes), "")
}

// contributions counts the episodes beyond one a task, week and vehicle.
func contributions(d *Dataset) Figure {
	const name = "episodes beyond one a task, week and vehicle"
	if d.Cars == 0 {
		return notRun(name, "episodes", atMost, 0, "nobody knows whose episodes these are; a simulated fleet has "+truthFile)
	}
	type slot struct {
		car        int
		task, week uint16
	}
	seen, more := map[slot]bool{}, 0
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		s := slot{ep.Car, ep.Task, ep.Week}
		if seen[s] {
			more++
		}
		seen[s] = true
	}
	return none(name, "episodes", more, len(d.Episodes), "")
}
