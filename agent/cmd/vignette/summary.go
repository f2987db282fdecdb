package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// cardSummary is what happened to one card.
type cardSummary struct {
	ID          string         `json:"id"`
	Title       string         `json:"title"`
	Fired       int            `json:"fired"`
	FiredAt     []string       `json:"fired_at"` // seconds, as in the decision log
	Acted       int            `json:"acted"`
	Ended       int            `json:"ended"`
	Blocked     map[string]int `json:"blocked,omitempty"` // by why
	Denied      map[string]int `json:"denied,omitempty"`
	Lost        map[string]int `json:"lost,omitempty"`
	Failed      map[string]int `json:"failed,omitempty"`
	Quarantined bool           `json:"quarantined,omitempty"`
	Live        bool           `json:"live"`

	firedAt []int64 // ns
}

// summary counts a run's records by card.
type summary struct {
	pump     *drive.Pump
	took     time.Duration
	channels []string
	lost     uint64        // frames that the recorders say they lost
	cards    []cardSummary // by card id
	byID     map[string]*cardSummary
	agent    map[string]int // records of no card, by what
}

func newSummary(p *scenes.Program) *summary {
	s := &summary{byID: map[string]*cardSummary{}, agent: map[string]int{}}
	for _, c := range p.Cards {
		s.cards = append(s.cards, cardSummary{ID: c.ID, Title: c.Title.In("en"), FiredAt: []string{},
			Blocked: map[string]int{}, Denied: map[string]int{}, Lost: map[string]int{}, Failed: map[string]int{}})
	}
	for i := range s.cards {
		s.byID[s.cards[i].ID] = &s.cards[i]
	}
	return s
}

// take counts the records of a step.
func (s *summary) take(records []engine.Record) {
	for i := range records {
		r := &records[i]
		c := s.byID[r.Card]
		if c == nil {
			s.agent[r.What.String()]++
			continue
		}
		switch r.What {
		case engine.Live:
			c.Live = true
		case engine.Fired:
			c.Fired++
			c.firedAt = append(c.firedAt, r.T)
			c.FiredAt = append(c.FiredAt, string(drive.AppendSeconds(nil, r.T)))
		case engine.Acted:
			c.Acted++
		case engine.Ended:
			c.Ended++
		case engine.Blocked:
			c.Blocked[r.Why]++
		case engine.Denied:
			c.Denied[r.Why]++
		case engine.Lost:
			c.Lost[r.Why]++
		case engine.Failed:
			c.Failed[r.Why]++
		case engine.Quarantined:
			c.Quarantined = true
		}
	}
}

// seconds is the length of the stream.
func (s *summary) seconds() float64 {
	return float64(s.pump.Stats.Last-s.pump.Stats.First) / 1e9
}

// object is the summary for --json.
func (s *summary) object() any {
	st := &s.pump.Stats
	return struct {
		Frames     uint64         `json:"frames"`
		Known      uint64         `json:"known_frames"`
		KnownIDs   int            `json:"known_ids"`
		Samples    uint64         `json:"decoded_signals"`
		Invalid    uint64         `json:"invalid"`
		Absent     uint64         `json:"absent"`
		OutOfRange uint64         `json:"out_of_range"`
		Frozen     uint64         `json:"frozen"`
		Errors     uint64         `json:"error_frames"`
		Remote     uint64         `json:"remote_frames"`
		Lost       uint64         `json:"lost_by_recorder"`
		Events     uint64         `json:"events"`
		Seconds    float64        `json:"seconds"`
		Took       float64        `json:"took_seconds"`
		Rate       float64        `json:"frames_per_second"`
		Channels   []string       `json:"channels,omitempty"`
		Agent      map[string]int `json:"agent_records"`
		Cards      []cardSummary  `json:"cards"`
	}{st.Frames, st.Known, s.pump.KnownIDs(), st.Samples, st.Invalid, st.Absent, st.OutOfRange, st.Frozen, st.Errors, st.Remote,
		s.lost, st.Events, s.seconds(), s.took.Seconds(), s.rate(), s.channels, s.agent, s.cards}
}

func (s *summary) rate() float64 {
	return float64(s.pump.Stats.Frames) / max(s.took.Seconds(), 1e-9)
}

// print writes the summary for people.
func (s *summary) print(w io.Writer) {
	st := &s.pump.Stats
	fmt.Fprintf(w, "%d frames in %.1f s of drive (%s), %.2g M frames/s\n", st.Frames, s.seconds(),
		cmp.Or(strings.Join(s.channels, ", "), "journal"), s.rate()/1e6)
	fmt.Fprintf(w, "%d frames with %d known ids; %d signals decoded for the cards\n", st.Known, s.pump.KnownIDs(), st.Samples)
	for _, n := range []struct {
		n    uint64
		what string
	}{
		{st.Invalid, "samples not available or no number (unknown to the cards)"},
		{st.Absent, "signals absent: short or multiplexed frames"},
		{st.OutOfRange, "samples outside the DBC's range (taken as they are)"},
		{st.Frozen, "samples behind a frozen counter (not taken)"},
		{st.Errors, "error frames"}, {st.Remote, "remote frames"},
		{s.lost, "frames that the recorder says it lost"},
		{uint64(s.agent["clock"]), "steps back in time (taken as no step)"},
	} {
		if n.n > 0 {
			fmt.Fprintf(w, "%d %s\n", n.n, n.what)
		}
	}
	for i := range s.cards {
		s.cards[i].print(w, st.First)
	}
}

func (c *cardSummary) print(w io.Writer, start int64) {
	fmt.Fprintf(w, "\n%s: %s\n", c.ID, c.Title)
	switch {
	case c.Fired > 0:
		fmt.Fprintf(w, "  fired %d× at %s s; %d actions, %d leases ended\n", c.Fired, times(c.firedAt, start), c.Acted, c.Ended)
	case !c.Live:
		fmt.Fprintln(w, "  never live: a signal that it names never had a valid value")
	default:
		fmt.Fprintln(w, "  never fired")
	}
	for _, group := range []struct {
		name string
		why  map[string]int
	}{{"blocked", c.Blocked}, {"denied", c.Denied}, {"lost", c.Lost}, {"failed", c.Failed}} {
		for _, why := range slices.Sorted(maps.Keys(group.why)) {
			fmt.Fprintf(w, "  %s %d×: %s\n", group.name, group.why[why], why)
		}
	}
	if c.Quarantined {
		fmt.Fprintln(w, "  quarantined: it fired too often")
	}
}

// times shows the first few times of a list: as in the log, and since its start.
func times(list []int64, start int64) string {
	const most = 6
	var text []string
	for _, t := range list[:min(len(list), most)] {
		text = append(text, fmt.Sprintf("%s (+%.1f)", drive.AppendSeconds(nil, t), float64(t-start)/1e9))
	}
	if len(list) > most {
		text = append(text, fmt.Sprintf("… (%d more)", len(list)-most))
	}
	return strings.Join(text, ", ")
}
