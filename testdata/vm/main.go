// Vm boots an arm64 and an armv7 Linux under QEMU and tests in them what needs
// a kernel with CAN: the vm tests of the packages, and the shipped agent whole,
// with a real dbus-daemon and canplayer feeding recordings; and an arm64 Debian
// whose systemd runs the agent as the package's unit. It judges what the guests
// bring back on this machine. See README.md beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// machine is a kind of guest.
type machine struct {
	name      string // also of its directories in bin/linux-* and build/vm
	goarch    string
	debian    string   // Debian's word for the architecture
	kernel    string   // Debian's package that depends on the newest kernel
	libraries string   // directory of the architecture's libraries, below lib and usr/lib
	base      string   // the machine in whose directory the packages and the shipped program lie
	systemd   bool     // PID 1 is Debian's systemd, and the agent its unit; see systemd.go
	shift     int      // an instruction takes 2^shift ns of the guest's clock
	qemu      []string // armv7 has one processor: with counted instructions a second one does not come up
	can       []string // QEMU's CAN controllers; none: can0 and can1 are virtual
}

// controllers are two buses with two Kvaser PCI controllers (SJA1000) each, in
// the order in which the kernel names them: those that the agent reads, can0 and
// can1, and those that send to them, which init names peer0 and peer1.
var controllers = []string{
	"-object", "can-bus,id=bus0", "-object", "can-bus,id=bus1",
	"-device", "kvaser_pci,canbus=bus0,addr=1", "-device", "kvaser_pci,canbus=bus1,addr=2",
	"-device", "kvaser_pci,canbus=bus0,addr=3", "-device", "kvaser_pci,canbus=bus1,addr=4",
}

// The driver finds no controllers on the PCI bus of QEMU's 32-bit machine.
var machines = []machine{
	{name: "arm64", goarch: "arm64", debian: "arm64", kernel: "linux-image-arm64", libraries: "aarch64-linux-gnu", base: "arm64", shift: 2,
		qemu: []string{"qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a53", "-smp", "2"}, can: controllers},
	{name: "armv7", goarch: "arm", debian: "armhf", kernel: "linux-image-armmp", libraries: "arm-linux-gnueabihf", base: "armv7", shift: 2,
		qemu: []string{"qemu-system-arm", "-M", "virt,highmem=off", "-cpu", "cortex-a15", "-smp", "1"}},
	{name: "systemd", goarch: "arm64", debian: "arm64", kernel: "linux-image-arm64", libraries: "aarch64-linux-gnu", base: "arm64", systemd: true,
		qemu: []string{"qemu-system-aarch64", "-M", "virt,gic-version=2", "-cpu", "cortex-a53", "-smp", "2"}},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root := flag.String("root", ".", "`directory` of go.mod")
	arch := flag.String("arch", "", "run one guest only: arm64, armv7 or systemd; empty: all")
	only := flag.String("only", "", "run only the scenarios and vm tests whose names match `regexp`")
	stretch := flag.Duration("drive", 85*time.Second, "how much of our own drive is played; 0: all of it, eleven minutes")
	cuts := flag.Int("power", 0, "run the test of power losses only, with so many of them")
	seed := flag.Uint64("power-seed", 0, "of that test; 0: another one each time")
	load := flag.Duration("load", 60*time.Second, "how long two buses are full")
	flag.Parse()
	var names []string
	for _, m := range machines {
		names = append(names, m.name)
	}
	if flag.NArg() > 0 || *stretch < 0 || *load < time.Second || (*arch != "" && !slices.Contains(names, *arch)) {
		return fmt.Errorf("usage: vm [--root DIR] [--arch %s] [--only REGEXP] [--drive 85s] [--load 60s]", strings.Join(names, "|"))
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	dir, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	clock := newClock(os.Stdout)
	if *cuts > 0 {
		return losePower(ctx, clock, dir, *cuts, *seed)
	}
	scenarios, err := prepare(ctx, clock, dir, *stretch, chosen)
	if err != nil {
		return err
	}
	var guests []*guest
	for _, m := range machines {
		if *arch != "" && m.name != *arch {
			continue
		}
		g := &guest{machine: m, root: dir, dir: filepath.Join(dir, "build/vm", m.name), clock: clock, only: chosen, load: *load, scenarios: scenariosOf(&m, scenarios)}
		if err := g.make(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		guests = append(guests, g)
	}
	bootAll(ctx, guests)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	v := verdict{w: os.Stdout}
	for _, g := range guests {
		g.verdict(ctx, &v)
	}
	return v.err()
}

// make downloads and builds what the guest is made of.
func (g *guest) make(ctx context.Context) error {
	if err := os.MkdirAll(g.dir, 0o755); err != nil {
		return err
	}
	if err := g.download(ctx); err != nil {
		return err
	}
	return g.build(ctx)
}

// bootAll runs the guests to their ends, side by side: their clocks count
// instructions, so neither notices the other.
func bootAll(ctx context.Context, guests []*guest) {
	var running sync.WaitGroup
	for _, g := range guests {
		running.Go(func() {
			runtime.LockOSThread() // QEMU is told to die with the thread that started it
			defer runtime.UnlockOSThread()
			g.ended = g.boot(ctx)
		})
	}
	running.Wait()
}

// verdict judges what the guest brought back.
func (g *guest) verdict(ctx context.Context, v *verdict) {
	before := v.failed
	v.check(g.name, "the guest ran to its end", "", g.ended)
	if g.ended == nil {
		g.judge(ctx, v)
	}
	if v.failed > before {
		g.showConsole(os.Stdout)
	}
}
