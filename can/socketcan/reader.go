//go:build linux

package socketcan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// batchesPerBus bounds the batches between a bus and the consumer. What does
// not fit in them waits in the kernel's queue, whose losses the kernel counts.
const batchesPerBus = 4

// batchItems holds what one call can give: each frame may come with a Lost and
// the first with a Link.
const batchItems = 2*batchMessages + 2

// maxReceiveBuffer is the largest buffer that can be asked for, in bytes: the
// kernel doubles it in an int.
const maxReceiveBuffer = 1 << 30

// errClosed is what a call on a closed Reader returns.
var errClosed = errors.New("socketcan: the reader is closed")

// Reader reads the buses of its Options, a goroutine each, until Close.
type Reader struct {
	buses   []*bus
	batches chan []Item
	free    chan []Item
	done    chan struct{} // closed when the buses are to end
	ended   chan struct{} // closed when they have

	mu  sync.Mutex
	err error // why batches is closed
}

// Open begins to read. A missing interface or one that is down is no error: it
// is reported as a Link item and waited for. A kernel without raw CAN sockets
// and an interface that is not a CAN device are errors.
//
// While an interface is up nothing wakes the process but its frames: the socket
// itself tells when the link goes down or the interface is removed. Only
// meanwhile does a timer look for it, several times a second, so that its
// return is seen within one.
func Open(o Options) (*Reader, error) {
	if err := checkOptions(&o); err != nil {
		return nil, fmt.Errorf("socketcan: %w", err)
	}
	pool := batchesPerBus * len(o.Buses)
	r := &Reader{
		batches: make(chan []Item, pool),
		free:    make(chan []Item, pool),
		done:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
	for range pool {
		r.free <- make([]Item, 0, batchItems)
	}
	for i, one := range o.Buses {
		b, err := newBus(r, i, one, o.ReceiveBuffer)
		if err != nil {
			r.stop(nil)
			return nil, fmt.Errorf("socketcan: %s: %w", one.Interface, err)
		}
		r.buses = append(r.buses, b)
	}
	r.start()
	return r, nil
}

// checkOptions returns an error for options that cannot be meant and fills in
// the default buffer.
func checkOptions(o *Options) error {
	if len(o.Buses) == 0 || len(o.Buses) > 256 {
		return fmt.Errorf("%d buses: name 1 to 256 interfaces", len(o.Buses))
	}
	if o.ReceiveBuffer < 0 || o.ReceiveBuffer > maxReceiveBuffer {
		return fmt.Errorf("receive buffer of %d bytes: give 0 for %d, or up to %d", o.ReceiveBuffer, DefaultReceiveBuffer, maxReceiveBuffer)
	}
	if o.ReceiveBuffer == 0 {
		o.ReceiveBuffer = DefaultReceiveBuffer
	}
	for i, b := range o.Buses {
		if err := checkName(b.Interface); err != nil {
			return fmt.Errorf("bus %d: %w", i, err)
		}
		if j := slices.IndexFunc(o.Buses, func(c Bus) bool { return c.Interface == b.Interface }); j < i {
			return fmt.Errorf("buses %d and %d are both %s: name each interface once", j, i, b.Interface)
		}
	}
	return nil
}

// checkName returns an error for what no interface can be called.
func checkName(name string) error {
	if name == "" || len(name) >= unix.IFNAMSIZ || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\v\f\r\x00") {
		return fmt.Errorf("%q is no name of an interface: give 1 to %d bytes without spaces, slashes or colons, such as can0", name, unix.IFNAMSIZ-1)
	}
	return nil
}

// start runs the buses, and closes Batches when all of them have ended.
func (r *Reader) start() {
	var running sync.WaitGroup
	for _, b := range r.buses {
		running.Go(b.run)
	}
	go func() {
		running.Wait()
		close(r.batches)
		close(r.ended)
	}()
}

// Batches gives what happened on the buses, each batch of one bus and in order.
// The first item of each bus is the state of its link. Every batch must be given
// back by Release. The channel is closed after Close or an error, see Err.
func (r *Reader) Batches() <-chan []Item { return r.batches }

// Release gives a batch back, whose items may be overwritten from then on. Each
// batch is given back once. While the consumer holds them all, frames wait in
// the kernel's queue; when that is full, they are dropped and counted.
func (r *Reader) Release(batch []Item) {
	if cap(batch) != batchItems {
		return // no batch of a Reader
	}
	select {
	case r.free <- batch[:0]:
	default: // given back twice, or a batch of another Reader
	}
}

// SetFilters changes which frames of a bus are wanted, by the rules of
// Bus.Filters. The kernel swaps them without losing a frame that both want.
func (r *Reader) SetFilters(bus int, f []Filter) error {
	b, err := r.bus(bus)
	if err != nil {
		return err
	}
	if err := b.setFilters(f); err != nil {
		return fmt.Errorf("socketcan: %s: %w", b.options.Interface, err)
	}
	return nil
}

// Filtered reports whether the kernel filters the frames of a bus; otherwise
// every frame is delivered. It is false for a bus that Options do not name.
func (r *Reader) Filtered(bus int) bool {
	b, err := r.bus(bus)
	if err != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.filtered
}

// Buffer is the size in bytes of a bus's socket buffer as the kernel reads it
// back, which is twice what it granted, for its own bookkeeping. So less than
// twice Options.ReceiveBuffer says that net.core.rmem_max is too low. It is 0
// while the interface is absent and for a bus that Options do not name.
func (r *Reader) Buffer(bus int) int {
	b, err := r.bus(bus)
	if err != nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket == nil {
		return 0
	}
	return b.socket.buffer
}

func (r *Reader) bus(bus int) (*bus, error) {
	if bus < 0 || bus >= len(r.buses) {
		return nil, fmt.Errorf("socketcan: bus %d: there are %d, from 0", bus, len(r.buses))
	}
	return r.buses[bus], nil
}

// Err is why Batches was closed: nil before, and after Close. An interface that
// came back as another kind of device ends the reading, and so does an error of
// the kernel that nothing here knows to wait out.
func (r *Reader) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Close ends the reading and returns when all goroutines have ended. Batches
// that nobody has taken can still be received. It returns nil.
func (r *Reader) Close() error {
	r.stop(nil)
	<-r.ended
	return nil
}

// stop has the buses end; err is why, nil for Close. The first call counts.
func (r *Reader) stop(err error) {
	r.mu.Lock()
	select {
	case <-r.done:
	default:
		r.err = err
		close(r.done)
	}
	r.mu.Unlock()
	for _, b := range r.buses {
		b.close()
	}
}

// stopped reports whether stop was called.
func (r *Reader) stopped() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
