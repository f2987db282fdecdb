package audit

import (
	"fmt"
	"maps"
	"slices"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// rareTuples counts what singles vehicles out: sequences that too few have
// released, that the dictionary lacks, or that one vehicle has released too often.
var rareTuples = attack{
	id: "rare-tuples", name: "Find released sequences of few vehicles",
	does: "Counts the vehicles behind each released sequence with all that is known of it: order, gaps, speeds, outcomes.",
	mark: "No sequence is of fewer than k vehicles; each is in the study's dictionary, which holds what k vehicles of a panel have shown; " +
		"no vehicle has more than one episode a task and week. Each cohort is one of the study card's, which have 1,000 vehicles or more.",
	run: runRareTuples,
}

func runRareTuples(d *Dataset, _ Options) ([]Figure, error) {
	return []Figure{fewVehicles(d), notInDictionary(d), contributions(d), strangeCohorts(d)}, nil
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
	rare, unsure := 0, 0
	for t := range vehicles {
		least, most := len(vehicles[t]), len(vehicles[t])
		if d.Cars == 0 {
			least, most = slices.Max(slices.Collect(maps.Values(inWeek[t]))), total(inWeek[t])
		}
		switch {
		case most < d.Study.K:
			rare++
		case least < d.Study.K:
			unsure++
		}
	}
	name := fmt.Sprintf("released sequences of fewer than k = %d vehicles", d.Study.K)
	why := "distinct vehicles, by the truth"
	if d.Cars == 0 {
		why = "without the truth: a vehicle releases at most one episode a task and week, so there are as many as in the greatest week, and at most as many as episodes"
	}
	if rare == 0 && unsure > 0 {
		return notRun(name, "sequences", atMost, 0, fmt.Sprintf("nobody knows of %d of %d, with fewer in each week and as many in all; a simulated fleet has %s", unsure, len(vehicles), truthFile))
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

// strangeCohorts counts the episodes of cohorts that the study card does not have.
// Cohorts are what linking is measured within: one of a vehicle's own would tell
// whose it is, and pass there.
func strangeCohorts(d *Dataset) Figure {
	strange := 0
	for i := range d.Episodes {
		cohort := int(d.Episodes[i].Cohort)
		if cohort != 0 && !slices.ContainsFunc(d.Study.Cohorts, func(c scenes.Cohort) bool { return c.ID == cohort }) {
			strange++
		}
	}
	return none("episodes of a cohort that the study card does not have", "episodes", strange, len(d.Episodes), "")
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
