package drive

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"vignette/can"
	"vignette/scenes"
)

// Log is one recording to be read as a stream: its frames' buses are those of
// the recorder and have to be mapped to the profile's.
type Log struct {
	can.Reader
	Name string
}

// LogStream merges recordings into one stream by (time, bus order of the
// profile, line). Frames on channels that no bus of the profile names are left
// out and counted by channel.
type LogStream struct {
	Until int64 // ns after the first frame at which the stream ends; 0: at its end

	vehicle *scenes.Vehicle
	named   map[string]int // channel to bus, as the user said
	heads   []head
	first   int64
	started bool
}

// head is the next frame of one recording.
type head struct {
	log      Log
	frame    can.Frame
	err      error
	buses    []int // by the recorder's channel: profile bus, or -1
	unmapped map[string]uint64
}

// NewLogStream opens a stream over logs. Named maps channels to buses where
// their names differ, see ParseBusMap.
func NewLogStream(v *scenes.Vehicle, named map[string]int, logs []Log) *LogStream {
	s := &LogStream{vehicle: v, named: named}
	for _, l := range logs {
		s.heads = append(s.heads, head{log: l, unmapped: map[string]uint64{}})
	}
	for i := range s.heads {
		s.advance(&s.heads[i])
	}
	return s
}

// ParseBusMap reads "channel=bus" pairs.
func ParseBusMap(v *scenes.Vehicle, pairs []string) (map[string]int, error) {
	named := map[string]int{}
	for _, pair := range pairs {
		channel, bus, ok := strings.Cut(pair, "=")
		if !ok || channel == "" {
			return nil, fmt.Errorf("%q is not CHANNEL=BUS", pair)
		}
		i := busIndex(v, bus)
		if i < 0 {
			return nil, fmt.Errorf("the profile has no bus %q; it has %s", bus, busNames(v))
		}
		if _, twice := named[channel]; twice {
			return nil, fmt.Errorf("channel %q is mapped twice; keep one", channel)
		}
		named[channel] = i
	}
	return named, nil
}

func busIndex(v *scenes.Vehicle, name string) int {
	for i := range v.Buses {
		if v.Buses[i].Name == name {
			return i
		}
	}
	return -1
}

func busNames(v *scenes.Vehicle) string {
	var names []string
	for i := range v.Buses {
		names = append(names, v.Buses[i].Name)
	}
	return strings.Join(names, ", ")
}

// Next implements Stream. A damaged recording ends the stream with its error
// once every frame before the damage was given.
func (s *LogStream) Next(e *Entry) error {
	best := -1
	for i := range s.heads {
		h := &s.heads[i]
		if h.err == nil && (best < 0 || h.before(&s.heads[best])) {
			best = i
		}
	}
	if best < 0 {
		return s.end()
	}
	h := &s.heads[best]
	if !s.started {
		s.started, s.first = true, h.frame.Time
	}
	if s.Until > 0 && h.frame.Time-s.first > s.Until {
		return io.EOF
	}
	e.IsFrame = true
	e.Frame = h.frame
	s.advance(h)
	return nil
}

func (h *head) before(o *head) bool {
	if h.frame.Time != o.frame.Time {
		return h.frame.Time < o.frame.Time
	}
	return h.frame.Bus < o.frame.Bus
}

// end is io.EOF, or the first damage.
func (s *LogStream) end() error {
	for i := range s.heads {
		if err := s.heads[i].err; err != nil && err != io.EOF {
			return err
		}
	}
	return io.EOF
}

// advance reads a recording's next frame on a bus of the profile.
func (s *LogStream) advance(h *head) {
	for {
		if h.err = h.log.Read(&h.frame); h.err != nil {
			return
		}
		if bus := s.bus(h, int(h.frame.Bus)); bus >= 0 {
			h.frame.Bus = uint8(bus)
			return
		}
	}
}

// bus maps a recorder's channel, deciding once for each.
func (s *LogStream) bus(h *head, channel int) int {
	for len(h.buses) <= channel {
		h.buses = append(h.buses, s.assign(h, len(h.buses)))
	}
	bus := h.buses[channel]
	if bus < 0 {
		h.unmapped[h.log.Channels()[channel]]++
	}
	return bus
}

// assign chooses a channel's bus.
func (s *LogStream) assign(h *head, channel int) int {
	return BusOf(s.vehicle, s.named, h.log.Channels()[channel], channel == 0)
}

// BusOf chooses the bus of a recorder's channel: as the user said; the bus of
// that interface or name; or, where the profile has a single bus and the
// channel is the first seen and no other's, that bus. -1: none.
func BusOf(v *scenes.Vehicle, named map[string]int, channel string, first bool) int {
	if i, ok := named[channel]; ok {
		return i
	}
	for i := range v.Buses {
		if b := &v.Buses[i]; b.Interface == channel || b.Name == channel {
			return i
		}
	}
	if len(v.Buses) == 1 && first && len(named) == 0 {
		return 0
	}
	return -1
}

// Mapping describes each channel seen: "vcan0 → pt", or how many frames of it
// were left out; and names what the map has in vain.
func (s *LogStream) Mapping() (used []string, left []string) {
	for i := range s.heads {
		h := &s.heads[i]
		for c, bus := range h.buses {
			name := h.log.Channels()[c]
			if bus >= 0 {
				used = append(used, fmt.Sprintf("%s → %s", name, s.vehicle.Buses[bus].Name))
			} else {
				left = append(left, fmt.Sprintf("%s: %d frames on channel %s, which no bus of the profile names; use --map %s=BUS (buses: %s)",
					h.log.Name, h.unmapped[name], name, name, busNames(s.vehicle)))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.named)) {
		if !slices.ContainsFunc(s.heads, func(h head) bool { return slices.Contains(h.log.Channels(), name) }) {
			left = append(left, fmt.Sprintf("no frame was read on channel %s, which the map names", name))
		}
	}
	return used, left
}

// Dropped is how many frames the recorders say they lost, as far as read.
func (s *LogStream) Dropped() (n uint64) {
	for i := range s.heads {
		if r, ok := s.heads[i].log.Reader.(interface{ Dropped() uint64 }); ok {
			n += r.Dropped()
		}
	}
	return n
}

// Run feeds a pump from a stream until its end.
func Run(s Stream, p *Pump) error {
	var e Entry
	for {
		if err := s.Next(&e); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := p.Feed(&e); err != nil {
			return err
		}
	}
}
