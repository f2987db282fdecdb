package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// filesTell links what is released by its files alone, as somebody can who sees
// them pass and cannot read them.
var filesTell = attack{
	id: "files", name: "Link by size, order and time of segments",
	does: "Sees files alone: takes two for one vehicle's that follow each other by name or in a file, were changed at nearly the same time or at the same time of day, " +
		"or have one size; and guesses from a file's size what was done.",
	mark: "Each guess is right at most three times as often as one by lot. All segments have one size, which tells nothing of what is in them.",
	run:  runFiles,
}

func runFiles(d *Dataset, o Options) ([]Figure, error) {
	list := []Figure{oneSize(d), sizeTells(d)}
	for _, by := range linkers {
		if d.Cars == 0 {
			list = append(list, notRun(by.name, "share", atMost, 0, "nobody knows whose episodes these are; a simulated fleet has "+truthFile))
			continue
		}
		chance := d.pairChance()
		f := share(by.name, atMost, 3*chance, mean(by.link(d)), chance)
		list = append(list, f)
	}
	return list, nil
}

// oneSize counts the files that are not of the commonest size, or are damaged.
func oneSize(d *Dataset) Figure {
	sizes := map[int64]int{}
	for i := range d.Files {
		sizes[d.Files[i].Size]++
	}
	most := 0
	for _, n := range sizes {
		most = max(most, n)
	}
	odd, why := len(d.Files)-most, ""
	for i := range d.Files {
		if f := &d.Files[i]; f.Damage != "" {
			why = f.Path + " and maybe more: " + f.Damage
			odd = max(odd, 1)
			break
		}
	}
	return none(fmt.Sprintf("segments of another size than the %d that have one", most), "segments", odd, len(d.Files), why)
}

// sizeTells is how often a guess of what was done, by a file's size, is right;
// chance is to guess what is done most. Sizes that tell nothing gain nothing.
func sizeTells(d *Dataset) Figure {
	type done struct{ task, variant uint16 }
	all, bySize := map[done]int{}, map[int64]map[done]int{}
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		size, what := d.Files[ep.File].Size, done{ep.Task, ep.Variant}
		if bySize[size] == nil {
			bySize[size] = map[done]int{}
		}
		all[what]++
		bySize[size][what]++
	}
	most := func(of map[done]int) (n int) {
		for _, count := range of {
			n = max(n, count)
		}
		return n
	}
	right := 0
	for _, of := range bySize {
		right += most(of)
	}
	n := len(d.Episodes)
	chance := float64(most(all)) / float64(n)
	value := float64(right) / float64(n)
	f := Figure{Name: "guesses of the sequence by a file's size that are right", Unit: "share", Sense: atMost, Mark: chance, Value: &value, Chance: &chance, N: n, Verdict: Pass}
	if right > most(all) {
		f.Verdict = Fail
	}
	return f
}

// pairChance is how often two episodes by lot are of one vehicle.
func (d *Dataset) pairChance() float64 {
	count, pairs := map[int]int{}, 0
	for i := range d.Episodes {
		count[d.Episodes[i].Car]++
	}
	for _, n := range count {
		pairs += n * (n - 1)
	}
	n := len(d.Episodes)
	return float64(pairs) / float64(max(1, n*(n-1)))
}

// linkers name for each episode another one that would be of the same vehicle, by
// its file alone.
var linkers = []struct {
	name string
	link func(*Dataset) []scored
}{
	{"neighbours by name that are one vehicle's", linkByName},
	{"neighbours by time of modification that are one vehicle's", func(d *Dataset) []scored { return linkByTime(d, 0) }},
	{"neighbours by time of day of modification that are one vehicle's", func(d *Dataset) []scored { return linkByTime(d, 24*time.Hour) }},
	{"segments of one size that are one vehicle's", linkBySize},
}

// linkByName takes each episode for the same vehicle's as the next one.
func linkByName(d *Dataset) (tries []scored) {
	for i := range len(d.Episodes) - 1 {
		tries = append(tries, d.pair(i, i+1))
	}
	return tries
}

// pair scores the guess that two episodes are one vehicle's.
func (d *Dataset) pair(i, j int) scored {
	s := scored{car: d.Episodes[i].Car}
	if d.Episodes[j].Car == s.car {
		s.score = 1
	}
	return s
}

// linkByTime takes each episode for the same vehicle's as the next one by its
// file's time, within a period if there is one. Where several have one time, that
// is one of them by lot.
func linkByTime(d *Dataset, period time.Duration) (tries []scored) {
	moment := func(i int) int64 {
		at := d.Files[d.Episodes[i].File].ModTime.UnixNano()
		if period > 0 {
			at %= int64(period)
		}
		return at
	}
	order := make([]int, len(d.Episodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(moment(i), moment(j)) })
	for at := 0; at < len(order); {
		end := at + 1
		for end < len(order) && moment(order[end]) == moment(order[at]) {
			end++
		}
		if end-at > 1 {
			tries = append(tries, d.oneOf(order[at:end])...)
		} else if end < len(order) {
			tries = append(tries, d.pair(order[at], order[end]))
		}
		at = end
	}
	return tries
}

// oneOf scores the guess, for each of a set, that another one of it by lot is the
// same vehicle's.
func (d *Dataset) oneOf(set []int) (tries []scored) {
	if len(set) < 2 {
		return nil
	}
	count := map[int]int{}
	for _, i := range set {
		count[d.Episodes[i].Car]++
	}
	for _, i := range set {
		car := d.Episodes[i].Car
		tries = append(tries, scored{car, float64(count[car]-1) / float64(len(set)-1)})
	}
	return tries
}

// linkBySize takes each episode for the same vehicle's as another one whose file
// has the same size.
func linkBySize(d *Dataset) (tries []scored) {
	bySize := map[int64][]int{}
	for i := range d.Episodes {
		size := d.Files[d.Episodes[i].File].Size
		bySize[size] = append(bySize[size], i)
	}
	for _, size := range sortedKeys(bySize) {
		tries = append(tries, d.oneOf(bySize[size])...)
	}
	return tries
}
