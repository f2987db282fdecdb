package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// unitStretch is how much of our drive canplayer plays to the unit: the hot cabin
// is aired.
const unitStretch = 12 * time.Second

// systemdFiles are this guest's own: init, units, users and the car's configuration.
//
//go:embed systemd
var systemdFiles embed.FS

// debianUnits are Debian's units that the guest has: what the agent's unit stands
// on, and nothing else that would take time.
var debianUnits = []string{
	"basic.target", "dbus-org.freedesktop.timedate1.service", "dbus.service", "dbus.socket", "emergency.target", "final.target", "graphical.target",
	"local-fs-pre.target", "local-fs.target", "multi-user.target", "paths.target", "shutdown.target", "slices.target", "sockets.target",
	"swap.target", "sysinit.target", "systemd-journald-dev-log.socket", "systemd-journald.service", "systemd-journald.socket",
	"systemd-sysctl.service", "systemd-sysusers.service", "systemd-timedated.service", "timers.target", "umount.target",
}

// wants are the links by which the guest's units are enabled.
var wants = map[string][]string{
	"sysinit.target.wants":    {"systemd-journald.service", "systemd-sysctl.service", "systemd-sysusers.service"},
	"sockets.target.wants":    {"dbus.socket", "systemd-journald-dev-log.socket", "systemd-journald.socket"},
	"multi-user.target.wants": {"can-buses.service", "dbus.service"},
}

// systemdPrograms are Debian's programs that only this guest has.
var systemdPrograms = []string{
	"/lib/systemd/systemd", "/lib/systemd/systemd-journald", "/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-timedated", "/lib/systemd/systemd-shutdown",
	"/bin/systemctl", "/bin/journalctl", "/bin/systemd-sysusers", "/usr/bin/systemd-run", "/sbin/mke2fs",
}

// addSystemd adds a Debian whose PID 1 is systemd, with the files of our package
// and the demonstration car, signed.
func (g *guest) addSystemd(ctx context.Context, a *archive) error {
	for _, d := range []string{"var/lib/vignette", "var/tmp", "var/log", "mnt", "usr/lib/dbus-1.0"} {
		a.directory(d)
	}
	a.symlink("var/run", "/run")
	a.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"))
	a.file("etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n"))
	a.file("etc/machine-id", 0o644, []byte("76696768657474650000000000000001\n"))
	a.file("etc/os-release", 0o644, []byte("ID=debian\nPRETTY_NAME=\"Vignette's guest\"\n"))
	err := errors.Join(g.addPrograms(a, append(canPrograms, systemdPrograms...)...),
		addModules(a, g.unpacked("root/lib/modules"), "can-raw", "can-dev", "vcan", "virtio-mmio", "virtio-blk", "brd", "crc32c-generic", "ext4"),
		g.addUnits(a), g.addOwn(a), g.addPackage(a), g.addCar(ctx, a))
	for _, s := range g.scenarios {
		a.copyFile(path.Join("scenarios", s.name, "play.log"), s.log, 0o644)
	}
	return err
}

// addUnits adds Debian's units, and the files of its D-Bus.
func (g *guest) addUnits(a *archive) error {
	root := g.unpacked("root")
	for _, u := range debianUnits {
		name := path.Join("lib/systemd/system", u)
		if target, err := os.Readlink(filepath.Join(root, name)); err == nil {
			a.symlink(name, target)
		} else {
			a.copyFile(name, filepath.Join(root, name), 0o644)
		}
	}
	for dir, units := range wants {
		for _, u := range units {
			a.symlink(path.Join("etc/systemd/system", dir, u), "/lib/systemd/system/"+u)
		}
	}
	a.symlink("etc/systemd/system/default.target", "guest.target")
	for _, f := range []string{"system.conf", "system.d/org.freedesktop.systemd1.conf", "system.d/org.freedesktop.timedate1.conf",
		"system-services/org.freedesktop.systemd1.service", "system-services/org.freedesktop.timedate1.service"} {
		a.copyFile(path.Join("usr/share/dbus-1", f), filepath.Join(root, "usr/share/dbus-1", f), 0o644)
	}
	return nil
}

// addOwn adds the guest's own files.
func (g *guest) addOwn(a *archive) error {
	return fs.WalkDir(systemdFiles, "systemd", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := systemdFiles.ReadFile(p)
		if err != nil {
			return err
		}
		switch name := strings.TrimPrefix(p, "systemd/"); {
		case name == "init.sh":
			a.file("init", 0o755, data)
		case name == "agent.yaml": // the car's, see addCar
		case strings.HasSuffix(name, ".sh"):
			a.file(name, 0o755, data)
		default:
			a.file(name, 0o644, data)
		}
		return nil
	})
}

// packageList is what our Debian package installs: buildroot/deb/nfpm.yaml, from
// which make release packs it.
const packageList = "buildroot/deb/nfpm.yaml"

// addPackage adds the files of our package but its documents, which make release
// writes.
func (g *guest) addPackage(a *archive) error {
	text, err := os.ReadFile(filepath.Join(g.root, packageList))
	if err != nil {
		return err
	}
	var p struct {
		Contents []struct {
			Src, Dst, Type string
			FileInfo       struct{ Mode fs.FileMode } `yaml:"file_info"`
		}
	}
	if err := yaml.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("%s: %w", packageList, err)
	}
	for _, c := range p.Contents {
		switch {
		case c.Src == "${PROGRAM}":
			a.copyFile(c.Dst, g.agent(), c.FileInfo.Mode)
		case strings.HasPrefix(c.Src, "build/deb/"), c.Type == "config": // the car has its own
		case strings.Contains(c.Src, "*"):
			err = errors.Join(err, a.copyGlob(c.Dst, filepath.Join(g.root, c.Src)))
		default:
			a.copyFile(c.Dst, filepath.Join(g.root, c.Src), 0o644)
		}
	}
	return err
}

// copyGlob adds the files that a pattern matches to a directory.
func (a *archive) copyGlob(dir, pattern string) error {
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s matches no file", pattern)
	}
	for _, f := range files {
		a.copyFile(path.Join(dir, filepath.Base(f)), f, 0o644)
	}
	return err
}

// addCar lays the demonstration car out as docs/port-to-your-car.md says, signed
// with a key made for it, in a directory of this machine, which becomes
// /etc/vignette.
func (g *guest) addCar(ctx context.Context, a *archive) error {
	car := g.path("car")
	if err := errors.Join(os.RemoveAll(car), os.MkdirAll(car, 0o755)); err != nil {
		return err
	}
	drive := filepath.Join(g.root, "testdata/drive")
	for _, name := range []string{"vehicle.yaml", "powertrain.dbc", "body.dbc", "cards", "studies"} {
		if err := copyAll(filepath.Join(car, name), filepath.Join(drive, name)); err != nil {
			return err
		}
	}
	s, key := g.demoCar(), g.path("oem")
	for _, k := range []string{key + ".key", key + ".pub"} {
		if err := os.RemoveAll(k); err != nil {
			return err
		}
	}
	if _, err := s.vignette(ctx, "sign", "--generate", key); err != nil {
		return err
	}
	if _, err := s.vignette(ctx, "sign", "--key", key+".key", filepath.Join(car, "vehicle.yaml"), filepath.Join(car, "studies/demo.yaml")); err != nil {
		return err
	}
	config, err := systemdFiles.ReadFile("systemd/agent.yaml")
	if err != nil {
		return err
	}
	a.file("etc/vignette/agent.yaml", 0o644, config)
	a.copyFile("etc/vignette/oem.pub", key+".pub", 0o644)
	return a.copyTree("etc/vignette", car)
}

// demoCar is the car whose profile and cards the guest has.
func (g *guest) demoCar() *scenario {
	return &scenario{root: g.root, vehicle: "testdata/drive/vehicle.yaml", cards: "testdata/drive/cards", log: filepath.Join(g.root, "build/vm/unit.log")}
}

// copyAll copies a file or a directory on this machine.
func copyAll(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
