package drive

import (
	"slices"

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
	stale    []int64        // by signal: ns; 0: never
	last     []int64        // by signal: time of the last valid sample
	values   []engine.Value // by signal: as last told
	alive    []aliveState   // by signal
	buses    []can.IDs      // index into messages
	messages []monitored
	decoded  []dbc.Sample
	of       []int // by signal: its message
	now      int64 // time of the newest frame
	swept    int64
	asleep   bool // nobody looks
	changed  func(signal int, v engine.Value)
}

// monitored is a message that carries signals of the profile.
type monitored struct {
	signals  []int
	fields   []dbc.Field // of signals
	plan     dbc.Plan    // of fields
	counters []int       // signals whose alive counter it carries
	patient  bool        // nothing but its length says which signals a frame has, and their counters are in it
	whole    uint8       // a frame of this length has all signals; 0: the latest one had not
	frame    can.Frame   // of a patient message: the latest one whose counters moved
	waits    bool        // frame is to be decoded yet
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
		m.of = append(m.of, m.buses[src.Bus].Find(src.Message.ID, src.Message.Extended))
		if src.Alive != nil {
			at = m.message(src.Alive.Bus, src.Alive.Message)
			at.counters = append(at.counters, i)
		}
	}
	for i := range m.messages {
		at := &m.messages[i]
		at.plan = dbc.NewPlan(at.fields)
		at.patient = at.plan.Unconditional() && m.ownCounters(i)
	}
	m.last, m.values, m.alive = make([]int64, len(m.sources)), make([]engine.Value, len(m.sources)), make([]aliveState, len(m.sources))
	return m, nil
}

// ownCounters reports whether the counters of a message are those of its own
// signals, and theirs are in it.
func (m *Monitor) ownCounters(message int) bool {
	at := &m.messages[message]
	for _, s := range at.counters {
		if m.of[s] != message {
			return false
		}
	}
	for _, s := range at.signals {
		if m.sources[s].Alive != nil && !slices.Contains(at.counters, s) {
			return false
		}
	}
	return true
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

// Look says whether somebody looks, which is so at first. Whoever begins to look
// is told of every signal that is known.
func (m *Monitor) Look(on bool) {
	if m.asleep == !on {
		return
	}
	m.asleep = !on
	for i := range m.messages {
		if at := &m.messages[i]; at.patient && at.whole != 0 {
			m.turn(at, on)
		}
	}
	m.sweep(m.now)
}

// turn tells of a patient message's latest frame, or forgets what was told: it is
// old when somebody looks again.
func (m *Monitor) turn(at *monitored, on bool) {
	if on {
		m.decode(at, &at.frame)
		return
	}
	at.waits = true
	for _, i := range at.signals {
		m.forget(i)
	}
}

// Value is what a signal is at a time of the stream, also while nobody looks.
func (m *Monitor) Value(signal int, now int64) engine.Value {
	if at := &m.messages[m.of[signal]]; at.waits {
		m.decode(at, &at.frame)
	}
	if m.stale[signal] > 0 && now-m.last[signal] >= m.stale[signal] {
		return engine.Value{}
	}
	return m.values[signal]
}

// Frame takes the signals of a frame. It allocates nothing.
func (m *Monitor) Frame(f *can.Frame) {
	if m.now = f.Time; f.Time-m.swept >= sweep || f.Time < m.swept {
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
	if m.asleep && at.patient && at.whole != 0 && f.Len >= at.whole {
		switch m.vouched(at) {
		case len(at.signals):
			for _, i := range at.signals {
				m.alive[i].use()
			}
			at.frame, at.waits = *f, true
			return
		case 0:
			return // no samples
		}
	}
	m.decode(at, f)
}

// vouched is the number of a message's signals whose alive counters moved.
func (m *Monitor) vouched(at *monitored) (n int) {
	for _, i := range at.signals {
		if m.sources[i].Alive == nil || !m.alive[i].stands() {
			n++
		}
	}
	return n
}

// decode tells of the signals of a frame. The latest frame of a patient message
// goes before another one, and its counters were looked at when it came.
func (m *Monitor) decode(at *monitored, f *can.Frame) {
	kept := f == &at.frame
	if at.waits {
		if at.waits = false; !kept {
			m.decode(at, &at.frame)
		}
	}
	m.decoded = at.plan.Decode(f.Payload(), m.decoded[:0])
	if at.patient && !kept {
		m.keep(at, f)
	}
	for _, sample := range m.decoded {
		if i := at.signals[sample.Index]; kept || m.sources[i].Alive == nil || !m.alive[i].frozen() {
			m.take(i, f.Time, &sample)
		}
	}
}

// keep remembers a decoded frame that has all signals of a patient message. One
// of which nothing is vouched for is as if it had not come.
func (m *Monitor) keep(at *monitored, f *can.Frame) {
	switch n := m.vouched(at); {
	case len(m.decoded) == len(at.signals) && n == len(at.signals):
		at.frame, at.whole = *f, f.Len
	case n > 0:
		at.whole = 0
	}
}

// take takes what a frame says of a signal.
func (m *Monitor) take(i int, t int64, sample *dbc.Sample) {
	num, valid := m.sources[i].Convert(sample.Raw, sample.Physical)
	if !valid {
		m.forget(i)
		return
	}
	m.last[i], m.values[i] = t, m.sources[i].Value(num)
	m.changed(i, m.values[i])
}

func (m *Monitor) sweep(now int64) {
	m.swept = now
	for i := range m.values {
		if m.stale[i] > 0 && now-m.last[i] >= m.stale[i] {
			m.forget(i)
		}
	}
}

// forget tells that a signal is not known any more.
func (m *Monitor) forget(i int) {
	if m.values[i].Kind != engine.None {
		m.values[i] = engine.Value{}
		m.changed(i, engine.Value{})
	}
}
