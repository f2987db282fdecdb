//go:build oracle

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestRelease makes the release of these sources, and of its own tarball without
// git, elsewhere: the same bytes. What came out is held against dpkg, lintian and
// CycloneDX's validator.
func TestRelease(t *testing.T) {
	dist := filepath.Join(t.TempDir(), "dist")
	if err := run("../..", dist, t.Output()); err != nil {
		t.Fatal(err)
	}
	version, _, err := versionOf("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("again", func(t *testing.T) { again(t, dist, version) })
	t.Run("programs", func(t *testing.T) { programsKnowTheirVersion(t, dist, version) })
	t.Run("boms", func(t *testing.T) { bomsAreValid(t, dist) })
	t.Run("lintian", func(t *testing.T) {
		ok(t, "lintian", "--fail-on", "error,warning", "--allow-root", deb(t, dist, "armhf"), deb(t, dist, "arm64"))
	})
	t.Run("install", func(t *testing.T) { installs(t, dist) })
	t.Run("licences", func(t *testing.T) { packageNamesLicences(t, dist, version) })
}

// ok runs a program that must end well, and is what it said.
func ok(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// unpack unpacks a tarball, without the directory that all is in.
func unpack(t *testing.T, tarball string) string {
	t.Helper()
	dir := t.TempDir()
	ok(t, "tar", "-xf", tarball, "-C", dir, "--strip-components=1")
	return dir
}

func again(t *testing.T, dist, version string) {
	for _, v := range []string{"GOFLAGS=-mod=vendor", "LC_ALL=tr_TR.UTF-8", "TZ=Asia/Shanghai"} {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	root, other := unpack(t, filepath.Join(dist, "vignette-"+version+".tar.gz")), filepath.Join(t.TempDir(), "other")
	if err := run(root, other, t.Output()); err != nil {
		t.Fatal(err)
	}
	one, two := read(t, dist, "SHA256SUMS"), read(t, other, "SHA256SUMS")
	if one != two {
		t.Errorf("two releases of the same sources differ:\n%s\n%s", one, two)
	}
	if n := strings.Count(one, "\n"); n != 13 {
		t.Errorf("SHA256SUMS has %d lines, want 13: 2 tarballs, 4 programs and their SBOMs, 3 packages\n%s", n, one)
	}
	cmd := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	cmd.Dir = other
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}
}

func programsKnowTheirVersion(t *testing.T, dist, version string) {
	for file, run := range map[string][]string{
		"vignette-agent-" + version + "-linux-armv7": {"qemu-arm-static"},
		"vignette-agent-" + version + "-linux-arm64": {"qemu-aarch64-static"},
		"vignette-agent-" + version + "-linux-amd64": {"env"},
		"vignette-" + version + "-linux-amd64":       {"env"},
	} {
		if said := ok(t, run[0], filepath.Join(dist, file), "--version"); !strings.HasPrefix(said, version+" (engine ") {
			t.Errorf("%s says %q, and is %s", file, said, version)
		}
	}
}

// validate.py of CycloneDX's own library: their schema, strictly.
const validate = `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for name in sys.argv[1:]:
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(name).read())
    if wrong:
        sys.exit(f"{name}: {wrong}")
`

func bomsAreValid(t *testing.T, dist string) {
	files, err := filepath.Glob(filepath.Join(dist, "*.cdx.json"))
	if err != nil || len(files) != 4 {
		t.Fatal(files, err)
	}
	ok(t, os.Getenv("PYTHON"), append([]string{"-c", validate}, files...)...)
	// A validator that takes everything would say the same.
	bad := filepath.Join(t.TempDir(), "bad.json")
	write(t, bad, strings.Replace(read(t, files[0]), `"type": "library"`, `"type": "book"`, 1))
	if out, err := exec.Command(os.Getenv("PYTHON"), "-c", validate, bad).CombinedOutput(); err == nil {
		t.Errorf("a component that is a book is taken: %s", out)
	}
}

// deb is the package of an architecture.
func deb(t *testing.T, dist, arch string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dist, "*_"+arch+".deb"))
	if err != nil || len(files) != 1 {
		t.Fatalf("packages of %s: %q, %v", arch, files, err)
	}
	return files[0]
}

// debRoot is an empty root that packages are installed in. Their scripts run
// outside of it, with DPKG_ROOT, as dpkg calls it.
type debRoot struct {
	*testing.T
	dir string
}

func newDebRoot(t *testing.T) debRoot {
	r := debRoot{t, t.TempDir()}
	for _, dir := range []string{"var/lib/dpkg/updates", "var/lib/dpkg/info", "etc"} {
		if err := os.MkdirAll(filepath.Join(r.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(r.dir, "var/lib/dpkg/status"), "")
	return r
}

func (r debRoot) dpkg(args ...string) {
	r.Helper()
	ok(r.T, "dpkg", append([]string{"--root=" + r.dir, "--log=" + r.dir + "/dpkg.log", "--force-script-chrootless", "--force-depends", "--force-confold", "--force-not-root"}, args...)...)
}

// has tells whether a file is there, as what it is.
func (r debRoot) has(file string) bool {
	_, err := os.Lstat(filepath.Join(r.dir, file))
	return err == nil
}

func (r debRoot) want(when string, there bool, files ...string) {
	r.Helper()
	for _, file := range files {
		if r.has(file) != there {
			r.Errorf("%s: /%s is there: %v", when, file, !there)
		}
	}
}

// installs installs the package, upgrades it, removes and purges it.
func installs(t *testing.T, dist string) {
	r := newDebRoot(t)
	pkg := deb(t, dist, strings.TrimSpace(ok(t, "dpkg", "--print-architecture")))
	const enabled, conf, state = "etc/systemd/system/multi-user.target.wants/vignette-agent.service", "etc/vignette/agent.yaml", "var/lib/vignette/state/state.0"
	r.dpkg("--install", pkg)
	r.want("installed", true, conf, "usr/bin/vignette-agent", "lib/systemd/system/vignette-agent.service", "usr/share/dbus-1/system.d/org.vignette.Agent1.conf",
		"usr/share/dbus-1/system-services/org.vignette.Agent1.service", "usr/share/dbus-1/interfaces/org.vignette.Card1.xml", "usr/lib/sysctl.d/90-vignette-can.conf")
	r.want("installed, and enabled by nobody", false, enabled)
	for file, line := range map[string]string{"etc/passwd": "vignette:x:", "etc/group": "vignette-hmi:x:"} {
		if text := read(t, r.dir, file); strings.Count(text, line) != 1 {
			t.Errorf("/%s has not one line %s: %s", file, line, text)
		}
	}
	// What the OEM did outlives an upgrade.
	ok(t, "systemctl", "--root="+r.dir, "enable", "vignette-agent.service")
	write(t, filepath.Join(r.dir, conf), "# the OEM's\n")
	write(t, filepath.Join(r.dir, state), "what the agent kept")
	r.dpkg("--install", pkg)
	r.want("upgraded", true, enabled, state)
	if text := read(t, r.dir, conf); text != "# the OEM's\n" {
		t.Errorf("an upgrade made /%s into %q", conf, text)
	}
	r.dpkg("--remove", "vignette-agent")
	r.want("removed", true, conf, state)
	r.want("removed", false, "usr/bin/vignette-agent", "lib/systemd/system/vignette-agent.service")
	r.dpkg("--purge", "vignette-agent")
	r.want("purged", false, conf, "etc/vignette", "var/lib/vignette")
	if text := read(t, r.dir, "etc/passwd"); !strings.Contains(text, "vignette:x:") {
		t.Error("a purge gives the user's number away")
	}
}

// packageNamesLicences: Buildroot's package has the licence texts of all that the
// agent links, each with its hash.
func packageNamesLicences(t *testing.T, dist, version string) {
	tree := unpack(t, filepath.Join(dist, "vignette-"+version+".tar.gz"))
	modules, err := linkedModules(filepath.Join(dist, "vignette-agent-"+version+"-linux-armv7"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"LICENSE"}
	for _, m := range modules[1:] {
		files, err := licenceFiles(tree, m.Path)
		if err != nil {
			t.Error(err)
		}
		want = append(want, files...)
	}
	var named []string
	for _, m := range regexp.MustCompile(`(?m)^sha256  (\S+)  (\S+)$`).FindAllStringSubmatch(read(t, tree, "buildroot/package/vignette-agent/vignette-agent.hash"), -1) {
		named = append(named, m[2])
		if sum, err := sumOf(filepath.Join(tree, m[2])); err != nil || sum != m[1] {
			t.Errorf("%s has the hash %s, %v; the package says %s", m[2], sum, err, m[1])
		}
	}
	slices.Sort(want)
	slices.Sort(named)
	if !slices.Equal(named, want) {
		t.Errorf("the package names %q, the agent links %q", named, want)
	}
}
