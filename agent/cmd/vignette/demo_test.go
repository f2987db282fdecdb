package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildAll builds the three programs into a directory.
func buildAll(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/", "./agent/cmd/...", "./ui-bridge/cmd/...")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// TestDemo runs the demo's three processes and a real dbus-daemon: it succeeds
// by its own comparison, and fails if the HMI dies or no bus can be had.
func TestDemo(t *testing.T) {
	bin := buildAll(t)
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "drive.log")
	gen := exec.Command("go", "run", "./testdata/drive/gen", "-seconds", "130", "-o", log)
	gen.Dir = root
	if out, err := gen.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := func(env []string, args ...string) (string, error) {
		args = append([]string{"demo", "--log", log, "--vehicle", filepath.Join(root, "testdata/drive/vehicle.yaml"),
			"--cards", filepath.Join(root, "testdata/drive/cards")}, args...)
		c := exec.Command(filepath.Join(bin, "vignette"), args...)
		c.Env = append(os.Environ(), env...)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	t.Run("whole", func(t *testing.T) {
		out, err := demo(nil, "--seconds", "12", "--lang", "zh")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"the same as a replay of the car's journal, byte for byte", "all arrived in the HMI in order",
			"not for release", "warm-seat", "only_if[0]", "答复: 主屏：您的反馈与我们的改进", "1 answers shown to the driver, and dismissed"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	})
	fails := func(t *testing.T, want string, out string, err error) {
		t.Helper()
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != 1 || !strings.Contains(out, want) {
			t.Errorf("%v, want exit code 1 and %q in\n%s", err, want, out)
		}
	}
	t.Run("the HMI dies", func(t *testing.T) {
		out, err := demo(nil, "--seconds", "12", "--hmi-dies-after", "2")
		fails(t, "vignette demo: the HMI died: exit status 3", out, err)
	})
	t.Run("no dbus-daemon", func(t *testing.T) {
		out, err := demo([]string{"PATH=/nonexistent"}, "--seconds", "12")
		fails(t, "dbus-daemon", out, err)
	})
	t.Run("no agent", func(t *testing.T) {
		out, err := demo(nil, "--seconds", "12", "--bin", t.TempDir())
		fails(t, "build it with make build", out, err)
	})
}
