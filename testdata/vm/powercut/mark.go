package powercut

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Mark is a line of what the guest asks of the agent and what the agent answers,
// in their order.
type Mark struct {
	N    int               // of what is asked
	Done bool              // it was answered: it must outlast a power loss from here on
	Left bool              `json:",omitempty"` // Done, and nothing was asked of the agent but that it was left alone for a second
	Set  map[string]string `json:",omitempty"` // asked: what comes of it, by register
}

// Append makes a mark a sector.
func (m *Mark) Append() ([]byte, error) {
	b, err := json.Marshal(m)
	if err == nil && len(b) > MarkBytes {
		err = fmt.Errorf("a mark of %d bytes, at most %d fit", len(b), MarkBytes)
	}
	return append(b, make([]byte, max(0, MarkBytes-len(b)))...), err
}

// ParseMark reads a sector.
func ParseMark(sector []byte) (m Mark, err error) {
	err = json.Unmarshal(bytes.TrimRight(sector, "\x00"), &m)
	return m, err
}

// Promised is what each register must hold after a power loss: one of its values,
// of which the first is what was answered for last, and the others were asked for
// since. A register that is not in it may hold anything.
func Promised(marks []Mark) (map[string][]string, error) {
	promised, open := map[string][]string{}, map[int]map[string]string{}
	for _, m := range marks {
		set, asked := open[m.N]
		switch {
		case !m.Done:
			open[m.N] = m.Set
		case !asked:
			return nil, fmt.Errorf("mark %d was answered and not asked", m.N)
		default:
			delete(open, m.N)
			for register, value := range set {
				promised[register] = []string{value}
			}
		}
	}
	if len(open) > 1 {
		return nil, errors.New("more than one thing was asked at once")
	}
	for _, set := range open {
		for register, value := range set {
			if old, known := promised[register]; known && !slices.Contains(old, value) {
				promised[register] = append(old, value)
			}
		}
	}
	return promised, nil
}

// registers are the names in a map, in order.
func registers[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }
