package drive

import (
	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/engine"
)

// Monitor follows signals for people to look at, apart from the engine, whose
// slots are only what decisions read. A stale signal has the zero Value.
type Monitor struct {
	sources  []scenes.Source
	stale    []int64 // by signal: ns; 0: never
	last     []int64 // by signal: time of the last valid sample
	known    []bool
	messages map[monitorKey][]int
	swept    int64
	changed  func(signal int, v engine.Value)
}

type monitorKey struct {
	bus uint8
	id  uint32
	ext bool
}

// sweep is how often, in ns of the stream, a monitor looks for stale signals.
const sweep = 100e6

// NewMonitor follows every signal of the profile, in the profile's order, and
// tells of each sample, and once of each that goes stale or invalid.
func NewMonitor(v *scenes.Vehicle, changed func(signal int, v engine.Value)) (*Monitor, error) {
	m := &Monitor{messages: map[monitorKey][]int{}, changed: changed}
	for i := range v.Signals {
		s := &v.Signals[i]
		src, err := v.Source(s.Path)
		if err != nil {
			return nil, err
		}
		m.sources = append(m.sources, src)
		m.stale = append(m.stale, int64(s.StaleAfter))
		key := monitorKey{uint8(src.Bus), src.Message.ID, src.Message.Extended}
		m.messages[key] = append(m.messages[key], i)
	}
	m.last, m.known = make([]int64, len(m.sources)), make([]bool, len(m.sources))
	return m, nil
}

// Frame takes the signals of a frame. It allocates nothing.
func (m *Monitor) Frame(f *can.Frame) {
	if f.Time-m.swept >= sweep || f.Time < m.swept {
		m.swept = f.Time
		m.sweep(f.Time)
	}
	if f.Flags&(can.Error|can.Remote) != 0 {
		return
	}
	for _, i := range m.messages[monitorKey{f.Bus, f.ID, f.Flags&can.Extended != 0}] {
		num, valid, present := m.sources[i].Sample(f.Payload())
		switch {
		case !present:
		case valid:
			m.last[i], m.known[i] = f.Time, true
			m.changed(i, m.sources[i].Value(num))
		case m.known[i]:
			m.forget(i)
		}
	}
}

func (m *Monitor) sweep(now int64) {
	for i, known := range m.known {
		if known && m.stale[i] > 0 && now-m.last[i] >= m.stale[i] {
			m.forget(i)
		}
	}
}

func (m *Monitor) forget(i int) {
	m.known[i] = false
	m.changed(i, engine.Value{})
}
