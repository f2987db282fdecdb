//go:build oracle

package pack

import (
	"bytes"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"vignette/scenes/sign"
	"vignette/testdata/oracle"
)

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTarWrites holds that GNU tar makes the payload that we make.
func TestTarWrites(t *testing.T) {
	dir := t.TempDir()
	for _, f := range small() {
		write(t, filepath.Join(dir, f.Name), f.Data)
	}
	payload, err := Payload(small())
	if err != nil {
		t.Fatal(err)
	}
	theirs := oracle.Run(t, exec.Command("tar", "-C", dir, "--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mode=644", "--mtime=@0", "-b1", "-cf", "-",
		"cards/a.yaml", "cards/b.yaml", "pack.yaml"))
	if !bytes.Equal(theirs, payload) {
		t.Error("tar writes another payload")
	}
}

// TestMinisign lets minisign check what we sign, and opens what it signs.
func TestMinisign(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	key := seeded(t, 3)
	data := made(t, small(), &key)
	head, _, _ := bytes.Cut(data, []byte("\n\n"))
	lines := bytes.Split(head, []byte("\n"))
	write(t, in("payload"), payloadAfterHead(t, data))
	write(t, in("payload.minisig"), append(bytes.Join(lines[2:], []byte("\n")), '\n'))
	oracle.Run(t, exec.Command("minisign", "-V", "-H", "-P", string(bytes.TrimPrefix(lines[1], []byte("key "))), "-m", in("payload")))

	oracle.Run(t, exec.Command("minisign", "-G", "-W", "-f", "-p", in("theirs.pub"), "-s", in("theirs.key")))
	oracle.Run(t, exec.Command("minisign", "-S", "-s", in("theirs.key"), "-m", in("payload"), "-t", "a@1.0.0"))
	theirs, err := sign.ParsePublicKey(read(t, in("theirs.pub")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sign.ParseSignature(read(t, in("payload.minisig")))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = Attach(small(), theirs, s); err != nil {
		t.Fatal(err)
	}
	if p, err := Open(data); err != nil || !p.Key.Same(theirs) || p.Comment != "a@1.0.0" {
		t.Errorf("signed by minisign: %v", err)
	}
	oracle.Run(t, exec.Command("minisign", "-S", "-l", "-s", in("theirs.key"), "-m", in("payload"), "-t", "a@1.0.0"))
	if s, err = sign.ParseSignature(read(t, in("payload.minisig"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Attach(small(), theirs, s); err == nil {
		t.Error("an old signature, of the payload itself and not of its hash, is taken")
	}
}

// TestZlibReads holds that the text of a QR code is DEFLATE as zlib reads it.
func TestZlibReads(t *testing.T) {
	key := seeded(t, 3)
	data := made(t, small(), &key)
	const script = `
import sys, zlib
z = zlib.decompressobj(wbits=-15, zdict=bytes.fromhex(sys.argv[2]))
out = z.decompress(bytes.fromhex(sys.argv[1])) + z.flush()
assert z.eof and not z.unused_data
sys.stdout.buffer.write(out)
`
	p, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := p.Parts()
	got := oracle.Python(t, "-c", script, hex.EncodeToString(terse(t, data, nil)[terseHead:]), hex.EncodeToString([]byte(Dictionary)))
	if !bytes.Equal(got, text) {
		t.Errorf("zlib reads %q", got)
	}
}
