package trace

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

// hostile reads bytes as what a hostile HMI does, one batch after the other.
type hostile struct {
	b    []byte
	c    Context
	last Interaction
}

// next is the next byte; 0 at the end.
func (h *hostile) next() byte {
	if len(h.b) == 0 {
		return 0
	}
	b := h.b[0]
	h.b = h.b[1:]
	return b
}

// word is one that the study knows, or a text as it stands in the bytes.
func (h *hostile) word(known []string) string {
	b := h.next()
	if int(b) < len(known) {
		return known[b]
	}
	n := min(int(b)-len(known), len(h.b))
	text := string(h.b[:n])
	h.b = h.b[n:]
	return text
}

// time moves one of the clocks.
func (h *hostile) time(how byte) {
	var b [8]byte
	n := copy(b[:], h.b)
	h.b = h.b[n:]
	step := time.Duration(int64(binary.LittleEndian.Uint64(b[:])))
	switch how {
	case 0:
		h.c.Now = h.c.Now.Add(step % (40 * time.Second))
	case 1:
		h.c.Now = h.c.Now.Add(step)
	case 2:
		h.c.Wall = h.c.Wall.Add(step)
	case 3:
		h.c.Now, h.c.Wall = h.c.Now.AddDate(int(step%11), 0, 0), h.c.Wall.AddDate(int(step%11), 0, 0)
	case 4:
		h.c.Wall = time.Time{}
	case 5:
		h.c.Wall = noon
	case 6:
		h.c.SpeedKmh, h.c.SpeedKnown = float64(step)/float64(time.Second), step%5 != 0
	}
}

var (
	hostileScreens  = []string{"", "home", "climate", "navigation", "notice", "nosuch"}
	hostileElements = []string{"", "climate_tile", "navigation_tile", "fan", "temperature", "recirculation", "back", "keyboard", "zoom", "dismiss"}
)

// batch is the next batch: up to 10,000 touches, some of them the same again.
func (h *hostile) batch() (list []Interaction) {
	for len(h.b) > 0 && len(list) < 10_000 {
		switch b := h.next(); {
		case b < 7:
			h.time(b)
			return list
		case b == 7:
			again := min(10_000-len(list), int(h.next())<<8|int(h.next()))
			list = append(list, slices.Repeat([]Interaction{h.last}, again)...)
		default:
			h.last = Interaction{h.word(hostileScreens), h.word(hostileElements), h.word(scenes.Gestures), h.word(scenes.Outcomes)}
			list = append(list, h.last)
		}
	}
	return list
}

// FuzzBatches: whatever a hostile HMI reports, with whatever clocks, yields `other`
// and counters and nothing else: each touch is counted once, attempts end in one
// way each, and what is kept is in the dictionary. The contract's lines 3 and 4.
func FuzzBatches(f *testing.F) {
	f.Add([]byte{8, 1, 1, 2, 2, 8, 2, 3, 5, 2, 7, 255, 255, 8, 2, 6, 2, 4})
	f.Add(append([]byte{8, 1, 2, 2, 2, 8, 3, 40}, "13800138000 Zhang Wei LSVAA4182E2100001"...))
	f.Add([]byte{8, 1, 1, 2, 2, 3, 0xf6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 8, 1, 1, 2, 2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 8, 2, 3, 2, 2})
	f.Add(bytes.Repeat([]byte{8, 1, 1, 2, 2, 8, 2, 3, 5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0x80}, 20))
	s := study(f)
	dir := filepath.Join(f.TempDir(), "traces")
	r := consented(f, dir, Options{Studies: []*scenes.Study{s}})
	p := newPolicy(s, Car{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r.SetUser(0)
		r.SetUser(driver)
		before, told := r.Counters(), 0
		h := hostile{b: b, c: at(0, 0)}
		for len(h.b) > 0 && told < 40_000 {
			batch := h.batch()
			n, err := r.Record(batch, h.c)
			if err != nil || n > len(batch) {
				t.Fatalf("%d of %d, %v", n, len(batch), err)
			}
			told += len(batch)
			if err := r.Tick(h.c); err != nil {
				t.Fatal(err)
			}
		}
		r.SetUser(0)
		n := r.Counters()
		if got := n.Accepted + n.Refused + n.Outside - before.Accepted - before.Refused - before.Outside; got != uint64(told) {
			t.Errorf("%d of %d touches are counted", got, told)
		}
		if n.Attempts-before.Attempts != n.Gated+n.NotSampled+n.Episodes-before.Gated-before.NotSampled-before.Episodes {
			t.Errorf("attempts: %+v, before %+v", n, before)
		}
		for _, e := range r.spools[0].list {
			if p.dict[newTuple(e.ep.Task, e.ep.Ev)] != e.ep.Variant || e.ep.Variant == 0 || e.ep.wrong() != "" {
				t.Errorf("kept %+v", e.ep)
			}
		}
		if n.Episodes+n.Released > before.Episodes+before.Released {
			onlyWords(t, dir, b)
		}
	})
}

// onlyWords holds that no text of a hostile HMI is in a file: no eight of its bytes
// that could be one.
func onlyWords(t *testing.T, dir string, from []byte) {
	t.Helper()
	ours := strings.Join(slices.Concat(headers, []string{consentHead, demo, string(closedText(0))}), "")
	for name, text := range files(t, dir) {
		text = bytes.TrimRight(text, "\x00 ")
		for i := range max(len(from)-8, 0) {
			if part := from[i : i+8]; printable(part) && !strings.Contains(ours, string(part)) && (bytes.Contains(text, part) || strings.Contains(name, string(part))) {
				t.Errorf("%s has %q", name, part)
			}
		}
	}
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
}
