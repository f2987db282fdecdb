package review

import (
	"slices"

	"vignette/ui-bridge/trace"
)

// kind is what cells tell apart of an episode.
type kind struct {
	block int // index of the builds that are told apart
	whole bool
	facts
	m trace.Metrics
}

// figure is a share that a report gives of each task: of so many episodes, or
// touches, that have this.
type figure struct {
	name, title string
	of          string                        // what the share is of
	card        bool                          // of scene cards; the others are of tasks
	rank        int                           // of its cells
	split       func(k *kind) (yes, no int32) // both 0: it is not of these
	risk        bool                          // part of the score
}

// Ranks of cells: what a report gives up first, and last.
const (
	rankWay = iota + 1
	rankSplit
	rankBucket
	rankFigure
	rankLeak
	rankBase
	rankTask
)

const (
	ofEpisodes = "episodes"
	ofWhole    = "whole attempts"
	ofTouches  = "touches"
)

// share counts an episode on one side.
func share(yes bool) (int32, int32) {
	if yes {
		return 1, 0
	}
	return 0, 1
}

// some is a figure of whole attempts whose count of a metric is 1 or more.
func some(metric int) func(*kind) (int32, int32) { return atLeast(metric, 1) }

// atLeast is a figure of whole attempts whose metric's bucket is this or higher.
func atLeast(metric int, bucket uint8) func(*kind) (int32, int32) {
	return func(k *kind) (int32, int32) {
		if !k.whole {
			return 0, 0
		}
		return share(k.m[metric] > bucket)
	}
}

// figures are those of a report, in its order.
var figures = []figure{
	{name: "lockout_leaks", title: "touched a locked element while moving", of: ofEpisodes, rank: rankLeak,
		split: func(k *kind) (int32, int32) { return share(k.leak) }},
	{name: "touched_moving", title: "at least one touch while moving", of: ofWhole, rank: rankLeak, split: some(trace.MetricMoving)},
	{name: "moving_share", title: "touches while moving", of: ofTouches, rank: rankFigure, split: func(k *kind) (yes, no int32) {
		for speed, n := range k.speeds {
			if uint8(speed) >= moving {
				yes += n
			} else {
				no += n
			}
		}
		return yes, no
	}},
	{name: "over_15s", title: "took 15 s or longer", of: ofWhole, rank: rankFigure, risk: true, split: atLeast(trace.MetricDuration, trace.DTFrom15s)},
	{name: "errors", title: "met an error", of: ofWhole, rank: rankFigure, risk: true, split: some(trace.MetricErrors)},
	{name: "dead_taps", title: "tapped where nothing happened", of: ofWhole, rank: rankFigure, risk: true, split: some(trace.MetricDeadTaps)},
	{name: "rage_taps", title: "tapped the same again and again", of: ofWhole, rank: rankFigure, risk: true, split: some(trace.MetricRage)},
	{name: "interruptions", title: "paused for more than 5 s", of: ofWhole, rank: rankFigure, risk: true, split: some(trace.MetricInterruptions)},
	{name: "backs", title: "went back", of: ofWhole, rank: rankFigure, split: some(trace.MetricBacks)},
	{name: "blocked", title: "touched a locked element", of: ofWhole, rank: rankFigure, split: some(trace.MetricBlocked)},
	{name: "given_up", title: "given up before the task's end", of: ofWhole, rank: rankFigure, risk: true,
		split: func(k *kind) (int32, int32) { return ended(k, gaveUpMoving, gaveUpStill) }},
	{name: "lost", title: "done, but after a detour (lostness above 0.5)", of: ofWhole, rank: rankFigure,
		split: func(k *kind) (int32, int32) { return ended(k, lostMoving, lostStill) }},
	{name: "cut", title: "cut to a known pair of touches", of: ofEpisodes, rank: rankFigure,
		split: func(k *kind) (int32, int32) { return share(!k.whole) }},
	{name: "regret", title: "the driver took back what the card did", of: "firings", card: true, rank: rankLeak,
		split: func(k *kind) (int32, int32) { return share(k.undone) }},
}

// ending is how a whole attempt ended: -1 for a cut one.
func (k *kind) end() int {
	switch {
	case !k.whole:
		return -1
	case k.m[trace.MetricTouches] > trace.MaxEvents+1:
		return endUnknown
	}
	return k.ending
}

// ended is a figure of whole attempts that surely ended in one of these ways.
func ended(k *kind, these ...int) (int32, int32) {
	if !k.whole {
		return 0, 0
	}
	return share(slices.Contains(these, k.end()))
}

// distribution is a table of buckets that a report gives of each task.
type distribution struct {
	name, title string
	of          string
	labels      []string
	median      bool                                              // its buckets have an order
	at          func(k *kind, add func(bucket int, weight int32)) // which bucket, and how much of it; none: not counted
}

var countLabels = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9–16", "17–32", "above 32"}

// byMetric puts whole attempts into a metric's buckets.
func byMetric(metric int) func(*kind, func(int, int32)) {
	return func(k *kind, add func(int, int32)) {
		if k.whole {
			add(int(k.m[metric])-1, 1)
		}
	}
}

var distributions = []distribution{
	{name: "speed", title: "Touches by speed", of: "touches", labels: []string{"unknown", "parked", "below 8 km/h", "8–30", "30–60", "60–100", "100 km/h and more"},
		at: func(k *kind, add func(int, int32)) {
			for speed, n := range k.speeds {
				if n > 0 {
					add(speed, n)
				}
			}
		}},
	{name: "duration", title: "Time on task, first to last touch", of: ofWhole, median: true,
		labels: []string{"one touch", "below 0.5 s", "below 1 s", "below 2 s", "below 5 s", "below 15 s", "15 s and more"}, at: byMetric(trace.MetricDuration)},
	{name: "touches", title: "Touches", of: ofWhole, median: true, labels: countLabels, at: byMetric(trace.MetricTouches)},
	{name: "moving", title: "Touches while moving", of: ofWhole, median: true, labels: countLabels, at: byMetric(trace.MetricMoving)},
	{name: "ending", title: "How attempts ended", of: ofWhole, labels: endingNames,
		at: func(k *kind, add func(int, int32)) {
			if end := k.end(); end >= 0 {
				add(end, 1)
			}
		}},
}
