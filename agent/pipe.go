package agent

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/can/socketcan"
	"vignette/scenes"
	"vignette/scenes/drive"
	uibridge "vignette/ui-bridge"
)

// pipe reads live frames from a named pipe: candump lines, which another
// process writes as frames come to it. Their own times count for nothing: a
// frame is stamped on CLOCK_BOOTTIME when it is read. A line that is no frame
// is told as a lost frame of every bus.
type pipe struct {
	name    string
	file    *os.File
	log     uibridge.Logger
	vehicle *scenes.Vehicle
	named   map[string]int
	buses   []int // by channel of the lines: the profile's bus, or -1
	reader  *candump.Reader

	full, free chan []socketcan.Item
	ended      sync.WaitGroup
	err        error // why full is closed
}

// pipeFrames is how many frames wait for the loop; what more there are wait in
// the pipe.
const pipeFrames = 64

// openPipe opens a named pipe for writing too, so that it does not end when the
// last writer goes, and begins to read. What waits in it is of an unknown age
// and is dropped.
func openPipe(c *SourceConfig, v *scenes.Vehicle, log uibridge.Logger) (*pipe, error) {
	named, err := drive.ParseBusMap(v, c.Map)
	if err != nil {
		return nil, fmt.Errorf("source.map: %w", err)
	}
	if info, err := os.Stat(c.Pipe); err != nil {
		return nil, err
	} else if info.Mode()&os.ModeNamedPipe == 0 {
		return nil, fmt.Errorf("source.pipe: %s is no named pipe; make one with mkfifo, or name a recording with source.log", c.Pipe)
	}
	f, err := os.OpenFile(c.Pipe, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	p := &pipe{name: c.Pipe, file: f, log: log, vehicle: v, named: named, reader: candump.NewReader(c.Pipe, f),
		full: make(chan []socketcan.Item, pipeFrames), free: make(chan []socketcan.Item, pipeFrames)}
	stale, err := p.empty()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	log.Info("pipe", "file", c.Pipe, "bytes_of_unknown_age", stale)
	for range pipeFrames {
		p.free <- make([]socketcan.Item, 0, len(v.Buses))
	}
	p.ended.Go(p.run)
	return p, nil
}

// empty drops what waits in the pipe.
func (p *pipe) empty() (dropped int, err error) {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	b := make([]byte, 64<<10)
	rerr := raw.Read(func(fd uintptr) bool {
		for {
			n, e := syscall.Read(int(fd), b)
			if e == syscall.EINTR {
				continue
			}
			if n <= 0 {
				if e != syscall.EAGAIN {
					err = fmt.Errorf("%s: %w", p.name, e)
				}
				return true
			}
			dropped += n
		}
	})
	return dropped, errors.Join(err, rerr)
}

// run reads until the pipe is closed.
func (p *pipe) run() {
	defer close(p.full)
	for {
		batch := (<-p.free)[:0]
		if batch, p.err = p.next(batch); p.err != nil {
			return
		}
		p.full <- batch // has room for all there are
	}
}

// next reads the next frame of a bus of the profile, or a line that is none.
func (p *pipe) next(batch []socketcan.Item) ([]socketcan.Item, error) {
	for {
		item := socketcan.Item{Kind: socketcan.Received}
		err := p.reader.Read(&item.Frame)
		var damage *can.FormatError
		if errors.As(err, &damage) && p.reader.Resume() {
			p.log.Warn("a line of the pipe is no frame", "error", err)
			return p.lost(batch), nil
		}
		if err != nil {
			return nil, err
		}
		bus := p.bus(int(item.Frame.Bus))
		if bus < 0 {
			continue // told once, by bus
		}
		item.Bus, item.Frame.Bus, item.Frame.Time = uint8(bus), uint8(bus), socketcan.Now()
		return append(batch, item), nil
	}
}

// lost tells a frame lost of every bus: nobody knows whose it was.
func (p *pipe) lost(batch []socketcan.Item) []socketcan.Item {
	for i := range p.vehicle.Buses {
		batch = append(batch, socketcan.Item{Kind: socketcan.Lost, Bus: uint8(i), Count: 1, Frame: can.Frame{Bus: uint8(i), Time: socketcan.Now()}})
	}
	return batch
}

// bus maps a channel of the lines, deciding once for each.
func (p *pipe) bus(channel int) int {
	for len(p.buses) <= channel {
		name := p.reader.Channels()[len(p.buses)]
		bus := drive.BusOf(p.vehicle, p.named, name, len(p.buses) == 0)
		if bus < 0 {
			p.log.Warn("frames left out: no bus of the profile has the name", "channel", name)
		}
		p.buses = append(p.buses, bus)
	}
	return p.buses[channel]
}

// The methods of sockets.

func (p *pipe) Batches() <-chan []socketcan.Item { return p.full }
func (p *pipe) Release(batch []socketcan.Item)   { p.free <- batch }
func (p *pipe) Buffer(int) int                   { return 0 } // it has no socket
func (p *pipe) Filtered(int) bool                { return false }

// SetFilters has nothing to do: whoever writes into the pipe chooses the frames.
func (p *pipe) SetFilters(int, []socketcan.Filter) error { return nil }

func (p *pipe) Err() error { return p.err }

// Close ends the reading and waits for it.
func (p *pipe) Close() error {
	err := p.file.Close()
	for batch := range p.full {
		p.free <- batch
	}
	p.ended.Wait()
	return err
}
