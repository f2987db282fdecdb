// Package network makes a CAN network that no car has, and its traffic, the
// same on every machine: what the benchmarks decode.
package network

import (
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"strings"

	"vignette/can"
	"vignette/can/canlog/candump"
)

// Messages is how many messages the network has.
const Messages = 150

// message is one that a frame of the traffic carries.
type message struct {
	name     string
	id       uint32
	extended bool
	length   int
	period   int64 // ns
	groups   int   // of multiplexed signals; 0: none
	signals  []signal
}

type signal struct {
	name        string
	mark        string // of the multiplexing
	start, bits int    // start as the DBC has it
	big, signed bool
	factor      string
	offset      int
	unit        string
}

var lengths = []int{8, 8, 8, 8, 8, 8, 7, 6, 4, 2}
var periods = []int64{10, 10, 20, 20, 50, 100, 100, 200, 500, 1000}
var scales = []struct {
	factor, unit string
	offset       int
}{{"1", "", 0}, {"0.1", "km/h", 0}, {"0.01", "V", 0}, {"0.5", "degC", -40}, {"0.25", "Nm", 0}, {"1", "rpm", 0}, {"0.0625", "%", 0}, {"2", "kPa", 100}}

// messages makes the network: nine in ten identifiers have 11 bits, a tenth of
// the messages are multiplexed, the last six are CAN FD.
func messages() []message {
	rng := rand.New(rand.NewPCG(150, 1))
	var list []message
	for i := range Messages {
		m := message{name: fmt.Sprintf("Unit%02d_Status%d", i/4, i%4), id: uint32(0x40 + 11*i), period: periods[rng.IntN(len(periods))] * 1e6,
			length: lengths[rng.IntN(len(lengths))]}
		if i%10 == 9 {
			m.id, m.extended = 0x18F00000+uint32(i)<<8, true
		}
		if i%10 == 4 {
			m.groups, m.length = 4, 8
		}
		if i >= Messages-6 {
			m.length = []int{12, 16, 24, 32, 48, 64}[Messages-1-i]
		}
		m.lay(rng)
		list = append(list, m)
	}
	return list
}

// lay places the signals one behind the other, all in one byte order: a
// multiplexer and groups of signals in the same place, or signals alone.
func (m *message) lay(rng *rand.Rand) {
	big := rng.IntN(3) == 0
	if m.groups == 0 {
		m.place(rng, big, 0, "")
		return
	}
	m.signals = append(m.signals, signal{name: "Page", mark: " M", start: start(0, big), bits: 8, big: big, factor: "1"})
	for g := range m.groups {
		m.place(rng, big, 8, fmt.Sprintf(" m%d", g))
	}
}

// place fills the message from a bit on.
func (m *message) place(rng *rand.Rand, big bool, from int, mark string) {
	for from < 8*m.length {
		bits := []int{1, 2, 4, 7, 8, 8, 10, 12, 16, 16}[rng.IntN(10)]
		bits = min(bits, 8*m.length-from)
		scale := scales[rng.IntN(len(scales))]
		if bits < 4 {
			scale = scales[0]
		}
		m.signals = append(m.signals, signal{name: fmt.Sprintf("Signal%d", len(m.signals)), mark: mark, start: start(from, big), bits: bits,
			big: big, signed: bits > 4 && rng.IntN(3) == 0, factor: scale.factor, offset: scale.offset, unit: scale.unit})
		from += bits
		if m.length > 8 || rng.IntN(4) == 0 { // a gap
			from += rng.IntN(8)
		}
	}
}

// start is the start bit of bits that follow from others, in the DBC's count.
func start(from int, big bool) int {
	if big {
		return from/8*8 + 7 - from%8
	}
	return from
}

// DBC is the network's database.
func DBC() []byte {
	var b strings.Builder
	b.WriteString("VERSION \"1\"\n\nNS_ :\n\nBS_:\n\nBU_: ECU\n")
	list := messages()
	for i := range list {
		m := &list[i]
		fmt.Fprintf(&b, "\nBO_ %d %s: %d ECU\n", m.number(), m.name, m.length)
		for _, s := range m.signals {
			order, sign := 1, "+"
			if s.big {
				order = 0
			}
			if s.signed {
				sign = "-"
			}
			fmt.Fprintf(&b, " SG_ %s%s : %d|%d@%d%s (%s,%d) [0|0] \"%s\" Vector__XXX\n", s.name, s.mark, s.start, s.bits, order, sign, s.factor, s.offset, s.unit)
		}
	}
	for i := range list {
		list[i].describe(&b)
	}
	return []byte(b.String())
}

// describe writes the message's comment, and names for the values of its
// smallest signals.
func (m *message) describe(b *strings.Builder) {
	id := m.number()
	fmt.Fprintf(b, "CM_ BO_ %d \"Made for the benchmark, sent every %d ms.\";\n", id, m.period/1e6)
	for _, s := range m.signals {
		if s.bits == 2 {
			fmt.Fprintf(b, "VAL_ %d %s 0 \"Off\" 1 \"On\" 2 \"Error\" 3 \"Not available\" ;\n", id, s.name)
		}
	}
}

// number is the message's identifier in the DBC, which adds bit 31 to 29 bits.
func (m *message) number() uint32 {
	if m.extended {
		return m.id | 1<<31
	}
	return m.id
}

// begin is the time of the traffic's first frame, ns.
const begin = 1767261607_000000000

// Traffic yields the network's frames in order, for ever. It implements can.Reader.
type Traffic struct {
	list []message
	due  []due // by time
	rng  *rand.Rand
}

type due struct {
	at      int64
	message int
}

var _ can.Reader = (*Traffic)(nil)

// NewTraffic starts the traffic.
func NewTraffic() *Traffic {
	t := &Traffic{list: messages(), rng: rand.New(rand.NewPCG(150, 2))}
	for i := range t.list {
		t.due = append(t.due, due{begin + t.rng.Int64N(t.list[i].period)/1000*1000, i})
	}
	sort.Slice(t.due, func(i, j int) bool { return t.due[i].before(t.due[j]) })
	return t
}

func (d due) before(o due) bool { return d.at < o.at || d.at == o.at && d.message < o.message }

// Channels names the traffic's only bus.
func (t *Traffic) Channels() []string { return []string{"can0"} }

// Read fills *f with the next frame: all its bits random, but for a page that
// the network has. One frame in fifty is short of its last byte.
func (t *Traffic) Read(f *can.Frame) error {
	next := t.due[0]
	m := &t.list[next.message]
	*f = can.Frame{Time: next.at, ID: m.id, Len: uint8(m.length)}
	if m.extended {
		f.Flags |= can.Extended
	}
	if m.length > 8 {
		f.Flags |= can.FD | can.BRS
	} else if t.rng.IntN(50) == 0 {
		f.Len--
	}
	for i := range f.Payload() {
		f.Data[i] = byte(t.rng.Uint32())
	}
	if m.groups > 0 {
		f.Data[0] = byte(t.rng.IntN(m.groups))
	}
	t.again(due{next.at + m.period, next.message})
	return nil
}

// again puts a message in its place among those that are due.
func (t *Traffic) again(d due) {
	at := 1
	for ; at < len(t.due) && t.due[at].before(d); at++ {
		t.due[at-1] = t.due[at]
	}
	t.due[at-1] = d
}

// Log writes so many frames of traffic as a candump log.
func Log(w io.Writer, frames int) error {
	log, traffic := candump.NewWriter(w), NewTraffic()
	var f can.Frame
	for range frames {
		if err := traffic.Read(&f); err != nil {
			return err
		}
		if err := log.Write(&f, "can0"); err != nil {
			return err
		}
	}
	return log.Flush()
}
