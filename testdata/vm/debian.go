package main

import (
	"archive/tar"
	"context"
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
)

// guestPackages have the guest's programs. Their dependencies come with them.
var guestPackages = []string{"busybox-static", "can-utils", "dbus-daemon", "iproute2"}

// packages are guestPackages, and on arm64 what the guest with systemd has beside
// them. usr-is-merged spares the packages that would merge an old system's /usr.
func (m *machine) packages() []string {
	if m.debian == "arm64" {
		return append([]string{"dbus", "e2fsprogs", "systemd", "usr-is-merged"}, guestPackages...)
	}
	return guestPackages
}

// wanted is what is unpacked of packages: programs, libraries, the kernel, and
// of its hundreds of megabytes of modules those for CAN, for QEMU's disk and for
// a car's file system.
var wanted = regexp.MustCompile(`^((usr/)?s?bin/|(usr/)?lib/[^/]*linux-gnu|(usr/)?lib/ld-linux|boot/vmlinuz-` +
	`|(usr/)?lib/(systemd|sysusers\.d|sysctl\.d|dbus-1\.0)/|usr/share/dbus-1/` +
	`|(usr/)?lib/modules/[^/]+/(modules\.builtin$|kernel/(net/can/|drivers/net/can/(vcan|dev/|sja1000/|ctucanfd/)|drivers/block/(virtio_blk|loop|brd)|drivers/virtio/` +
	`|fs/(ext4/|jbd2/|mbcache)|lib/(lib)?crc|(arch/[^/]+/)?crypto/crc)))`)

// debian downloads packages of another architecture by way of this machine's
// apt and its sources, in a root of its own: nothing is installed.
type debian struct {
	dir       string // of apt's state and cache
	env       []string
	updateErr error // indices that could not be fetched: perhaps not needed ones
}

// download fetches and unpacks the kernel and the guest's programs into
// g.dir/root, unless they are there.
func (g *guest) download(ctx context.Context) error {
	root, done := g.unpacked("root"), g.unpacked("root.done")
	what := fmt.Sprintln(g.kernel, g.packages(), wanted)
	if have, err := os.ReadFile(done); err == nil && string(have) == what {
		return nil
	}
	g.say("apt-get update for %s", g.debian)
	d, err := newDebian(ctx, g.unpacked("apt"), g.debian)
	if err != nil {
		return err
	}
	if d.updateErr != nil {
		g.say("note: %v", d.updateErr)
	}
	image, err := d.kernelImage(ctx, g.kernel)
	if err != nil {
		return err
	}
	g.say("download %s, %s", image, strings.Join(g.packages(), ", "))
	// A kernel's dependencies would bring in what installs it.
	if err := d.apt(ctx, "download", image); err != nil {
		return err
	}
	if err := d.apt(ctx, append([]string{"-y", "--download-only", "install"}, g.packages()...)...); err != nil {
		return err
	}
	g.say("unpack")
	if err := errors.Join(os.RemoveAll(done), os.RemoveAll(root), os.MkdirAll(root, 0o755)); err != nil {
		return err
	}
	for _, pattern := range []string{"*.deb", "cache/archives/*.deb"} {
		debs, err := filepath.Glob(filepath.Join(d.dir, pattern))
		if err != nil {
			return err
		}
		slices.Sort(debs)
		for _, deb := range debs {
			if err := unpack(ctx, deb, root); err != nil {
				return fmt.Errorf("%s: %w", deb, err)
			}
		}
	}
	return errors.Join(os.RemoveAll(d.dir), os.WriteFile(done, []byte(what), 0o644))
}

// newDebian makes an empty root for apt in dir and fetches the indices.
func newDebian(ctx context.Context, dir, architecture string) (*debian, error) {
	err := os.RemoveAll(dir)
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial", "none"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "status"), nil, 0o644)); err != nil {
		return nil, err
	}
	network, err := networkOptions(ctx)
	if err != nil {
		return nil, err
	}
	// This machine's apt.conf.d stays out: its hooks clean this machine's cache.
	config := fmt.Sprintf(`APT::Architecture "%[1]s";
APT::Architectures { "%[1]s"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "%[2]s/state";
Dir::State::status "%[2]s/status";
Dir::Cache "%[2]s/cache";
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "%[2]s/none";
Dpkg::Use-Pty "0";
%[3]s`, architecture, dir, network)
	d := &debian{dir: dir, env: append(os.Environ(), "APT_CONFIG="+filepath.Join(dir, "apt.conf"), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")}
	if err := os.WriteFile(filepath.Join(dir, "apt.conf"), []byte(config), 0o644); err != nil {
		return nil, err
	}
	if d.updateErr = d.apt(ctx, "update"); d.updateErr != nil {
		d.updateErr = d.apt(ctx, "update") // a mirror in the middle of its own update
	}
	return d, ctx.Err()
}

// networkOptions are this machine's apt options that it may need to reach its
// mirror at all: proxies, certificates, clocks.
func networkOptions(ctx context.Context) (string, error) {
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return "", fmt.Errorf("apt-config dump: %w; the guests are made of Debian's packages, so a machine with apt is needed", err)
	}
	var keep strings.Builder
	for line := range strings.Lines(string(dump)) {
		if strings.HasPrefix(line, "Acquire::http") || strings.HasPrefix(line, "Acquire::Check-") {
			keep.WriteString(line)
		}
	}
	return keep.String(), nil
}

// apt runs apt-get in the root of its own.
func (d *debian) apt(ctx context.Context, args ...string) error {
	_, err := d.output(ctx, "apt-get", append([]string{"-qq"}, args...)...)
	return err
}

func (d *debian) output(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = d.dir, d.env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
		return "", errors.Join(d.updateErr, err)
	}
	return string(out), nil
}

var dependsOnImage = regexp.MustCompile(`(?m)^\s*Depends: (linux-image-\S+)$`)

// kernelImage is the package that a metapackage depends on.
func (d *debian) kernelImage(ctx context.Context, meta string) (string, error) {
	out, err := d.output(ctx, "apt-cache", "depends", meta)
	if err != nil {
		return "", err
	}
	m := dependsOnImage.FindStringSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("package %s depends on no kernel; are this machine's apt sources Debian's?", meta)
	}
	return m[1], nil
}

// unpack unpacks what is wanted of a package.
func unpack(ctx context.Context, deb, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	err = unpackTar(tar.NewReader(out), root)
	_, rest := io.Copy(io.Discard, out)
	return errors.Join(err, rest, cmd.Wait())
}

func unpackTar(in *tar.Reader, root *os.Root) error {
	for {
		h, err := in.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		name := clean(h.Name)
		if h.Typeflag == tar.TypeDir || !wanted.MatchString(name) {
			continue
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			err = writeFile(root, name, in)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeLink:
			err = root.Link(clean(h.Linkname), name)
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, in io.Reader) error {
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	return errors.Join(err, f.Close())
}
