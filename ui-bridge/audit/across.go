package audit

import (
	"fmt"

	"vignette/ui-bridge/trace"
)

// across links vehicles from one study's dataset to another's: a driver who took
// part in both did so in one car, with one way of driving.
var across = attack{
	id: "across", name: "Link vehicles across datasets",
	does: "Knows all episodes of one dataset and looks, for each of another, for the most similar: both study cards are published, so tasks, screens, elements and cohorts " +
		"of one name are taken for the same, whatever their numbers. An id that comes again is a hit by itself.",
	mark: "The first guess is right at most three times as often as one by lot within the same cohort. No id is in both.",
	run:  nil, // it is of several datasets: runAcross
}

// runAcross takes the datasets in pairs, the earlier as given for known.
func runAcross(list []*Dataset, o Options) (figures []Figure, err error) {
	names := numbers{}
	for i, known := range list {
		for _, asked := range list[i+1:] {
			between := fmt.Sprintf("from %s, version %d, to %s, version %d", known.Study.ID, known.Study.Version, asked.Study.ID, asked.Study.Version)
			figures = append(figures, none("ids that are in both, "+between, "ids", sharedIDs(known, asked), len(asked.Episodes), ""))
			name := "first guesses that are right, " + between
			if why := notAcross(known, asked); why != "" {
				figures = append(figures, notRun(name, "share", atMost, 0, why))
				continue
			}
			f, err := linked(name, names.translated(known), names.translated(asked), o)
			if err != nil {
				return nil, err
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// notAcross says why linking two datasets cannot be scored; empty: it can.
func notAcross(a, b *Dataset) string {
	if a.Cars == 0 || b.Cars == 0 {
		return "nobody knows whose episodes these are; a simulated fleet has " + truthFile
	}
	cars := map[int]bool{}
	for i := range a.Episodes {
		cars[a.Episodes[i].Car] = true
	}
	for i := range b.Episodes {
		if cars[b.Episodes[i].Car] {
			return ""
		}
	}
	return "no vehicle is in both; fleets of one seed have the same vehicles"
}

func sharedIDs(a, b *Dataset) (n int) {
	ids := map[trace.EpisodeID]bool{}
	for i := range a.Episodes {
		ids[a.Episodes[i].EID] = true
	}
	for i := range b.Episodes {
		if id := b.Episodes[i].EID; ids[id] {
			n++
			delete(ids, id)
		}
	}
	return n
}

// numbers gives names numbers, the same in all studies.
type numbers map[string]uint16

func (n numbers) of(kind, name string) uint16 {
	key := kind + " " + name
	if _, ok := n[key]; !ok {
		n[key] = uint16(len(n) + 1)
	}
	return n[key]
}

// translated are a dataset's episodes with ids that mean the same in all studies.
// A dictionary's ids mean nothing in another.
func (n numbers) translated(d *Dataset) (list []*Episode) {
	tasks, cohorts := map[uint16]uint16{}, map[uint16]uint16{}
	for _, t := range d.Study.Tasks {
		tasks[uint16(t.ID)] = n.of("task", t.Name)
	}
	for _, c := range d.Study.Cohorts {
		cohorts[uint16(c.ID)] = n.of("cohort", fmt.Sprintf("%q %q %q", c.Build, c.Market, c.Display))
	}
	for i := range d.Episodes {
		ep := d.Episodes[i]
		ep.Policy, ep.Variant, ep.Task, ep.Cohort = 0, 0, tasks[ep.Task], cohorts[ep.Cohort]
		events := make([]trace.Event, len(ep.Ev))
		for j, e := range ep.Ev {
			screen, elem := d.Study.Names(int(e.Screen), int(e.Elem))
			e.Screen, e.Elem = n.of("screen", screen), n.of("element", screen+"/"+elem)
			events[j] = e
		}
		ep.Ev = events
		list = append(list, &ep)
	}
	return list
}
