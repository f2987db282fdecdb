package trace

//go:generate go tool msgp -tests=false -io=false -o episode_gen.go -file episode.go

//msgp:tuple PanelEpisode
//msgp:ignore Episode Event Metrics

// SchemaVersion is Episode.V as this package writes it.
const SchemaVersion = 2

// MaxEvents is the greatest number of events of one episode, scenes.MaxStudyEvents.
const MaxEvents = 8

// EpisodeID is 16 random bytes, drawn afresh for each episode and derived from
// nothing.
type EpisodeID [16]byte

// Metrics are twelve figures computed in the car at full resolution and then
// bucketed. See the Metric constants and MetricTable; 0 means not computed.
type Metrics [12]uint8

// Episode is the unit of release: one attempt at one task, never a trip. It
// follows docs/study-cards.md, *Record*: no string, map, float or time in it.
// It is written as one flat MessagePack array in the order of its fields, see
// MarshalMsg.
type Episode struct {
	V       uint8     // SchemaVersion
	Policy  uint16    // version of the study card
	EID     EpisodeID // random, unlinkable
	Cohort  uint16    // HMI build x market x display; 0: not told
	Week    uint16    // (ISO year - 2000) * 100 + ISO week; 0: clock unknown
	TOD     uint8     // part of the day, see the TOD constants
	Task    uint16    // dictionary id; 0: none
	Variant uint16    // dictionary id; 0: none
	Auto    uint8     // driver assistance all through the attempt: 0 not told, 1 level 0, 2 level 1, 3 level 2 or more
	Ev      []Event   // at most MaxEvents, in order
	M       Metrics
}

// Pseudonym is 16 random bytes that stay the same from a test driver's consent to
// a panel to its end.
type Pseudonym [16]byte

// PanelEpisode is what a panel of test drivers records, to make a dictionary: an
// episode as it was, under a pseudonym. It is personal data, has segments and
// directories of its own, and is never mixed with what is released.
type PanelEpisode struct {
	Driver  Pseudonym
	Episode Episode
}

// Event is one touch within an episode, coarsened.
type Event struct {
	Screen  uint16 // dictionary id; 1: other
	Elem    uint16 // dictionary id; 1: other
	Gesture uint8  // dictionary id; 1: other
	DT      uint8  // time since the event before, see the DT constants
	Speed   uint8  // see the Speed constants
	Out     uint8  // dictionary id; 1: other
}
