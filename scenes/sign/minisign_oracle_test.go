//go:build oracle

package sign

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAgainstMinisign lets minisign itself check what we sign with its key and
// with ours, and checks what it signs.
func TestAgainstMinisign(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(in(name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	minisign := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("minisign", args...).CombinedOutput(); err != nil {
			t.Fatalf("minisign %v: %v\n%s", args, err, out)
		}
	}
	message := []byte("schema: 1\nid: car\n")
	write("car.yaml", message)

	minisign("-G", "-W", "-f", "-p", in("theirs.pub"), "-s", in("theirs.key"))
	theirs, err := ParseSecretKey(read("theirs.key"))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	write("ours.pub", ours.Public().File())
	write("ours.key", ours.File())
	for name, key := range map[string]SecretKey{"theirs": theirs, "ours": ours} {
		text, err := key.Sign(message, "a comment, 注释")
		if err != nil {
			t.Fatal(err)
		}
		write("car.yaml.minisig", text)
		minisign("-V", "-H", "-p", in(name+".pub"), "-m", in("car.yaml"))

		for _, legacy := range []string{"", "-l"} {
			args := []string{"-S", "-s", in(name + ".key"), "-m", in("car.yaml"), "-t", "theirs"}
			if legacy != "" {
				args = append(args, legacy)
			}
			minisign(args...)
			s, err := ParseSignature(read("car.yaml.minisig"))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify([]PublicKey{key.Public()}, message); err != nil || s.Comment != "theirs" {
				t.Errorf("signed by minisign with the key of %s%s: %v, comment %q", name, legacy, err, s.Comment)
			}
		}
	}
}
