package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// checkout is a place with .ci/version and the engine's version 9.8.7.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("../../.ci/version")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".ci/version"), string(script))
	if err := os.Chmod(filepath.Join(dir, ".ci/version"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "scenes/engine/program.go"), "package engine\n\nconst Version = \"9.8.7\"\n")
	return dir
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_DATE=1700000000 +0000", "GIT_AUTHOR_DATE=1700000000 +0000")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestVersionOfACheckout(t *testing.T) {
	dir := checkout(t)
	git(t, dir, "init", "-q")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "one")
	is := func(want string) {
		t.Helper()
		got, when, err := versionOf(dir)
		if want = strings.ReplaceAll(want, "HEAD", "g"+git(t, dir, "rev-parse", "--short=12", "HEAD")); err != nil || got != want || when.Unix() != 1700000000 {
			t.Errorf("version %q of %d, %v; want %q", got, when.Unix(), err, want)
		}
	}
	is("9.8.7-dev.1.HEAD")
	write(t, filepath.Join(dir, "untracked"), "is no change")
	is("9.8.7-dev.1.HEAD")
	git(t, dir, "tag", "v1.2.0")
	is("1.2.0")
	write(t, filepath.Join(dir, "scenes/engine/program.go"), "package engine\n")
	is("1.2.0+dirty")
	git(t, dir, "commit", "-q", "-a", "-m", "two")
	is("1.2.0+1.HEAD")
	git(t, dir, "tag", "-a", "other", "-m", "is no version")
	is("1.2.0+1.HEAD")
	write(t, filepath.Join(dir, "scenes/engine/program.go"), "")
	is("1.2.0+1.HEAD.dirty")
	git(t, dir, "checkout", "-q", ".")
	git(t, dir, "tag", "-a", "v1.3.0-rc1", "-m", "rc")
	is("1.3.0-rc1")
}

func TestVersionWithoutGit(t *testing.T) {
	dir := checkout(t)
	if _, _, err := versionOf(dir); err == nil || !strings.Contains(err.Error(), "have no version") {
		t.Errorf("neither VERSION nor git: %v", err)
	}
	write(t, filepath.Join(dir, "VERSION"), "3.2.1\n1600000000\n")
	if got, when, err := versionOf(dir); err != nil || got != "3.2.1" || when.Unix() != 1600000000 {
		t.Errorf("of VERSION: %q of %d, %v", got, when.Unix(), err)
	}
	write(t, filepath.Join(dir, "VERSION"), "3.2.1\n")
	if _, _, err := versionOf(dir); err == nil || !strings.Contains(err.Error(), "printed") {
		t.Errorf("a VERSION without its second: %v", err)
	}
}
