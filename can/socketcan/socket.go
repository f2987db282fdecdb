//go:build linux

package socketcan

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// errAbsent says that no interface has the name.
var errAbsent = errors.New("no such interface")

// rawConn is what is needed of a syscall.RawConn. Read runs under the runtime's
// poller.
type rawConn interface {
	Control(f func(fd uintptr)) error
	Read(f func(fd uintptr) (done bool)) error
}

// socket is a raw CAN socket bound to an interface.
type socket struct {
	name   string
	index  int // of the interface; another one may get its name
	file   *os.File
	raw    rawConn // of file
	gate   *gate
	buffer int       // bytes, as the kernel reads it back
	busy   bool      // read every grain
	last   time.Time // when something was read
}

// openSocket opens a raw CAN socket bound to the bus's interface, whether that
// is up or not. It returns errAbsent where there is none.
func openSocket(o Bus, filters []unix.CanFilter, buffer int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_CAN, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.CAN_RAW)
	if err != nil {
		return nil, explainNoCAN(err)
	}
	s := &socket{name: o.Interface}
	if err := s.configure(fd, o.FD, filters, buffer); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if err := s.take(fd); err != nil {
		return nil, err
	}
	return s, nil
}

// take makes fd the socket's own. It is in blocking mode, so that the runtime's
// poller leaves it to the gate; what reads it says that it does not wait.
func (s *socket) take(fd int) (err error) {
	s.file = os.NewFile(uintptr(fd), "can:"+s.name)
	if s.raw, err = s.file.SyscallConn(); err == nil {
		s.gate, err = newGate(fd)
	}
	if err != nil {
		s.file.Close()
	}
	return err
}

// close ends a wait for the socket too. Closed again it fails, which means
// nothing.
func (s *socket) close() {
	s.gate.file.Close()
	s.file.Close()
}

// explainNoCAN says what to do where the kernel refuses a raw CAN socket.
func explainNoCAN(err error) error {
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return fmt.Errorf("no raw CAN sockets here (%w): run `modprobe can_raw` as root, build the kernel with CONFIG_CAN and CONFIG_CAN_RAW, or allow AF_CAN to the sandboxed service", err)
	}
	return fmt.Errorf("opening a raw CAN socket: %w", err)
}

// configure sets every option before it binds, so that no frame arrives under
// others.
func (s *socket) configure(fd int, fdFrames bool, filters []unix.CanFilter, buffer int) (err error) {
	if s.index, err = interfaceIndex(fd, s.name); err != nil {
		return err
	}
	if err := checkCAN(fd, s.name); err != nil {
		return err
	}
	if err := setOptions(fd, fdFrames, filters, buffer); err != nil {
		return err
	}
	if s.buffer, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil {
		return fmt.Errorf("reading the buffer's size (SO_RCVBUF): %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrCAN{Ifindex: s.index}); err != nil {
		if absent(err) {
			return errAbsent
		}
		return fmt.Errorf("binding to the interface: %w", err)
	}
	return nil
}

// setOptions sets the socket options. SO_RCVBUFFORCE is left alone, as it needs
// CAP_NET_ADMIN. The hardware's receive times are left alone, as they are of
// the controller's own clock, which nothing relates to CLOCK_BOOTTIME.
func setOptions(fd int, fdFrames bool, filters []unix.CanFilter, buffer int) error {
	if err := setFilterOption(fd, filters); err != nil {
		return err
	}
	const classes = unix.CAN_ERR_BUSOFF | unix.CAN_ERR_RESTARTED | unix.CAN_ERR_CRTL
	options := []struct {
		name                 string
		level, option, value int
	}{
		{"CAN_RAW_ERR_FILTER", unix.SOL_CAN_RAW, unix.CAN_RAW_ERR_FILTER, classes},
		{"SO_RXQ_OVFL", unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, buffer},
		{"CAN_RAW_FD_FRAMES", unix.SOL_CAN_RAW, unix.CAN_RAW_FD_FRAMES, 1},
	}
	if !fdFrames {
		options = options[:len(options)-1]
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.option, o.value); err != nil {
			return fmt.Errorf("setting the socket option %s to %d: %w", o.name, o.value, err)
		}
	}
	return setStamps(fd)
}

// setStamps turns the kernel's receive times on: the option whose times are of
// 64 bits everywhere (Linux 5.1), else the older one. A kernel that has neither
// gives frames no time, and they get that of their reading.
func setStamps(fd int) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	if errors.Is(err, unix.ENOPROTOOPT) {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_OLD, 1)
	}
	if err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
		return fmt.Errorf("setting the socket option SO_TIMESTAMPNS: %w", err)
	}
	return nil
}

// interfaceRequest makes one of netdevice(7)'s requests about an interface. It
// does so on the CAN socket, since a service may be denied AF_NETLINK and AF_INET.
func interfaceRequest(fd int, name string, request uint) (*unix.Ifreq, error) {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return nil, fmt.Errorf("interface name %q: longer than %d bytes", name, unix.IFNAMSIZ-1)
	}
	if err := unix.IoctlIfreq(fd, request, r); err != nil {
		if absent(err) {
			return nil, errAbsent
		}
		return nil, fmt.Errorf("asking for the interface (ioctl 0x%X): %w", request, err)
	}
	return r, nil
}

// absent reports whether the kernel's error is that there is no such interface.
func absent(err error) bool { return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) }

func interfaceIndex(fd int, name string) (int, error) {
	r, err := interfaceRequest(fd, name, unix.SIOCGIFINDEX)
	if err != nil {
		return 0, err
	}
	return int(r.Uint32()), nil
}

// checkCAN returns an error where the interface is of another kind, which bind
// would report as if it were absent.
func checkCAN(fd int, name string) error {
	r, err := interfaceRequest(fd, name, unix.SIOCGIFHWADDR)
	if err != nil {
		return err
	}
	if kind := r.Uint16(); kind != unix.ARPHRD_CAN {
		return fmt.Errorf("the interface is not a CAN device (its hardware type is %d, not %d): name one that `ip -details link show type can` or `type vcan` lists", kind, unix.ARPHRD_CAN)
	}
	return nil
}

// linkState asks for the state of the link: Down, Up, or BusOff, in which CAN
// drivers take the carrier away. It returns errAbsent where the interface has
// gone or another one has its name.
func (s *socket) linkState() (State, error) {
	state, err := Absent, error(nil)
	control := s.raw.Control(func(fd uintptr) { state, err = linkStateOf(int(fd), s.name, s.index) })
	return state, errors.Join(err, control)
}

func linkStateOf(fd int, name string, index int) (State, error) {
	now, err := interfaceIndex(fd, name)
	if err != nil {
		return Absent, err
	}
	if now != index {
		return Absent, errAbsent
	}
	r, err := interfaceRequest(fd, name, unix.SIOCGIFFLAGS)
	if err != nil {
		return Absent, err
	}
	return stateOfFlags(r.Uint16()), nil
}

// stateOfFlags is the state that an interface's flags tell (netdevice(7)).
func stateOfFlags(flags uint16) State {
	switch {
	case flags&unix.IFF_UP == 0:
		return Down
	case flags&unix.IFF_RUNNING == 0:
		return BusOff
	}
	return Up
}

// setFilters swaps the filters. The kernel enters the new ones before it takes
// the old ones out and passes a frame that both match once. It may be looking a
// frame up meanwhile, having passed the place of a new filter and not yet
// reached that of an old one, so both are set together for a moment first,
// where the kernel takes as many.
func (s *socket) setFilters(old, filters []unix.CanFilter) error {
	if both := slices.Concat(old, filters); len(both) <= MaxFilters {
		if err := s.enterFilters(both); err != nil {
			return err
		}
	}
	return s.enterFilters(filters)
}

func (s *socket) enterFilters(filters []unix.CanFilter) error {
	var err error
	control := s.raw.Control(func(fd uintptr) {
		err = setFilterOption(int(fd), filters)
	})
	return errors.Join(err, control)
}

func setFilterOption(fd int, filters []unix.CanFilter) error {
	if err := unix.SetsockoptCanRawFilter(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FILTER, filters); err != nil {
		return fmt.Errorf("setting %d filters (CAN_RAW_FILTER): %w", len(filters), err)
	}
	return nil
}

// drops asks for the number of frames dropped so far, which the kernel
// otherwise tells only with the next frame. ok is false before Linux 4.12.
func (s *socket) drops() (count uint32, ok bool) {
	const memoryDrops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var figures [(memoryDrops + 1) * 4]byte
	if err := s.raw.Control(func(fd uintptr) { ok = getsockoptBytes(int(fd), unix.SO_MEMINFO, figures[:]) }); err != nil {
		return 0, false
	}
	return nativeUint32(figures[memoryDrops*4:]), ok
}
