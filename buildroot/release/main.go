// Command release makes what a release consists of, in dist/: the sources with
// vendor/, static programs, Debian packages, SBOMs, a Buildroot external tree
// that carries the sources, and SHA256SUMS.
//
// Everything is built from the unpacked tarball and without a network, so a
// release that is made builds for others too. The same sources, the same Go and
// the same nfpm make the same bytes, in a checkout as in an unpacked tarball.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	dist := flag.String("dist", "dist", "`DIR` to write to; what is in it is removed")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(1)
	}
	if err := run(".", *dist, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "release: %s\n", err)
		os.Exit(1)
	}
}

// release is one release while it is made.
type release struct {
	root    string    // sources: a checkout, or an unpacked tarball
	tree    string    // the unpacked tarball that all is built in
	dist    string    // what the release consists of
	version string    // see .ci/version
	when    time.Time // of the commit; every file has this time
	log     io.Writer
}

// run makes the release of the sources below root in the directory dist.
func run(root, dist string, log io.Writer) error {
	version, when, err := versionOf(root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "vignette-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	r := &release{root: root, tree: filepath.Join(work, "vignette-"+version), dist: filepath.Join(work, "dist"), version: version, when: when, log: log}
	for _, step := range []func() error{r.sources, r.programs, r.boms, r.debs, r.externalTree, r.sums} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	return os.CopyFS(dist, os.DirFS(r.dist))
}

// versionOf asks .ci/version of the sources below root.
func versionOf(root string) (version string, when time.Time, err error) {
	out, err := exec.Command(filepath.Join(root, ".ci", "version")).Output()
	if err != nil {
		return "", when, fmt.Errorf(".ci/version: %w", err)
	}
	version, second, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	seconds, err := strconv.ParseInt(second, 10, 64)
	if err != nil {
		return "", when, fmt.Errorf(".ci/version printed %q: %w", out, err)
	}
	if version == "devel" {
		return "", when, errors.New("these sources have no version; release a git checkout or an unpacked release")
	}
	return version, time.Unix(seconds, 0).UTC(), nil
}

// command runs a program in the tree with what it needs to make the same bytes
// each time, and shows what it says when it fails.
func (r *release) command(env []string, name string, args ...string) error {
	fmt.Fprintf(r.log, "%s %s\n", name, strings.Join(args, " "))
	cmd := exec.Command(name, args...)
	cmd.Dir = r.tree
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(r.when.Unix(), 10), "TZ=UTC", "LC_ALL=C")
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// offline keeps Go to vendor/ and to the toolchain that is there.
var offline = []string{"GOFLAGS=-mod=vendor", "GOPROXY=off", "GOTOOLCHAIN=local"}

// target is a processor that programs are built for.
type target struct {
	name   string // of the directory below bin/: linux-NAME
	debian string // architecture
	nfpm   string // what nfpm calls it
}

var targets = []target{{"armv7", "armhf", "arm7"}, {"arm64", "arm64", "arm64"}, {"amd64", "amd64", "amd64"}}

// program is where the Makefile leaves a program.
func (r *release) program(name string, t target) string {
	return filepath.Join(r.tree, "bin", "linux-"+t.name, name)
}

// programs builds the static programs: the agent for every target, the desk's
// program for amd64.
func (r *release) programs() error {
	// MAKEFLAGS of a make above would reach this one.
	if err := r.command(append(offline, "MAKEFLAGS="), "make", "arm", "amd64"); err != nil {
		return err
	}
	for _, p := range r.built() {
		if err := copyFile(p.path, filepath.Join(r.dist, p.file), 0o755, r.when); err != nil {
			return err
		}
	}
	return nil
}

// built is a program of the release.
type built struct {
	name string // vignette-agent or vignette
	file string // its name in dist/
	path string // in the tree
}

func (r *release) built() (list []built) {
	for _, t := range targets {
		list = append(list, built{"vignette-agent", "vignette-agent-" + r.version + "-linux-" + t.name, r.program("vignette-agent", t)})
	}
	desk := targets[len(targets)-1]
	return append(list, built{"vignette", "vignette-" + r.version + "-linux-" + desk.name, r.program("vignette", desk)})
}

// sums writes SHA256SUMS of all files in dist/.
func (r *release) sums() error {
	entries, err := os.ReadDir(r.dist)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, e := range entries {
		sum, err := sumOf(filepath.Join(r.dist, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", sum, e.Name())
	}
	return os.WriteFile(filepath.Join(r.dist, "SHA256SUMS"), []byte(text.String()), 0o644)
}

// sumOf is the SHA-256 of a file, in hexadecimal digits.
func sumOf(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(data)), nil
}
