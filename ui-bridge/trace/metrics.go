package trace

// The metrics of Episode.M, of the whole attempt, also of what is beyond its
// first eight events. They hold what the events cannot tell: times and windows at
// full resolution, moving with its hysteresis, what came after the eighth touch,
// and how it ended; the rest is for the desk to work out from the events.
// docs/review-traces.md, *Metrics*, has the formula of each.
const (
	MetricTouches      = iota // touches; a keyboard's keys in a row are one
	MetricMoving              // touches while moving
	MetricTime                // time on task: from the first touch to the last
	MetricMovingTime          // the part of it while moving
	MetricEngagement          // longest stretch of touches with gaps of at most 2 s
	MetricDensest             // most touches in any 12 s
	MetricHunt                // longest time from leaving a screen to the first touch on the next one that did something; 0 if there is none
	MetricBounces             // touches back from a screen less than 2 s after leaving the one before
	MetricReverts             // toggles switched again less than 5 s after they were switched
	MetricRage                // touches that are the third or later on one element within 1 s
	MetricLockedMoving        // blocked outcomes while moving
	MetricEnding              // how the attempt ended
)

// Ending is how an attempt ended.
type Ending uint8

// The endings of attempts. One that is forgotten, with a change of driver or a
// withdrawal, has none: it is not kept.
const (
	EndReached Ending = iota // at the task's end
	EndLeft                  // another screen was touched than the task's
	EndGivenUp               // no touch for 30 s
	EndTooLong               // after an hour
	EndClock                 // the caller's clock stepped back
)

// Metric is one of the twelve figures and what its buckets are of. An episode
// holds the index of the bucket plus one, so that 0 is always "not computed".
type Metric struct {
	Name    string
	Unit    string // touches or s; empty for the endings, whose buckets have no order
	Buckets []Bucket
}

// Bucket is one step of a metric's scale.
type Bucket struct {
	Name string
	From float64 // the least value in it; what the next one begins with is above it
}

// MetricTable has the metrics in the order of the Metric constants.
var MetricTable = [len(Metrics{})]Metric{
	MetricTouches:      {"touches", "touches", countBuckets},
	MetricMoving:       {"touches while moving", "touches", countBuckets},
	MetricTime:         {"time on task", "s", timeBuckets},
	MetricMovingTime:   {"time moving", "s", timeBuckets},
	MetricEngagement:   {"longest engagement", "s", timeBuckets},
	MetricDensest:      {"most touches in 12 s", "touches", countBuckets},
	MetricHunt:         {"longest hunt", "s", timeBuckets},
	MetricBounces:      {"bounce-backs", "touches", countBuckets},
	MetricReverts:      {"toggle-reverts", "touches", countBuckets},
	MetricRage:         {"rage taps", "touches", countBuckets},
	MetricLockedMoving: {"locked while moving", "touches", countBuckets},
	MetricEnding:       {"ending", "", endingBuckets},
}

var (
	// countBuckets are those of bucketCount.
	countBuckets = []Bucket{{"0", 0}, {"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, {"5", 5}, {"6", 6}, {"7", 7}, {"8", 8},
		{"9 to 16", 9}, {"17 to 32", 17}, {"above 32", 33}}
	// timeBuckets are those of bucketTime. Edges at 8 s (JAMA) and 12 s (NHTSA).
	timeBuckets = []Bucket{{"0 s", 0}, {"<2 s", 0}, {"<5 s", 2}, {"<8 s", 5}, {"<12 s", 8}, {"<30 s", 12}, {"<60 s", 30}, {">=60 s", 60}}
	// endingBuckets follow the Ending constants.
	endingBuckets = []Bucket{{"reached", 0}, {"left", 1}, {"given up", 2}, {"too long", 3}, {"clock stepped back", 4}}
)

// Bucket returns the bucket of a metric; false if it was not computed, or if the
// byte is none that this package writes.
func (m *Metrics) Bucket(metric int) (Bucket, bool) {
	list := MetricTable[metric].Buckets
	if i := int(m[metric]); i > 0 && i <= len(list) {
		return list[i-1], true
	}
	return Bucket{}, false
}
