package drive

import (
	"vignette/can"
	"vignette/can/dbc"
	"vignette/scenes"
	"vignette/scenes/engine"
)

// Monitor follows signals for people to look at, apart from the engine, whose
// slots are only what decisions read. A stale signal has the zero Value, and so
// has one whose alive counter stands still for as long.
type Monitor struct {
	sources  []scenes.Source
	stale    []int64 // by signal: ns; 0: never
	last     []int64 // by signal: time of the last valid sample
	known    []bool
	alive    []aliveState // by signal
	buses    []can.IDs    // index into messages
	messages []monitored
	decoded  []dbc.Sample
	swept    int64
	changed  func(signal int, v engine.Value)
}

// monitored is a message that carries signals of the profile.
type monitored struct {
	signals  []int
	fields   []dbc.Field // of signals
	plan     dbc.Plan    // of fields
	counters []int       // signals whose alive counter it carries
}

// sweep is how often, in ns of the stream, a monitor looks for stale signals.
const sweep = 100e6

// NewMonitor follows every signal of the profile, in the profile's order, and
// tells of each sample, and once of each that goes stale or invalid.
func NewMonitor(v *scenes.Vehicle, changed func(signal int, v engine.Value)) (*Monitor, error) {
	m := &Monitor{buses: make([]can.IDs, len(v.Buses)), changed: changed}
	for i := range v.Signals {
		s := &v.Signals[i]
		src, err := v.Source(s.Path)
		if err != nil {
			return nil, err
		}
		m.sources = append(m.sources, src)
		m.stale = append(m.stale, int64(s.StaleAfter))
		at := m.message(src.Bus, src.Message)
		at.signals, at.fields = append(at.signals, i), append(at.fields, src.Field)
		if src.Alive != nil {
			at = m.message(src.Alive.Bus, src.Alive.Message)
			at.counters = append(at.counters, i)
		}
	}
	for i := range m.messages {
		m.messages[i].plan = dbc.NewPlan(m.messages[i].fields)
	}
	m.last, m.known, m.alive = make([]int64, len(m.sources)), make([]bool, len(m.sources)), make([]aliveState, len(m.sources))
	return m, nil
}

// message finds what is followed of a message, or begins to follow it. The
// pointer is good until the next call.
func (m *Monitor) message(bus int, of *dbc.Message) *monitored {
	ids := &m.buses[bus]
	if ids.Find(of.ID, of.Extended) < 0 {
		ids.Put(of.ID, of.Extended, len(m.messages))
		m.messages = append(m.messages, monitored{})
	}
	return &m.messages[ids.Find(of.ID, of.Extended)]
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
	message := m.buses[f.Bus].Find(f.ID, f.Flags&can.Extended != 0)
	if message < 0 {
		return
	}
	at := &m.messages[message]
	for _, i := range at.counters {
		if raw, ok := m.sources[i].Alive.Field.Raw(f.Payload()); ok {
			m.alive[i].count(raw)
		}
	}
	m.decoded = at.plan.Decode(f.Payload(), m.decoded[:0])
	for _, sample := range m.decoded {
		i := at.signals[sample.Index]
		if m.sources[i].Alive != nil && m.alive[i].frozen() {
			continue // no sample
		}
		if num, valid := m.sources[i].Convert(sample.Raw, sample.Physical); valid {
			m.last[i], m.known[i] = f.Time, true
			m.changed(i, m.sources[i].Value(num))
		} else if m.known[i] {
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
