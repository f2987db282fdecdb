package review

import (
	"slices"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// tuple is what is looked at of an episode. What it says of its touches is in
// the dictionary's sequence that it is, or is cut to; assistance is not looked at,
// the part of the day only if the study asked for it, its id only to find what
// came twice.
type tuple struct {
	task    uint16 // index in the study
	variant uint16 // index in the study's dictionary
	build   uint16 // index in Bag.Builds
	week    uint16
	tod     uint8 // part of the day; 0 unless the study has it told
	whole   bool  // false: it is cut to a known pair, and has no metrics
	m       trace.Metrics
}

// Bag counts equal episodes: all that a report is made of. Its size depends on
// how many different ones there are.
type Bag struct {
	Study   *scenes.Study
	Builds  []string // told apart: the first is "not told"
	Signed  bool     // all segments are of a signed study
	Files   int
	Damaged []error // files that are damaged or no segments; what came before the damage counts
	count   map[tuple]uint32
	left    [reasons]int // episodes that do not count, by reason
}

// Why episodes do not count.
type reason int

const (
	leftTwice   reason = iota // an id that was there before: delivered again
	leftVersion               // of another version of the study card
	leftForeign               // not what the study card and its recorder let out
	reasons
)

var reasonNames = [reasons]string{
	"delivered twice",
	"recorded with another version of the study card",
	"not what this study card lets out: another task, sequence or cohort, no week, or some metrics only",
}

// codes are a study's ids as indices, for reading fast.
type codes struct {
	version  uint16
	task     [1 << 16]int32 // index plus one; 0: none
	sequence [1 << 16]int32
	cohort   [1 << 16]int32 // of the build in builds, plus one
	bare     []bool         // by task: its attempts are a scene card's firings, or choices, which are whole and have no metrics
	builds   []string
	study    *scenes.Study
}

func newCodes(s *scenes.Study) *codes {
	c := &codes{version: uint16(s.Version), builds: []string{"not told"}, study: s}
	c.cohort[0] = 1
	for i, k := range s.Tasks {
		c.task[k.ID] = int32(i) + 1
		c.bare = append(c.bare, subjectOf(&s.Tasks[i]) != ofTask)
	}
	for i, q := range s.Dictionary {
		c.sequence[q.ID] = int32(i) + 1
	}
	for _, h := range s.Cohorts {
		i := slices.Index(c.builds, h.Build)
		if i < 1 { // a build may be called anything
			i = len(c.builds)
			c.builds = append(c.builds, h.Build)
		}
		c.cohort[h.ID] = int32(i) + 1
	}
	return c
}

// tuple finds what an episode is; left says why it does not count.
func (c *codes) tuple(ep *trace.Episode) (t tuple, left reason, ok bool) {
	if ep.Policy != c.version {
		return t, leftVersion, false
	}
	task, seq, build := c.task[ep.Task], c.sequence[ep.Variant], c.cohort[ep.Cohort]
	if task == 0 || seq == 0 || build == 0 || ep.Week == 0 || ep.TOD > trace.TODEvening || !metricsFit(&ep.M) || !c.is(ep, &c.study.Dictionary[seq-1]) {
		return t, leftForeign, false
	}
	whole := c.bare[task-1] || ep.M != trace.Metrics{}
	t = tuple{task: uint16(task - 1), variant: uint16(seq - 1), build: uint16(build - 1), week: ep.Week, whole: whole, m: ep.M}
	if c.study.PartOfDay {
		t.tod = ep.TOD
	}
	return t, 0, true
}

// metricsFit reports whether metrics are what the recorder writes: all, or of a
// cut episode none, each in a bucket that there is.
func metricsFit(m *trace.Metrics) bool {
	if *m == (trace.Metrics{}) {
		return true
	}
	for i := range m {
		if _, ok := m.Bucket(i); !ok {
			return false
		}
	}
	return true
}

// is reports whether an episode is a dictionary's sequence.
func (c *codes) is(ep *trace.Episode, q *scenes.Sequence) bool {
	if q.Task != int(ep.Task) || len(q.Events) != len(ep.Ev) {
		return false
	}
	for i, e := range q.Events {
		if trace.Event(e) != ep.Ev[i] {
			return false
		}
	}
	return true
}

// idSet holds which episodes were seen. It takes 16 bytes an episode, and up to
// twice that; its parts grow one by one.
type idSet [256]struct {
	slots []trace.EpisodeID // open addressing; the zero id is an empty slot
	used  int
}

// add reports whether an id is new. The zero id, which nobody draws, never is.
func (s *idSet) add(id trace.EpisodeID) bool {
	part := &s[id[0]]
	if 4*part.used >= 3*len(part.slots) {
		old := part.slots
		part.slots = make([]trace.EpisodeID, max(64, 2*len(old)))
		for _, o := range old {
			if o != (trace.EpisodeID{}) {
				part.slots[place(part.slots, o)] = o
			}
		}
	}
	i := place(part.slots, id)
	if part.slots[i] == id {
		return false
	}
	part.slots[i] = id
	part.used++
	return true
}

// place is where an id is, or belongs. Ids are random: their bytes are a hash.
func place(slots []trace.EpisodeID, id trace.EpisodeID) int {
	i := int(uint32(id[1]) | uint32(id[2])<<8 | uint32(id[3])<<16 | uint32(id[4])<<24)
	for i &= len(slots) - 1; slots[i] != (trace.EpisodeID{}) && slots[i] != id; i = (i + 1) & (len(slots) - 1) {
	}
	return i
}
