package scenes

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"vignette/can/dbc"
	"vignette/scenes/engine"
)

// Source says where a signal's samples come from. It is immutable and may be
// shared; Sample and Convert allocate nothing.
type Source struct {
	Path    string
	Unit    string // of the samples, VSS's name; empty: none
	Kind    engine.ValueKind
	Labels  []string // for Label: a sample is an index into it
	Bus     int      // index into Vehicle.Buses
	Message *dbc.Message
	Signal  *dbc.Signal
	Field   dbc.Field
	Alive   *Counter // stands still when the signal is frozen; nil: none

	convert Conversion
	values  []mapped
	invalid []int64
}

// source is the signal's source.
func (s *Signal) source() Source {
	return Source{Path: s.Path, Unit: s.Unit, Kind: s.Kind, Labels: s.Labels, Bus: s.Bus, Message: s.Message,
		Signal: s.Signal, Field: s.field, Alive: s.alive, convert: s.convert, values: s.values, invalid: s.invalid}
}

// Source returns where the samples of a signal of the profile come from, card
// or no card.
func (v *Vehicle) Source(path string) (Source, error) {
	s := v.Signal(path)
	if s == nil {
		return Source{}, errors.New(v.noSignal(path))
	}
	return s.source(), nil
}

// Sample decodes the signal from a frame's data. present is false when the
// frame does not carry it (short frame, multiplexed out). num and valid are as
// Convert gives them.
func (s *Source) Sample(data []byte) (num float64, valid, present bool) {
	raw, ok := s.Field.Raw(data)
	if !ok {
		return 0, false, false
	}
	num, valid = s.Convert(raw, s.Field.Physical(raw))
	return num, valid, true
}

// Convert turns the raw and the physical value of Field into a sample. valid is
// false when the raw value is one of `invalid`, is not listed in `values`, or is
// no finite number. num is in the source's Unit, a label's index, or 0 or 1.
func (s *Source) Convert(raw int64, physical float64) (num float64, valid bool) {
	if len(s.invalid) > 0 {
		if _, bad := slices.BinarySearch(s.invalid, raw); bad {
			return 0, false
		}
	}
	if s.values != nil {
		return s.mapped(raw)
	}
	x := s.convert.Apply(physical)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false
	}
	return x, true
}

// mapped looks a raw value up in `values`.
func (s *Source) mapped(raw int64) (num float64, valid bool) {
	lo, hi := 0, len(s.values)
	for lo < hi {
		if mid := (lo + hi) / 2; s.values[mid].raw < raw {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(s.values) || s.values[lo].raw != raw {
		return 0, false
	}
	return s.values[lo].num, true
}

// Value is a sample as a value: a label, a boolean or a number.
func (s *Source) Value(num float64) engine.Value {
	v := engine.Value{Kind: s.Kind, Num: num}
	if s.Kind == engine.Label && num >= 0 && int(num) < len(s.Labels) {
		v.Text = s.Labels[int(num)]
	}
	return v
}

// Text writes a sample as the profile would: a label, true or false, or a number.
func (s *Source) Text(num float64) string {
	v := s.Value(num)
	switch v.Kind {
	case engine.Bool:
		return strconv.FormatBool(num == 1)
	case engine.Label:
		return v.Text
	}
	return show(num)
}
