package drive

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"

	"go.einride.tech/can/pkg/dbc"
)

// sender sends one message: on its cycle, on change, or both.
type sender struct {
	*layout
	index   int    // position in the DBCs, the last tie-break
	next    int64  // µs, of the next cyclic frame
	page    uint64 // multiplexer, one page a frame
	pages   uint64
	counter uint64
	events  uint64 // changes sent so far
	last    []byte // what an on-change message last said
}

// frame waits for its turn on the bus.
type frame struct {
	us    int64
	index int
	line  string
}

// traffic turns the state of the car into frames on the two buses.
type traffic struct {
	senders []*sender
	jitter  random
	waiting []frame
	free    map[string]int64 // µs, by channel: the bus is busy until then
	lastUS  int64
}

func newTraffic() (*traffic, error) {
	pt, err := readLayouts("can0", "powertrain.dbc", powertrainDBC)
	if err != nil {
		return nil, err
	}
	body, err := readLayouts("can1", "body.dbc", bodyDBC)
	if err != nil {
		return nil, err
	}
	t := &traffic{jitter: 0x4A6974746572, free: map[string]int64{}}
	for i, l := range append(pt, body...) {
		s := &sender{layout: l, index: i, next: int64(i) * 1_370, pages: 1}
		for _, sig := range l.signals {
			if sig.IsMultiplexed {
				s.pages = max(s.pages, sig.MultiplexerSwitch+1)
			}
		}
		t.senders = append(t.senders, s)
	}
	return t, nil
}

// tick sends what falls due within the tick at ms, then writes the frames
// that nothing later can precede.
func (t *traffic) tick(ms int64, c *car, w io.Writer) error {
	for _, s := range t.senders {
		if !s.awake(c) {
			s.next = max(s.next, (ms+tickMS)*1000+int64(s.index)*1_370)
			continue
		}
		if err := t.sendDue(s, ms, c); err != nil {
			return err
		}
	}
	return t.flush((ms+tickMS)*1000, w)
}

// awake tells whether the message is sent at all at this moment.
func (s *sender) awake(c *car) bool {
	if gap, found := missing[s.name]; found && gap.holds(c.ms) {
		return false
	}
	switch s.name {
	case "VCU_Power":
		return true
	case "IVI_DriveMode", "IVI_Audio":
		return c.awake() && c.ms >= 9_000 // the head unit boots slowly
	}
	return s.channel != "can0" || c.awake()
}

// sendDue queues the frames of one message for the tick at ms. A frame is
// ready up to 6 % of its cycle, at most 1.5 ms, after its nominal time: the
// sender's own load.
func (t *traffic) sendDue(s *sender, ms int64, c *car) error {
	if s.onChange {
		now, err := s.payload(c, false)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, s.last) {
			s.last = now
			s.events++
			if err := t.queue(s, ms*1000+400+t.jitter.upTo(900), c); err != nil {
				return err
			}
		}
	}
	for s.cycleMS > 0 && s.next < (ms+tickMS)*1000 {
		ready := s.next + t.jitter.upTo(min(s.cycleMS*60, 1_500))
		if err := t.queue(s, ready, c); err != nil {
			return err
		}
		s.next += s.cycleMS * 1000
	}
	return nil
}

// queue builds the frame and puts it among those that wait.
func (t *traffic) queue(s *sender, us int64, c *car) error {
	data, err := s.payload(c, true)
	if err != nil {
		return err
	}
	t.waiting = append(t.waiting, frame{us: us, index: s.index, line: s.text(data)})
	return nil
}

// flush writes the waiting frames that are ready before the limit, in order;
// a frame waits until the one before it on its bus is through.
func (t *traffic) flush(limitUS int64, w io.Writer) error {
	sort.Slice(t.waiting, func(i, j int) bool {
		a, b := t.waiting[i], t.waiting[j]
		return a.us < b.us || a.us == b.us && a.index < b.index
	})
	n := 0
	for n < len(t.waiting) && t.waiting[n].us < limitUS {
		f := t.waiting[n]
		channel := f.line[:4]
		us := max(f.us, t.free[channel], t.lastUS)
		t.free[channel] = us + 236 // a frame of 8 bytes at 500 kbit/s, stuffed
		t.lastUS = us
		if _, err := fmt.Fprintf(w, "(%d.%06d) %s\n", Start+us/1_000_000, us%1_000_000, f.line); err != nil {
			return err
		}
		n++
	}
	t.waiting = append(t.waiting[:0], t.waiting[n:]...)
	return nil
}

// text is the frame in candump's words, without the time.
func (s *sender) text(data []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %03X#", s.channel, s.id)
	if s.extended {
		b.Reset()
		fmt.Fprintf(&b, "%s %08X#", s.channel, s.id)
	}
	if s.fd {
		b.WriteString("#1") // flags: bit rate switch
	}
	fmt.Fprintf(&b, "%X", data)
	return b.String()
}

// payload builds the data bytes. Unless final, counters and checksums stay
// zero, so that two payloads can be compared for a change.
func (s *sender) payload(c *car, final bool) ([]byte, error) {
	data := make([]byte, s.size)
	for i := range s.signals {
		sig := &s.signals[i]
		if sig.IsMultiplexed && sig.MultiplexerSwitch != s.page {
			continue
		}
		raw, err := s.raw(sig, c, data, final)
		if err != nil {
			return nil, fmt.Errorf("%s at %d ms: %w", s.name, c.ms, err)
		}
		put(data, sig, raw)
	}
	if final {
		s.page = (s.page + 1) % s.pages
		if still, found := frozen[s.counterName()]; !found || !still.holds(c.ms) {
			s.counter++
		}
	}
	if cut, found := short[s.name]; found && cut.holds(c.ms) {
		return data[:cut.size], nil
	}
	return data, nil
}

// raw is the raw value of one signal; checksums cover the bytes before them.
func (s *sender) raw(sig *dbc.SignalDef, c *car, data []byte, final bool) (uint64, error) {
	name := string(sig.Name)
	if raw, found := rawFault(name, c.ms); found {
		return raw, nil
	}
	switch {
	case !final && (strings.HasSuffix(name, "Counter") || strings.HasSuffix(name, "Crc")):
		return 0, nil
	case sig.IsMultiplexerSwitch:
		return s.page, nil
	case strings.HasSuffix(name, "EventCounter"):
		return s.events, nil
	case strings.HasSuffix(name, "Counter"):
		return s.counter, nil
	case strings.HasSuffix(name, "Crc"):
		return uint64(crc8(data[:sig.StartBit/8])), nil
	}
	value, found := c.values[name]
	if !found {
		return 0, fmt.Errorf("the simulation has no signal %s", name)
	}
	return rawOf(sig, s.floats[sig.Name], value)
}

// counterName is the name of the message's alive counter, or empty.
func (s *sender) counterName() string {
	for i := range s.signals {
		if name := string(s.signals[i].Name); strings.HasSuffix(name, "Counter") {
			return name
		}
	}
	return ""
}
