// Vm boots an arm64 and an armv7 Linux under QEMU and tests in them what needs
// a kernel with CAN: the vm tests of the packages, and the shipped agent whole,
// with a real dbus-daemon and canplayer feeding recordings; and an arm64 Debian
// whose systemd runs the agent as the package's unit; and an arm64 guest whose
// power is cut while the agent works. It judges what the guests bring back on this
// machine. See README.md beside it.
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
	power     bool     // it loses power, see power.go
	behind    bool     // it waits for the end of the one before it: a desk has enough to do with three at once
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
	{name: "power", goarch: "arm64", debian: "arm64", kernel: "linux-image-arm64", libraries: "aarch64-linux-gnu", base: "arm64", power: true, behind: true,
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
	arch := flag.String("arch", "", "run one guest only: arm64, armv7, systemd or power; empty: all")
	only := flag.String("only", "", "run only the scenarios and vm tests whose names match `regexp`")
	stretch := flag.Duration("drive", 85*time.Second, "how much of our own drive is played; 0: all of it, eleven minutes")
	cuts := flag.Int("power", 10, "how many power losses there are")
	seed := flag.Uint64("power-seed", 0, "of what is done and of the power losses; 0: another one each time")
	load := flag.Duration("load", 60*time.Second, "how long two buses are full")
	flag.Parse()
	var names []string
	for _, m := range machines {
		names = append(names, m.name)
	}
	if flag.NArg() > 0 || *stretch < 0 || *load < time.Second || *cuts < 1 || (*arch != "" && !slices.Contains(names, *arch)) {
		return fmt.Errorf("usage: vm [--root DIR] [--arch %s] [--only REGEXP] [--drive 85s] [--load 60s] [--power 10] [--power-seed N]", strings.Join(names, "|"))
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	dir, err := filepath.Abs(*root)
	if err != nil {
		return err
	}
	all := guest{root: dir, clock: newClock(os.Stdout), only: chosen, load: *load}
	trials, err := choose(ctx, &all, *arch, *stretch)
	if err != nil {
		return err
	}
	for i, t := range trials {
		if g := t.its(); g.power {
			trials[i] = newPowerTest(g, *cuts, *seed)
		}
	}
	if err := downloadAll(ctx, trials); err != nil {
		return err
	}
	runAll(ctx, trials)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	v := verdict{w: os.Stdout}
	for _, t := range trials {
		t.verdict(ctx, &v)
	}
	return v.err()
}

// choose lists the guests that are wanted, which are as all is.
func choose(ctx context.Context, all *guest, arch string, stretch time.Duration) (list []trial, err error) {
	picked := slices.DeleteFunc(slices.Clone(machines), func(m machine) bool {
		return arch != "" && m.name != arch || m.power && !all.only.MatchString(m.name)
	})
	var scenarios []*scenario
	if slices.ContainsFunc(picked, func(m machine) bool { return !m.power }) {
		if scenarios, err = prepare(ctx, all.clock, all.root, stretch, all.only); err != nil {
			return nil, err
		}
	}
	for _, m := range picked {
		g := *all
		g.machine, g.dir, g.scenarios = m, filepath.Join(all.root, "build/vm", m.name), scenariosOf(&m, scenarios)
		list = append(list, &g)
	}
	return list, nil
}

// trial is a guest with all that is done with it.
type trial interface {
	its() *guest
	run(ctx context.Context) // builds and boots it, to its end
	verdict(ctx context.Context, v *verdict)
}

// downloadAll fetches what the guests are made of, side by side for those of
// different packages.
func downloadAll(ctx context.Context, trials []trial) error {
	of := map[string]bool{}
	errs := make([]error, len(trials))
	var running sync.WaitGroup
	for i, t := range trials {
		g := t.its()
		errs[i] = os.MkdirAll(g.dir, 0o755)
		if !of[g.base] {
			of[g.base] = true
			running.Go(func() { errs[i] = errors.Join(errs[i], g.download(ctx)) })
		}
	}
	running.Wait()
	return errors.Join(errs...)
}

// runAll runs the guests to their ends, side by side: the clocks of most count
// instructions, so that they do not notice each other.
func runAll(ctx context.Context, trials []trial) {
	var lanes [][]trial
	for i, t := range trials {
		if t.its().behind && i > 0 {
			lanes[len(lanes)-1] = append(lanes[len(lanes)-1], t)
		} else {
			lanes = append(lanes, []trial{t})
		}
	}
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			runtime.LockOSThread() // QEMU is told to die with the thread that started it
			defer runtime.UnlockOSThread()
			for _, t := range lane {
				t.run(ctx)
			}
		})
	}
	running.Wait()
}

func (g *guest) its() *guest { return g }

func (g *guest) run(ctx context.Context) {
	if g.ended = g.build(ctx); g.ended == nil {
		g.ended = g.boot(ctx)
	}
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
