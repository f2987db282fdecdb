package agent

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"vignette/can/canlog/candump"
	"vignette/can/socketcan"
	"vignette/scenes"
	"vignette/scenes/drive"
	uibridge "vignette/ui-bridge"
)

// recording feeds a candump log at a speed.
type recording struct {
	stream  *drive.LogStream
	file    *os.File
	vehicle *scenes.Vehicle
	pacer   *drive.Pacer
	timer   *time.Timer
	wait    time.Duration // until the next entry is due
	entry   drive.Entry   // the next one in line
	read    bool          // entry holds something
	upTo    int64         // time of entry, ns: no event is stamped after it
}

// openRecording opens the candump log that the configuration names.
func openRecording(c *SourceConfig, v *scenes.Vehicle) (*recording, error) {
	speed, err := drive.ParseSpeed(c.Speed)
	if err != nil {
		return nil, fmt.Errorf("source.%w", err)
	}
	named, err := drive.ParseBusMap(v, c.Map)
	if err != nil {
		return nil, fmt.Errorf("source.map: %w", err)
	}
	f, err := os.Open(c.Log)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		f.Close()
		return nil, fmt.Errorf("%s: the log is empty", c.Log)
	} else if err == nil && info.IsDir() {
		f.Close()
		return nil, errors.New(c.Log + ": is a directory; name a candump log")
	}
	s := drive.NewLogStream(v, named, []drive.Log{{Reader: candump.NewReader(c.Log, f), Name: c.Log}})
	s.Until = c.Duration.Nanoseconds()
	return &recording{stream: s, file: f, vehicle: v, pacer: drive.NewPacer(speed), timer: time.NewTimer(0)}, nil
}

func (r *recording) due() <-chan time.Time { return r.timer.C }

// grain is the least time between two looks at what is due: waking for each frame
// of a full bus would cost more than the frames. Their times are the log's own. It
// is a little above four milliseconds, since Go's poller waits for whole ones,
// rounded down: for exactly four it would wake after three, and once more.
const grain = 4050 * time.Microsecond

// feedBatch bounds how many entries are fed before the loop looks at the rest.
const feedBatch = 256

// wake feeds the entries that are due.
func (r *recording) wake(a *agent) error {
	if !r.read {
		if err := r.next(); err != nil {
			return err
		}
	}
	for range feedBatch {
		if r.wait = r.pacer.Due(r.upTo); r.wait > 0 {
			break
		}
		if err := a.feed(&r.entry); err != nil {
			return err
		}
		if err := r.next(); err != nil {
			return err
		}
	}
	if r.wait > 0 {
		r.wait = max(r.wait, grain)
	}
	r.timer.Reset(r.wait)
	return nil
}

// next reads the entry that is next in line. After the last one events are
// stamped with the time that they come at.
func (r *recording) next() error {
	if err := r.stream.Next(&r.entry); err != nil {
		if err == io.EOF {
			r.upTo = math.MaxInt64
		}
		return err
	}
	r.read, r.upTo = true, r.entry.Time()
	return nil
}

func (r *recording) batches() <-chan []socketcan.Item { return nil }

func (r *recording) take(*agent, []socketcan.Item, bool) error { return nil }

func (r *recording) settle(*agent) {}

// stamp is now, but not after the entry that is next in line, which may be due
// already.
func (r *recording) stamp(newest int64) int64 { return min(r.pacer.StreamTime(newest), r.upTo) }

// reprofile changes nothing: the buses are the same.
func (r *recording) reprofile(v *scenes.Vehicle) error {
	r.vehicle = v
	return nil
}

func (r *recording) count(map[string]uint64) {}

func (r *recording) known() bool { return true }

// buses have names; what a recording knows of their links is in its entries.
func (r *recording) buses() (list []uibridge.BusNow) {
	for _, b := range r.vehicle.Buses {
		list = append(list, uibridge.BusNow{Name: b.Name})
	}
	return list
}

func (r *recording) report(a *agent) {
	used, left := r.stream.Mapping()
	for _, l := range left {
		a.log.Warn("frames left out", "what", l)
	}
	a.log.Info("recording", "channels", used, "lost_by_recorder", r.stream.Dropped())
}

func (r *recording) Close() error {
	r.timer.Stop()
	return r.file.Close()
}
