//go:build vm

package unit

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The raw values of the demonstration car's DBCs that the tests set.
const (
	gearPark    = 1
	gearReverse = 2
	modeNormal  = 0
	modeSport   = 1
)

// car sends what the cards need, twenty times a second, as canplayer or a gateway
// would: speed, gear, the fan and the drive mode.
type car struct {
	pt, body int // sockets
	stop     chan struct{}
	ended    sync.WaitGroup

	mu         sync.Mutex
	count      byte
	gear, mode byte
	fan        byte
	changing   bool // the drive mode changes with every frame
}

const carTick = 50 * time.Millisecond

func newCar(t *testing.T) *car {
	t.Helper()
	c := &car{pt: canSocket(t, "can0"), body: canSocket(t, "can1"), stop: make(chan struct{}), gear: gearPark, fan: 30}
	c.ended.Go(c.drive)
	t.Cleanup(func() {
		close(c.stop)
		c.ended.Wait()
		unix.Close(c.pt)
		unix.Close(c.body)
	})
	return c
}

func canSocket(t *testing.T, name string) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_CAN, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.CAN_RAW)
	must(t, err)
	text, err := os.ReadFile("/sys/class/net/" + name + "/ifindex")
	must(t, err)
	index, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	must(t, unix.SetsockoptInt(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FD_FRAMES, 1))
	must(t, unix.SetsockoptCanRawFilter(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FILTER, nil)) // it never reads
	must(t, unix.Bind(fd, &unix.SockaddrCAN{Ifindex: index}))
	return fd
}

func (c *car) drive() {
	tick := time.NewTicker(carTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.frames()
		case <-c.stop:
			return
		}
	}
}

// set changes what is sent, from the next frames on.
func (c *car) set(change func(c *car)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

// frames sends one frame of each message. What a full queue does not take is lost,
// as on a bus.
func (c *car) frames() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changing {
		c.mode ^= modeNormal ^ modeSport
	}
	c.count++
	send(c.pt, 0x0C0, []byte{0, 0, 0, 0, 0, 0, c.count << 4, 0}) // VCU_Motion: it stands
	send(c.pt, 0x120, []byte{c.gear, 0, c.count & 15})           // TCU_Gear
	send(c.pt, 0x190, []byte{c.mode})                            // IVI_DriveMode
	hvac := make([]byte, 64)                                     // HVAC_Status
	hvac[0], hvac[62] = c.fan, c.count
	send(c.body, 0x230, hvac)
}

// send sends a frame in the kernel's form, one of CAN FD if it is longer than 8 bytes.
func send(fd int, id uint32, data []byte) {
	frame := make([]byte, 16)
	if len(data) > 8 {
		frame = make([]byte, 72)
	}
	binary.NativeEndian.PutUint32(frame, id)
	frame[4] = byte(len(data))
	copy(frame[8:], data)
	_, _ = unix.Write(fd, frame)
}
