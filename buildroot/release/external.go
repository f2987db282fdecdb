package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ours are the parts of buildroot/ that are not Buildroot's.
var ours = []string{"release", "deb"}

// externalTree writes the Buildroot external tree with this version, the
// tarball of the sources in dl/ and its hash: Buildroot downloads nothing of ours.
func (r *release) externalTree() error {
	tree := filepath.Join(filepath.Dir(r.tree), "vignette-buildroot-"+r.version)
	if err := os.CopyFS(tree, os.DirFS(filepath.Join(r.tree, "buildroot"))); err != nil {
		return err
	}
	for _, dir := range ours {
		if err := os.RemoveAll(filepath.Join(tree, dir)); err != nil {
			return err
		}
	}
	tarball := "vignette-" + r.version + ".tar.gz"
	if err := copyFile(filepath.Join(r.dist, tarball), filepath.Join(tree, "dl", tarball), 0o644, r.when); err != nil {
		return err
	}
	sum, err := sumOf(filepath.Join(r.dist, tarball))
	if err != nil {
		return err
	}
	pkg := filepath.Join(tree, "package", "vignette-agent", "vignette-agent")
	if err := rewrite(pkg+".mk", regexp.MustCompile(`(?m)^VIGNETTE_AGENT_VERSION = .*$`), "VIGNETTE_AGENT_VERSION = "+r.version); err != nil {
		return err
	}
	if err := rewrite(pkg+".hash", regexp.MustCompile(`(?m)^# of the sources: .*$`), fmt.Sprintf("# of the sources:\nsha256  %s  %s", sum, tarball)); err != nil {
		return err
	}
	return pack(filepath.Join(r.dist, "vignette-buildroot-"+r.version+".tar.gz"), tree, r.when)
}

// rewrite replaces the one place of a file that the pattern finds.
func rewrite(file string, at *regexp.Regexp, with string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if n := len(at.FindAll(data, -1)); n != 1 {
		return fmt.Errorf("%s has %d lines like %s, not one", filepath.Base(file), n, at)
	}
	text := at.ReplaceAllLiteralString(string(data), with)
	return os.WriteFile(file, []byte(strings.TrimSuffix(text, "\n")+"\n"), fs.FileMode(0o644))
}
