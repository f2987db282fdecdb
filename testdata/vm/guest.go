package main

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bootTime bounds a guest's boot, its end and the vm tests on a busy desk; the
// scenarios have their own length on top.
const bootTime = 40 * time.Minute

// resultBytes is the size of the disk on which a guest brings its results.
const resultBytes = 128 << 20

//go:embed init.sh
var initScript []byte

//go:embed bus.conf
var busConfig []byte

// guest is one run of a machine.
type guest struct {
	machine
	root, dir string // of go.mod, and of this guest's own files
	clock     *clock
	only      *regexp.Regexp // of the vm tests' names
	load      time.Duration  // how long two buses are full
	scenarios []*scenario
	tests     []*testBinary
	ended     error // of its boot
}

func (g *guest) say(format string, args ...any) { g.clock.say(g.name+": "+format, args...) }

func (g *guest) path(name string) string { return filepath.Join(g.dir, name) }

// unpacked is the name of what Debian's packages became, which machines of one
// architecture share.
func (g *guest) unpacked(name string) string { return filepath.Join(filepath.Dir(g.dir), g.base, name) }

// agent is the shipped program on this machine.
func (g *guest) agent() string {
	return filepath.Join(g.root, "bin", "linux-"+g.base, "vignette-agent")
}

// build makes the initramfs: Debian's programs, our agent, the vm tests, and
// what the scenarios play.
func (g *guest) build(ctx context.Context) error {
	g.say("build tests and initramfs")
	var err error
	if g.tests, err = g.buildTests(ctx); err != nil {
		return err
	}
	hmi := g.path("vignette-hmi")
	if err := g.goTool(ctx, "build", "-trimpath", "-o", hmi, "./ui-bridge/cmd/vignette-hmi"); err != nil {
		return err
	}
	f, err := os.Create(g.path("initramfs"))
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	a := newArchive(w)
	for _, d := range []string{"proc", "sys", "dev", "tmp", "run", "out", "etc", "root"} {
		a.directory(d)
	}
	a.device("dev/console", 5, 1)
	a.copyFile("bin/vignette-hmi", hmi, 0o755)
	if g.systemd {
		err = g.addSystemd(ctx, a)
	} else {
		err = g.addPlain(a)
	}
	err = errors.Join(err, g.addTests(a), a.close())
	return errors.Join(err, w.Flush(), f.Close())
}

// addPlain adds what runs without a service manager, our init and the scenarios.
func (g *guest) addPlain(a *archive) error {
	a.file("init", 0o755, initScript)
	a.file("etc/bus.conf", 0o644, busConfig)
	a.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	a.file("etc/group", 0o644, []byte("root:x:0:\n"))
	a.copyFile("etc/sysctl.d/90-vignette-can.conf", filepath.Join(g.root, sysctlFile), 0o644)
	a.copyFile("bin/vignette-agent", g.agent(), 0o755)
	modules := []string{"can-raw", "can-bcm", "kvaser-pci", "vcan", "virtio-mmio", "virtio-blk"}
	return errors.Join(g.addPrograms(a, canPrograms...), addModules(a, g.unpacked("root/lib/modules"), modules...), g.addScenarios(a), g.addDrive(a))
}

// canPrograms are those of every guest.
var canPrograms = []string{"/bin/busybox", "/bin/ip", "/usr/bin/dbus-daemon", "/usr/bin/canplayer", "/usr/bin/cansend", "/usr/bin/cangen", "/usr/bin/candump"}

// sysctlFile is the shipped file that lets the agent have its socket buffers.
const sysctlFile = "buildroot/package/vignette-agent/90-vignette-can.conf"

// addPrograms adds programs of Debian's.
func (g *guest) addPrograms(a *archive, programs ...string) error {
	s := &sysroot{g.unpacked("root"), g.libraries}
	for _, p := range programs {
		if err := s.addProgram(a, p); err != nil {
			return err
		}
	}
	return nil
}

// addModules adds modules of Debian's kernel, unpacked in dir, and modules.list:
// the order in which they are loaded.
func addModules(a *archive, dir string, names ...string) error {
	mods, err := findModules(dir)
	if err != nil {
		return err
	}
	files, err := mods.closure(names...)
	if err != nil {
		return err
	}
	var order strings.Builder
	for _, f := range files {
		name := path.Join("modules", filepath.Base(f))
		fmt.Fprintf(&order, "/%s\n", name)
		a.copyFile(name, f, 0o644)
	}
	a.file("modules.list", 0o644, []byte(order.String()))
	return nil
}

// boot runs the guest to its end. Its console goes to console.log, and what
// init says of its progress to the clock.
func (g *guest) boot(ctx context.Context) error {
	kernel, err := filepath.Glob(g.unpacked("root/boot/vmlinuz-*"))
	if err != nil || len(kernel) != 1 {
		return fmt.Errorf("%d kernels in %s, want one", len(kernel), g.unpacked("root/boot"))
	}
	disk := g.path("results.img")
	if err := errors.Join(os.WriteFile(disk, nil, 0o644), os.Truncate(disk, resultBytes)); err != nil {
		return err
	}
	limit := bootTime + 5*g.load // the load is work, and slow
	for _, s := range g.scenarios {
		limit += s.length
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// The guest's clock counts its instructions, 1 or 4 ns each, and skips what it
	// sleeps: what a guest has time for does not depend on the desk's load, and
	// a drive takes no longer than the work that is in it.
	cmd := exec.CommandContext(ctx, g.qemu[0], append(slices.Concat(g.qemu[1:], g.can),
		"-accel", "tcg,thread=single,tb-size=256", "-icount", fmt.Sprintf("shift=%d,sleep=off", g.shift), "-m", "512",
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-kernel", kernel[0], "-initrd", g.path("initramfs"),
		"-drive", "if=none,format=raw,id=results,file="+disk, "-device", "virtio-blk-device,drive=results",
		// the kernel gives what it does not know to init, as environment
		"-append", fmt.Sprintf("console=ttyAMA0 quiet panic=-1 mitigations=off VM_LOAD=%d", int(g.load.Seconds())))...)
	g.say("boot %s", filepath.Base(kernel[0]))
	return g.watch(ctx, cmd, limit)
}

// watch runs QEMU, which ctx ends after limit, and follows its console.
func (g *guest) watch(ctx context.Context, cmd *exec.Cmd, limit time.Duration) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	console, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	ended, err := g.follow(console)
	err = errors.Join(err, cmd.Wait())
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return fmt.Errorf("it was killed after %v", limit)
	case err == nil && !ended:
		return errors.New("it stopped before it had said `vm: end`")
	}
	return err
}

// follow reads the console until it closes, and tells whether init came to its end.
func (g *guest) follow(console io.Reader) (ended bool, err error) {
	log, err := os.Create(g.path("console.log"))
	if err != nil {
		return false, err
	}
	defer log.Close()
	begin := time.Now()
	lines := bufio.NewReader(console)
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line != "" {
			fmt.Fprintf(log, "%8.2f %s\n", time.Since(begin).Seconds(), line)
		}
		if news, ok := strings.CutPrefix(line, "vm: "); ok {
			g.say("%s", news)
			ended = ended || news == "end"
		}
		if err == io.EOF {
			return ended, nil
		} else if err != nil {
			return ended, err
		}
	}
}

// consoleTail is how many of the console's lines are shown of a guest that failed.
const consoleTail = 60

// showConsole shows the end of the console.
func (g *guest) showConsole(w io.Writer) {
	text, err := os.ReadFile(g.path("console.log"))
	if err != nil {
		fmt.Fprintln(w, err)
		return
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	fmt.Fprintf(w, "--- the end of %s\n%s\n---\n", g.path("console.log"), strings.Join(lines[max(0, len(lines)-consoleTail):], "\n"))
}
