package drive

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Speed is a multiple of real time; 0 is as fast as possible.
type Speed float64

// ParseSpeed reads "max" or a multiple such as "1x" or "10x".
func ParseSpeed(s string) (Speed, error) {
	if s == "max" {
		return 0, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !strings.HasSuffix(s, "x") || !(f > 0 && f <= 10000) {
		return 0, fmt.Errorf("speed %q is not max or a multiple of real time such as 1x or 10x", s)
	}
	return Speed(f), nil
}

// Pacer tells when an entry of a recording is due at a speed. Its clock starts
// with the first entry it sees.
type Pacer struct {
	speed   Speed
	started bool
	wall    time.Time
	stream  int64
}

// NewPacer returns a pacer at speed.
func NewPacer(speed Speed) *Pacer { return &Pacer{speed: speed} }

// Due returns how long to wait before the entry at t ns of the stream.
func (p *Pacer) Due(t int64) time.Duration {
	if p.speed == 0 {
		return 0
	}
	if !p.started {
		p.started, p.wall, p.stream = true, time.Now(), t
	}
	return time.Until(p.wall.Add(time.Duration(float64(t-p.stream) / float64(p.speed))))
}

// StreamTime is now on the stream's time base, as an event between two entries
// is stamped at this speed; at full speed it is the newest entry's time.
func (p *Pacer) StreamTime(newest int64) int64 {
	if p.speed == 0 || !p.started {
		return newest
	}
	return max(newest, p.stream+int64(float64(time.Since(p.wall))*float64(p.speed)))
}

// Wait waits until the entry at t ns is due.
func (p *Pacer) Wait(t int64) {
	if d := p.Due(t); d > 0 {
		<-time.After(d)
	}
}
