package pack

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"vignette/scenes/sign"
)

// seeded is a key that is always the same.
func seeded(t testing.TB, seed byte) sign.SecretKey {
	t.Helper()
	k, err := sign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// small are the files of a small pack.
func small() []File {
	return []File{{"pack.yaml", []byte("schema: 1\n")}, {"cards/a.yaml", []byte("id: a\n")}, {"cards/b.yaml", bytes.Repeat([]byte("x"), 512)}}
}

// made makes a pack that must be possible.
func made(t testing.TB, files []File, key *sign.SecretKey) []byte {
	t.Helper()
	data, err := Make(files, key, "a@1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	key := seeded(t, 3)
	for _, k := range []*sign.SecretKey{nil, &key} {
		data := made(t, small(), k)
		if !bytes.Equal(data, made(t, []File{small()[2], small()[0], small()[1]}, k)) {
			t.Error("the order of the files changes the pack")
		}
		p, err := Open(data)
		if err != nil {
			t.Fatal(err)
		}
		if p.Signed != (k != nil) || len(p.Files) != 3 || p.Files[0].Name != "cards/a.yaml" || string(p.File("pack.yaml")) != "schema: 1\n" {
			t.Errorf("read back: %+v", p)
		}
		if k != nil && (p.Comment != "a@1.0.0" || !p.Key.Same(k.Public())) {
			t.Errorf("signed %q with %s", p.Comment, p.Key.Line())
		}
	}
}

// TestTarReads lets the standard library read a payload.
func TestTarReads(t *testing.T) {
	payload, err := Payload(small())
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(bytes.NewReader(payload))
	for _, want := range []string{"cards/a.yaml", "cards/b.yaml", "pack.yaml"} {
		h, err := r.Next()
		if err != nil || h.Name != want || h.Mode != 0o644 || h.Typeflag != tar.TypeReg {
			t.Fatalf("%+v, %v; want %s", h, err, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last file: %v", err)
	}
}

// TestEveryByteCounts flips a bit of each byte of a small signed pack, each bit
// of its head, and cuts it at each line and block: none of it opens.
func TestEveryByteCounts(t *testing.T) {
	key := seeded(t, 3)
	data := made(t, small()[:2], &key)
	head := bytes.Index(data, []byte("\n\n")) + 2
	refused := func(what string, i int) {
		t.Helper()
		if p, err := Open(data); err == nil || p != nil {
			t.Fatalf("%s %d: opened, %v", what, i, err)
		}
	}
	for i := range data {
		for bit := range 8 {
			if i < head || bit == i%8 {
				data[i] ^= 1 << bit
				refused("flipped byte", i)
				data[i] ^= 1 << bit
			}
		}
	}
	whole := data
	for i := range whole {
		if data = whole[:i]; i < head || (i-head)%block == 0 {
			refused("cut at", i)
		}
	}
	data = append(bytes.Clone(whole), 0)
	refused("longer than", len(whole))
}

// forged is a payload of headers and contents that were tampered with before it
// was signed: who signs may be a villain.
func forged(t *testing.T, change func(payload []byte) []byte) error {
	t.Helper()
	payload, err := Payload(small())
	if err != nil {
		t.Fatal(err)
	}
	payload = change(payload)
	for _, signed := range []bool{false, true} {
		p := Pack{}
		if signed {
			key := seeded(t, 3)
			p = Pack{Signed: true, Key: key.Public()}
			if p.signature, err = key.Signature(payload, "a@1.0.0"); err != nil {
				t.Fatal(err)
			}
		}
		_, err = Open(append(p.head(), payload...))
	}
	return err
}

// resum writes a header's checksum anew.
func resum(h []byte) {
	copy(h[sumAt:], "        ")
	sum := 0
	for _, c := range h[:block] {
		sum += int(c)
	}
	copy(h[sumAt:], octal(sum))
}

func octal(sum int) string {
	s := ""
	for range 6 {
		s, sum = string(rune('0'+sum&7))+s, sum>>3
	}
	return s + "\x00 "
}

// TestForgedPayloads holds that what a signed payload may be made of is refused,
// with its reason.
func TestForgedPayloads(t *testing.T) {
	set := func(at int, text string) func([]byte) []byte {
		return func(p []byte) []byte {
			copy(p[at:], text)
			resum(p)
			return p
		}
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"nothing":         {func(p []byte) []byte { return p[:0] }, "is cut"},
		"no files":        {func(p []byte) []byte { return make([]byte, 2*block) }, "has no files"},
		"a symbolic link": {set(kindAt, "2"), "is a symbolic link"},
		"a hard link":     {set(kindAt, "1"), "is a hard link"},
		"a device":        {set(kindAt, "3"), "is a device"},
		"a directory":     {set(kindAt, "5"), "is a directory"},
		"pax":             {set(kindAt, "x"), "is an extended header"},
		"old kind":        {set(kindAt, "\x00"), "not in the one form"},
		"path up":         {set(0, "../a/b.yaml\x00"), "is not allowed"},
		"absolute":        {set(0, "/etc/passwd\x00"), "is not allowed"},
		"dot":             {set(0, "cards/./a.yaml\x00"), "is not allowed"},
		"upper case":      {set(0, "cards/A.yaml\x00"), "is not allowed"},
		"backslash":       {set(0, `cards\a.yaml`+"\x00"), "is not allowed"},
		"a name's rest":   {set(90, "hidden"), "not in the one form"},
		"prefix":          {set(345, "etc"), "not in the one form"},
		"mode":            {set(100, "0004755"), "not in the one form"},
		"owner":           {set(108, "0000001"), "not in the one form"},
		"time":            {set(136, "00000000001"), "not in the one form"},
		"owner's name":    {set(265, "root"), "not in the one form"},
		"gigabytes":       {set(sizeAt, "77777777777"), "no number that fits"},
		"megabyte":        {set(sizeAt, "00003777777"), "more than there are"},
		"base 256":        {set(sizeAt, "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x06"), "no number that fits"},
		"size with signs": {set(sizeAt, "     000006"), "no number that fits"},
		"sum":             {func(p []byte) []byte { p[sumAt]++; return p }, "not in the one form"},
		"hidden text":     {func(p []byte) []byte { p[block+100] = 'x'; return p }, "hides behind the end"},
		"one more block":  {func(p []byte) []byte { return append(p, make([]byte, block)...) }, "something follows"},
		"one end block":   {func(p []byte) []byte { return p[:len(p)-block] }, "more than there are"},
		"text at the end": {func(p []byte) []byte { p[len(p)-1] = 1; return p }, "something follows"},
		"twice":           {func(p []byte) []byte { return append(bytes.Clone(p[:2*block]), p...) }, "twice or out of order"},
		"out of order":    {func(p []byte) []byte { return append(bytes.Clone(p[2*block:4*block]), p...) }, "out of order"},
	} {
		err := forged(t, c.change)
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// TestRefusedHeads holds that only the head counts that we would write.
func TestRefusedHeads(t *testing.T) {
	key := seeded(t, 3)
	text := string(made(t, small(), &key))
	for name, c := range map[string]struct{ from, to, want string }{
		"another format": {"vignette pack 1", "vignette pack 2", "does not begin with"},
		"no key":         {"key RW", "lock RW", "neither"},
		"bad key":        {"key RW", "key R?", "its key"},
		"comment":        {"untrusted comment: vignette pack", "untrusted comment: trust me", "not written as ours"},
		"line ends":      {"trusted comment: a@1.0.0\n", "trusted comment: a@1.0.0\r\n", "not written as ours"},
		"a line more":    {"\n\n", "\nmore\n\n", "its signature"},
		"two heads":      {"key ", "unsigned\nkey ", "neither"},
		"endless":        {"\n\n", "\n" + strings.Repeat("x", maxHead), "has no end"},
		"other comment":  {"a@1.0.0", "a@1.0.1", "does not fit"},
	} {
		changed := strings.Replace(text, c.from, c.to, 1)
		if changed == text {
			t.Fatalf("%s: nothing replaced", name)
		}
		if _, err := Open([]byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	many := make([]File, MaxFiles+1)
	for i := range many {
		many[i].Name = string(rune('a'+i/26)) + string(rune('a'+i%26))
	}
	for name, c := range map[string]struct {
		files []File
		want  string
	}{
		"none":      {nil, "1 to 64 files"},
		"many":      {many, "1 to 64 files"},
		"large":     {[]File{{"a", make([]byte, MaxBytes)}}, "at most"},
		"twice":     {[]File{{"a", nil}, {"a", nil}}, "there twice"},
		"directory": {[]File{{"a", nil}, {"a-b", nil}, {"a/b", nil}}, "below it"},
		"long name": {[]File{{strings.Repeat("a", MaxName+1), nil}}, "longer than"},
		"no name":   {[]File{{"", nil}}, "not allowed"},
		"slash":     {[]File{{"a/", nil}}, "not allowed"},
	} {
		if _, err := Make(c.files, nil, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	if _, err := Open(make([]byte, MaxBytes+1)); !errors.Is(err, ErrFormat) {
		t.Errorf("too many bytes: %v", err)
	}
	key := seeded(t, 3)
	if _, err := Make(small(), &key, strings.Repeat("x", maxComment+1)); err == nil {
		t.Error("a comment too long was taken")
	}
}

func FuzzOpen(f *testing.F) {
	key := seeded(f, 3)
	f.Add(made(f, small(), &key))
	f.Add(made(f, small(), nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Open(data)
		if err != nil {
			return
		}
		again, err := Attach(p.Files, p.Key, p.signature)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("opened, but made again it differs: %v", err)
		}
	})
}
