package clock

import (
	"time"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// Stream puts the wall clock's events into a recording that has none.
type Stream struct {
	inner  drive.Stream
	keeper Keeper
	first  func(int64) (time.Time, error)
	wall   time.Time // at start, in its zone; zero before
	start  int64     // ns of the stream
	due    int64     // of the next event
	newest int64     // of the entries given
	next   drive.Entry
	has    bool // next holds something
}

// NewStream begins with the wall time at the stream's first entry, as a function
// of that entry's time in ns, in the zone that holds. A nil place leaves the
// sun out.
func NewStream(inner drive.Stream, wall func(first int64) (time.Time, error), place *Place) *Stream {
	return &Stream{inner: inner, first: wall, keeper: Keeper{Place: place}}
}

// Next implements drive.Stream: an event of the wall clock comes before the
// entries of its time, and none comes after the last entry.
func (s *Stream) Next(e *drive.Entry) error {
	if !s.has {
		if err := s.inner.Next(&s.next); err != nil {
			return err
		}
		if err := s.begin(s.next.Time()); err != nil {
			return err
		}
		s.has = true
	}
	if s.due <= s.newest {
		t := s.due
		e.IsFrame = false
		e.Event = engine.Event{T: t, Kind: engine.EvClock, Clock: s.keeper.Tell(t, s.wall.Add(time.Duration(t-s.start)), true)}
		s.due, _ = s.keeper.Due()
		return nil
	}
	*e, s.has = s.next, false
	return nil
}

// begin takes an entry's time, and at the first one sets the clock.
func (s *Stream) begin(t int64) (err error) {
	if s.wall.IsZero() {
		if s.wall, err = s.first(t); err != nil {
			return err
		}
		s.start, s.due, s.newest = t, t, t
	}
	s.newest = max(s.newest, t)
	return nil
}
