package review

import (
	"vignette/ui-bridge/trace"
)

// kind is what cells tell apart of an episode.
type kind struct {
	block int // index of the builds that are told apart
	whole bool
	tod   uint8
	week  uint16 // of scene cards and feedback; of tasks 0
	facts
	m trace.Metrics
}

// figure is a share that a report gives of each task: of so many episodes, or
// touches, that have this.
type figure struct {
	name, title string
	of          string                        // what the share is of
	about       subject                       // what has it
	rank        int                           // of its cells
	split       func(k *kind) (yes, no int32) // both 0: it is not of these
}

// Ranks of cells: what a report gives up first, and last.
const (
	rankWay = iota + 1
	rankSplit
	rankBucket
	rankFigure
	rankRisk // a term of the score
	rankLeak
	rankBase
	rankTask
)

const (
	ofEpisodes = "episodes"
	ofWhole    = "whole attempts"
	ofTouches  = "touches"
	ofChoices  = "choices made"
)

// share counts an episode on one side.
func share(yes bool) (int32, int32) {
	if yes {
		return 1, 0
	}
	return 0, 1
}

// from is a figure of whole attempts whose metric's bucket is this or a higher one.
func from(metric int, bucket uint8) func(*kind) (int32, int32) {
	return ofWholes(func(k *kind) bool { return k.m[metric] > bucket })
}

// ofWholes is a figure of whole attempts.
func ofWholes(yes func(*kind) bool) func(*kind) (int32, int32) {
	return func(k *kind) (int32, int32) {
		if !k.whole {
			return 0, 0
		}
		return share(yes(k))
	}
}

// Buckets of time in trace.MetricTable.
const (
	from12s = 5
	from5s  = 3
)

// leastMatters is, of the metrics of which one bucket is asked for, the one below
// it, plus one as in an episode; 0: all buckets matter.
var leastMatters = [len(trace.Metrics{})]uint8{
	trace.MetricEngagement: from12s, trace.MetricDensest: never, trace.MetricHunt: from5s,
	trace.MetricBounces: 1, trace.MetricReverts: 1, trace.MetricRage: 1, trace.MetricLockedMoving: 1,
}

// never is above all buckets: nothing is asked for.
const never = 100

// reached and moved are of whole attempts.
func (k *kind) reached() bool { return k.m[trace.MetricEnding] == uint8(trace.EndReached)+1 }
func (k *kind) moved() bool   { return k.m[trace.MetricMovingTime] > 1 }

// leaked reports whether a locked element was touched while moving: as the car
// counted, and of a cut attempt as the touches that are left say.
func (k *kind) leaked() bool {
	return k.leak || k.m[trace.MetricLockedMoving] > 1
}

// figures are those of a report, in its order.
var figures = []figure{
	{name: "lockout_leaks", title: "touched a locked element while moving", of: ofEpisodes, rank: rankLeak,
		split: func(k *kind) (int32, int32) { return share(k.leaked()) }},
	{name: "touched_moving", title: "at least one touch while moving", of: ofWhole, rank: rankLeak, split: from(trace.MetricMoving, 1)},
	{name: "moving_share", title: "touches at 8 km/h or faster", of: ofTouches, rank: rankFigure, split: func(k *kind) (yes, no int32) {
		for speed, n := range k.speeds {
			if uint8(speed) >= moving {
				yes += n
			} else {
				no += n
			}
		}
		return yes, no
	}},
	{name: "over_12s_moving", title: "12 s or more of it while moving", of: ofWhole, rank: rankRisk, split: from(trace.MetricMovingTime, from12s)},
	{name: "over_12s", title: "took 12 s or more", of: ofWhole, rank: rankFigure, split: from(trace.MetricTime, from12s)},
	{name: "engaged_12s", title: "12 s or more without a pause of 2 s", of: ofWhole, rank: rankFigure, split: from(trace.MetricEngagement, from12s)},
	{name: "errors", title: "met an error", of: ofWhole, rank: rankRisk, split: ofWholes(func(k *kind) bool { return k.failed })},
	{name: "dead_taps", title: "touched what did nothing", of: ofWhole, rank: rankRisk, split: ofWholes(func(k *kind) bool { return k.noop })},
	{name: "rage_taps", title: "touched the same 3 times in a second", of: ofWhole, rank: rankRisk, split: from(trace.MetricRage, 1)},
	{name: "interruptions", title: "paused for 5 s or more", of: ofWhole, rank: rankRisk, split: ofWholes(func(k *kind) bool { return k.interrupted })},
	{name: "hunts", title: "looked for 5 s or more on a new screen", of: ofWhole, rank: rankFigure, split: from(trace.MetricHunt, from5s)},
	{name: "backs", title: "went back", of: ofWhole, rank: rankFigure, split: ofWholes(func(k *kind) bool { return k.back })},
	{name: "bounce_backs", title: "went back within 2 s", of: ofWhole, rank: rankFigure, split: from(trace.MetricBounces, 1)},
	{name: "reverts", title: "switched something and back within 5 s", of: ofWhole, rank: rankFigure, split: from(trace.MetricReverts, 1)},
	{name: "blocked", title: "touched a locked element", of: ofWhole, rank: rankFigure, split: ofWholes(func(k *kind) bool { return k.blocked })},
	{name: "lost", title: "lostness above 0.5", of: ofWhole, rank: rankFigure, split: ofWholes(func(k *kind) bool { return k.lost })},
	{name: "abandoned", title: "did not reach the task's end", of: ofWhole, rank: rankRisk, split: ofWholes(func(k *kind) bool { return !k.reached() })},
	{name: "abandoned_moving", title: "the same, of those that moved", of: "whole attempts with some time moving", rank: rankFigure,
		split: func(k *kind) (int32, int32) { return abandonedIf(k, true) }},
	{name: "abandoned_still", title: "the same, of those that did not", of: "whole attempts without", rank: rankFigure,
		split: func(k *kind) (int32, int32) { return abandonedIf(k, false) }},
	{name: "deferred", title: "begun while moving, done when parked", of: "whole attempts begun at 8 km/h or faster", rank: rankFigure, split: deferred},
	{name: "cut", title: "cut to a known pair of touches", of: ofEpisodes, rank: rankFigure,
		split: func(k *kind) (int32, int32) { return share(!k.whole) }},
	{name: "regret", title: "the driver took back what the card did", of: "firings", about: ofCard, rank: rankLeak,
		split: func(k *kind) (int32, int32) { return share(k.undone) }},
}

// deferred is a task put off until parked, as far as one attempt tells: it was
// begun while moving, and its end was reached parked. Where it has more touches
// than an episode, nobody knows the last one.
func deferred(k *kind) (int32, int32) {
	if !k.whole || !k.begun || k.m[trace.MetricTouches] > trace.MaxEvents+1 {
		return 0, 0
	}
	return share(k.parked && k.reached())
}

// abandonedIf is abandonment of the whole attempts that moved, or did not.
func abandonedIf(k *kind, moved bool) (int32, int32) {
	if !k.whole || k.moved() != moved {
		return 0, 0
	}
	return share(!k.reached())
}

// distribution is a table of buckets that a report gives of each task.
type distribution struct {
	name, title string
	of          string
	labels      []string
	median      bool                                              // its buckets have an order
	at          func(k *kind, add func(bucket int, weight int32)) // which bucket, and how much of it
}

// byMetric is the distribution of whole attempts over a metric's buckets.
func byMetric(name, title string, metric int) distribution {
	d := distribution{name: name, title: title, of: ofWhole, median: trace.MetricTable[metric].Unit != "",
		at: func(k *kind, add func(int, int32)) {
			if k.whole {
				add(int(k.m[metric])-1, 1)
			}
		}}
	for _, b := range trace.MetricTable[metric].Buckets {
		d.labels = append(d.labels, b.Name)
	}
	return d
}

var distributions = []distribution{
	{name: "speed", title: "Touches by speed", of: ofTouches, labels: []string{"unknown", "parked", "below 8 km/h", "8 to 30", "30 to 60", "60 to 100", "100 and more"},
		at: func(k *kind, add func(int, int32)) {
			for speed, n := range k.speeds {
				if n > 0 {
					add(speed, n)
				}
			}
		}},
	byMetric("time", "Time on task", trace.MetricTime),
	byMetric("moving_time", "Time moving", trace.MetricMovingTime),
	byMetric("touches", "Touches", trace.MetricTouches),
	byMetric("moving_touches", "Touches while moving", trace.MetricMoving),
	byMetric("ending", "How attempts ended", trace.MetricEnding),
	{name: "resumption", title: "The next touch after a pause of 5 s or more", of: "touches that follow such a pause", median: true,
		labels: []string{"<0.5 s", "<1 s", "<2 s", "<5 s"},
		at: func(k *kind, add func(int, int32)) {
			for gap, n := range k.resumed {
				if k.whole && n > 0 {
					add(gap, n)
				}
			}
		}},
}

// resumptions is how many buckets of gaps are below that of a pause.
const resumptions = trace.DTUnder15s - trace.DTUnder0s5

// partOfDay is the distribution of all episodes of a study that has it told.
var partOfDay = distribution{name: "part_of_day", title: "Part of the day", of: ofEpisodes,
	labels: []string{"unknown", "night, 0 to 6", "morning, 6 to 12", "afternoon, 12 to 18", "evening, 18 to 24"},
	at:     func(k *kind, add func(int, int32)) { add(int(k.tod), 1) }}
