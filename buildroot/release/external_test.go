package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const buildroot = ".." // the external tree in the sources

func read(t *testing.T, elements ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(buildroot, pattern))
	if err != nil || len(list) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return list
}

// TestTested: what Buildroot itself reads is what buildroot/check has held against
// Buildroot. No package registry has Buildroot, so this cannot be done anew here.
func TestTested(t *testing.T) {
	tested := map[string]string{}
	for line := range strings.Lines(read(t, buildroot, "tested")) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.HasPrefix(line, "#") {
			tested[name] = sum
		}
	}
	for _, pattern := range []string{"Config.in", "external.*", "configs/*", "board/*/*", "board/*/*/etc/*/*", "board/*/*/etc/*/*/*", "package/*/Config.in", "package/*/*.mk", "package/*/*.hash", "package/*/S*"} {
		for _, file := range glob(t, pattern) {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			name, _ := filepath.Rel(buildroot, file)
			if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, file)))); tested[name] != sum {
				t.Errorf("%s is another than Buildroot was tested with; run make buildroot-check BUILDROOT=\"DIR …\" with checkouts of Buildroot, and commit buildroot/tested", name)
			}
			delete(tested, name)
		}
	}
	for name := range tested {
		t.Errorf("buildroot/tested names %s, which is not there", name)
	}
}

var (
	symbol = regexp.MustCompile(`^(BR2_\w+)=(y|[0-9]+|".*")$`)
	unset  = regexp.MustCompile(`^# (BR2_\w+) is not set$`)
	ourOwn = regexp.MustCompile(`\$\(BR2_EXTERNAL_VIGNETTE_PATH\)/([^" ]+)`)
)

// TestDefconfigs: each line sets a symbol, each symbol once, the files of ours that
// it names are there, and the agent is in the image.
func TestDefconfigs(t *testing.T) {
	for _, file := range glob(t, "configs/*") {
		seen := map[string]bool{}
		for line := range strings.Lines(read(t, file)) {
			line = strings.TrimSuffix(line, "\n")
			m := symbol.FindStringSubmatch(line)
			if m == nil {
				m = unset.FindStringSubmatch(line)
			}
			if m == nil || seen[m[1]] {
				t.Errorf("%s: %q sets no symbol, or one that is set before", file, line)
				continue
			}
			seen[m[1]] = true
			for _, own := range ourOwn.FindAllStringSubmatch(line, -1) {
				if _, err := os.Stat(filepath.Join(buildroot, own[1])); err != nil {
					t.Errorf("%s: %s: %v", file, m[1], err)
				}
			}
		}
		for _, want := range []string{"BR2_PACKAGE_VIGNETTE_AGENT", "BR2_ROOTFS_POST_BUILD_SCRIPT", "BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES"} {
			if !seen[want] {
				t.Errorf("%s does not set %s", file, want)
			}
		}
	}
}

// TestPackageInstallsTheFiles: Buildroot's package and Debian's have the same files.
func TestPackageInstallsTheFiles(t *testing.T) {
	mk, deb := read(t, buildroot, "package/vignette-agent/vignette-agent.mk"), read(t, buildroot, "deb/nfpm.yaml")
	onlyOne := map[string]string{ // and why
		"S80vignette-agent":       "Debian has systemd",
		"vignette-agent.sysusers": "Buildroot makes users itself",
	}
	for _, file := range glob(t, "package/vignette-agent/*") {
		name := filepath.Base(file)
		if name == "Config.in" || strings.HasPrefix(name, "vignette-agent.mk") || strings.HasSuffix(name, ".hash") {
			continue
		}
		inMk, inDeb := strings.Contains(mk, "_PKGDIR)/"+name+" "), strings.Contains(deb, "vignette-agent/"+name+",")
		if one := onlyOne[name]; (inMk && inDeb) != (one == "") || !inMk && !inDeb {
			t.Errorf("%s is installed by Buildroot: %v, by Debian: %v %s", name, inMk, inDeb, one)
		}
	}
}

// TestLicencesOfThePackage: the package names the licence texts of all that the
// agent links, with their hashes, and no others.
func TestLicencesOfThePackage(t *testing.T) {
	mk, hashes := read(t, buildroot, "package/vignette-agent/vignette-agent.mk"), read(t, buildroot, "package/vignette-agent/vignette-agent.hash")
	named := regexp.MustCompile(`(?m)^\t((?:vendor/\S+/)?(?:LICENSE|NOTICE)\S*)`).FindAllStringSubmatch(mk, -1)
	var files []string
	for _, m := range named {
		files = append(files, m[1])
	}
	var hashed []string
	for line := range strings.Lines(hashes) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "sha256" {
			hashed = append(hashed, f[2])
		}
	}
	if len(files) < 8 || !slices.Equal(files, hashed) {
		t.Errorf("the package names %q, and has hashes of %q", files, hashed)
	}
	if sum := fmt.Sprintf("sha256  %x  LICENSE\n", sha256.Sum256([]byte(read(t, "../../LICENSE")))); !strings.Contains(hashes, sum) {
		t.Errorf("the package has not %q", sum)
	}
}

// TestFlagsOfThePackage: Buildroot builds the agent with the flags that the Makefile
// reads from a file, and with no others; -trimpath it gives by itself.
func TestFlagsOfThePackage(t *testing.T) {
	flags := strings.ReplaceAll(strings.TrimSpace(read(t, "../../agent/cmd/vignette-agent/goflags")), "'-ldflags=-s -w -R 0x4000'", "-ldflags=-s_-w_-R_0x4000")
	var want []string
	for _, flag := range strings.Fields(flags) {
		switch name, value, _ := strings.Cut(flag, "="); name {
		case "-trimpath":
		case "-tags":
			want = append(want, "TAGS = "+value)
		case "-ldflags":
			want = append(want, "LDFLAGS = "+strings.ReplaceAll(value, "_", " ")+" -buildid= -X vignette/scenes/engine.ReleasedAs=$(VIGNETTE_AGENT_VERSION)")
		case "-gcflags":
			want = append(want, flag)
		default:
			t.Errorf("goflags has %s, and nobody has said how Buildroot gives it", flag)
		}
	}
	mk := strings.ReplaceAll(read(t, buildroot, "package/vignette-agent/vignette-agent.mk"), " \\\n\t", " ")
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^VIGNETTE_AGENT_(BUILD_OPTS|TAGS|LDFLAGS) = (.*)$`).FindAllStringSubmatch(mk, -1) {
		if m[1] == "BUILD_OPTS" {
			got = append(got, strings.Fields(m[2])...)
		} else {
			got = append(got, m[1]+" = "+m[2])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("Buildroot builds with\n%s\nand the Makefile with\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRewrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.mk")
	at := regexp.MustCompile(`(?m)^A = .*$`)
	write(t, file, "A = 1\nB = $1\n")
	if err := rewrite(file, at, "A = $2"); err != nil || read(t, file) != "A = $2\nB = $1\n" {
		t.Errorf("%v: %q", err, read(t, file))
	}
	write(t, file, "A = 1\nA = 2\n")
	if err := rewrite(file, at, ""); err == nil || !strings.Contains(err.Error(), "a.mk has 2 lines") {
		t.Errorf("two places: %v", err)
	}
}
