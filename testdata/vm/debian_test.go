package main

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packageTar is a Debian package's file system.
func packageTar(t *testing.T, headers ...tar.Header) *tar.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		h.Mode = 0o755
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(h.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return tar.NewReader(&b)
}

func file(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }

func link(name, target string) tar.Header {
	return tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink}
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = unpackTar(packageTar(t,
		tar.Header{Name: "./usr/bin/", Typeflag: tar.TypeDir},
		file("./usr/bin/canplayer"), file("./bin/busybox"), file("./usr/share/doc/can-utils/copyright"), file("./etc/passwd"),
		file("./lib/aarch64-linux-gnu/libc.so.6"), link("./lib/ld-linux-aarch64.so.1", "aarch64-linux-gnu/libc.so.6"),
		file("./boot/vmlinuz-6.1.0"), file("./boot/System.map-6.1.0"), file("./lib/modules/6.1.0/modules.builtin"),
		file("./lib/modules/6.1.0/kernel/net/can/can-raw.ko"), file("./lib/modules/6.1.0/kernel/drivers/net/can/vcan.ko"),
		file("./lib/modules/6.1.0/kernel/drivers/net/can/dev/can-dev.ko"), file("./lib/modules/6.1.0/kernel/drivers/block/virtio_blk.ko"),
		file("./lib/modules/6.1.0/kernel/drivers/net/can/usb/gs_usb.ko"), file("./lib/modules/6.1.0/kernel/fs/xfs/xfs.ko"),
	), root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, p)
		}
		return err
	})
	want := []string{"bin/busybox", "boot/vmlinuz-6.1.0", "lib/aarch64-linux-gnu/libc.so.6", "lib/ld-linux-aarch64.so.1",
		"lib/modules/6.1.0/kernel/drivers/block/virtio_blk.ko", "lib/modules/6.1.0/kernel/drivers/net/can/dev/can-dev.ko",
		"lib/modules/6.1.0/kernel/drivers/net/can/vcan.ko", "lib/modules/6.1.0/kernel/net/can/can-raw.ko",
		"lib/modules/6.1.0/modules.builtin", "usr/bin/canplayer"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, unpacked\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if text, err := os.ReadFile(filepath.Join(dir, "lib/ld-linux-aarch64.so.1")); err != nil || string(text) != "./lib/aarch64-linux-gnu/libc.so.6" {
		t.Errorf("through the link: %q, %v", text, err)
	}
}

// A package that would write through a link out of the directory is refused.
func TestUnpackStaysInside(t *testing.T) {
	outside := t.TempDir()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := unpackTar(packageTar(t, link("./usr/bin/out", outside), file("./usr/bin/out/file")), root); err == nil {
		t.Error("it was unpacked")
	}
	if list, err := os.ReadDir(outside); err != nil || len(list) != 0 {
		t.Errorf("outside: %v, %v", list, err)
	}
}

func TestKernelImageIsNamedByItsMetapackage(t *testing.T) {
	m := dependsOnImage.FindStringSubmatch("linux-image-arm64\n  Depends: linux-image-6.1.0-56-arm64\n")
	if len(m) != 2 || m[1] != "linux-image-6.1.0-56-arm64" {
		t.Errorf("got %q", m)
	}
}
