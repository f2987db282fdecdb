//go:build linux

package socketcan

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// lookInterval is how often the link is looked at while it is down.
const lookInterval = 250 * time.Millisecond

// An absent interface is looked for at intervals that grow from the first to
// the second.
const (
	firstReopen = 50 * time.Millisecond
	lastReopen  = 500 * time.Millisecond
)

// drainTime bounds how long frames queued before the link went down are
// delivered before that is reported.
const drainTime = 250 * time.Millisecond

// bus reads one interface. Its goroutine owns all fields but those under mu.
type bus struct {
	reader  *Reader
	index   uint8
	options Bus
	asked   int // bytes of socket buffer

	mu       sync.Mutex
	socket   *socket // nil while the interface is absent; the goroutine alone sets it
	filters  []unix.CanFilter
	filtered bool

	receiver *receiver
	batch    []Item // being filled
	clock    clock
	state    State     // as last reported
	looking  bool      // the flags said that the link is not up: look again at lookInterval
	ending   error     // errDown or errAbsent: report it when the queue is empty
	drainEnd time.Time // or at this time
	dropped  uint32    // the socket's counter of dropped frames as last seen
	reopen   time.Duration
}

// errDown says that the interface is down.
var errDown = errors.New("the interface is down")

func newBus(r *Reader, index int, o Bus, buffer int) (*bus, error) {
	filters, filtered, err := kernelFilters(o.Filters)
	if err != nil {
		return nil, err
	}
	b := &bus{
		reader: r, index: uint8(index), options: o, asked: buffer,
		filters: filters, filtered: filtered,
		receiver: newReceiver(), clock: newClock(), reopen: firstReopen,
	}
	b.batch = <-r.free
	if err := b.open(); err != nil {
		b.close()
		return nil, err
	}
	if len(b.batch) == 0 {
		b.link(Absent) // as state was from the start
	}
	return b, nil
}

// open opens the socket and reports the link's state, unless the interface is
// still absent.
func (b *bus) open() error {
	b.mu.Lock()
	s, err := openSocket(b.options, b.filters, b.asked)
	if err == nil {
		b.socket = s
	}
	b.mu.Unlock()
	switch {
	case errors.Is(err, errAbsent):
		return nil
	case err != nil:
		return err
	case b.reader.stopped():
		b.close()
		return errClosed
	}
	b.dropped, b.reopen = 0, firstReopen
	return b.look()
}

// close closes the socket, which ends the goroutine's wait for it.
func (b *bus) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket != nil {
		b.socket.close()
	}
}

// detach gives the socket of an interface up that is absent.
func (b *bus) detach() {
	b.close()
	b.mu.Lock()
	b.socket = nil
	b.mu.Unlock()
	b.looking = false
}

func (b *bus) setFilters(f []Filter) error {
	filters, filtered, err := kernelFilters(f)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reader.stopped() {
		return errClosed
	}
	if b.socket != nil {
		err := b.socket.setFilters(b.filters, filters)
		if err != nil && !absent(err) { // the next socket takes them
			return err
		}
	}
	b.filters, b.filtered = filters, filtered
	return nil
}

// run reads until the reader stops, or stops it by an error.
func (b *bus) run() {
	for b.pass() {
		if err := b.step(); err != nil && !b.reader.stopped() {
			b.reader.stop(fmt.Errorf("socketcan: %s: %w", b.options.Interface, err))
		}
	}
	b.close()
}

// pass hands the batch over, if anything is in it, and waits for an empty one.
// It returns false when the reader stops.
func (b *bus) pass() bool {
	if b.reader.stopped() {
		return false
	}
	if len(b.batch) == 0 {
		return true
	}
	select {
	case b.reader.batches <- b.batch: // has room for all there are
	case <-b.reader.done:
		return false
	}
	select {
	case b.batch = <-b.reader.free:
		return true
	case <-b.reader.done:
		return false
	}
}

// step waits for one thing to happen on the bus and puts it into the batch.
func (b *bus) step() error {
	if b.socket == nil {
		return b.returned()
	}
	err := b.socket.receive(b.receiver)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return b.look()
	case err != nil:
		return fmt.Errorf("waiting for frames: %w", err)
	}
	switch b.receiver.errno {
	case 0:
		if err := b.deliver(); err != nil {
			return err
		}
		if b.ending != nil && time.Now().After(b.drainEnd) {
			return b.end()
		}
		return nil
	case unix.EAGAIN: // only while draining
		return b.end()
	case unix.EINTR:
		return nil
	case unix.ENETDOWN:
		return b.drain(errDown)
	case unix.ENODEV:
		return b.drain(errAbsent)
	}
	return fmt.Errorf("receiving frames: %w", b.receiver.errno)
}

// returned looks once more for an absent interface, after a while.
func (b *bus) returned() error {
	timer := time.NewTimer(b.reopen)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.reader.done:
		return nil
	}
	b.reopen = min(2*b.reopen, lastReopen)
	return b.open()
}

// drain has the frames that were queued before the link went delivered first.
// The kernel reports the link ahead of them.
func (b *bus) drain(why error) error {
	if why == errDown && b.state == Down {
		return b.look()
	}
	if b.ending == nil {
		b.drainEnd = time.Now().Add(drainTime)
	}
	b.ending, b.receiver.drain = why, true
	return b.keepLooking(false)
}

// end reports that the link went down or the interface was removed.
func (b *bus) end() error {
	b.now()
	if count, ok := b.socket.drops(); ok {
		b.lost(count)
	}
	why := b.ending
	b.ending, b.receiver.drain = nil, false
	if why == errAbsent {
		b.link(Absent)
		b.detach()
		return nil
	}
	b.link(Down)
	return b.look()
}

// look reports the link's state if it changed and arranges the next look
// unless it is up.
func (b *bus) look() error {
	state, err := b.socket.linkState()
	if errors.Is(err, errAbsent) {
		b.detach()
	} else if err != nil {
		return err
	}
	if state != b.state {
		b.now()
		b.link(state)
	}
	return b.keepLooking(state == Down || state == BusOff)
}

// keepLooking sets whether the link is looked at again after lookInterval. An
// absent interface is looked for by returned instead.
func (b *bus) keepLooking(on bool) error {
	b.looking = on
	next := time.Time{}
	if on {
		next = time.Now().Add(lookInterval)
	}
	if b.socket == nil {
		return nil
	}
	return b.socket.gate.file.SetReadDeadline(next)
}

// revive looks at a link that was not up when frames came: it is up then,
// unless they were left in the queue by one that went down.
func (b *bus) revive() error {
	state, err := b.socket.linkState()
	switch {
	case errors.Is(err, errAbsent):
		return nil // the socket will say so
	case err != nil:
		return err
	case state == Down:
		return nil
	}
	b.now()
	b.link(Up)
	return b.keepLooking(false)
}

// deliver puts the frames read into the batch.
func (b *bus) deliver() error {
	if b.looking {
		if err := b.revive(); err != nil {
			return err
		}
	}
	b.clock.set(sample())
	for i := range b.receiver.count {
		data, ancillary := b.receiver.frame(i)
		if err := b.accept(data, parseControl(ancillary, wordSize)); err != nil {
			return err
		}
	}
	return nil
}

// accept puts one frame into the batch, behind what it tells of besides itself.
func (b *bus) accept(data []byte, c control) error {
	if c.stamped {
		b.clock.carry(c.wall)
	} else {
		b.clock.moment()
	}
	if c.counted {
		b.lost(c.drops)
	}
	item := b.add(Received)
	if err := decode(data, &item.Frame); err != nil {
		return err
	}
	if item.Frame.Flags&can.Error == 0 {
		return nil
	}
	state, ok := errorState(&item.Frame)
	b.batch = b.batch[:len(b.batch)-1]
	if ok && state != b.state {
		b.link(state)
	}
	return nil
}

// lost reports what the socket dropped since the counter was last seen; it has
// 32 bits and wraps.
func (b *bus) lost(counter uint32) {
	n := int32(counter - b.dropped)
	if n <= 0 {
		return // nothing, or a frame from before end asked for the counter
	}
	b.dropped = counter
	b.add(Lost).Count = uint64(n)
}

// link reports the link's state.
func (b *bus) link(s State) {
	b.state = s
	b.add(Link).State = s
}

// now makes this moment the time of the items to come.
func (b *bus) now() {
	b.clock.set(sample())
	b.clock.moment()
}

// add begins an item at the time last given.
func (b *bus) add(k Kind) *Item {
	b.batch = append(b.batch, Item{Kind: k, Bus: b.index, Frame: can.Frame{Bus: b.index, Time: b.clock.last}})
	return &b.batch[len(b.batch)-1]
}
