package pack

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// deflated is a text as the standard library compresses it.
func deflated(t testing.TB, text []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, level, []byte(Dictionary))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sameAsFlate holds that inflate and compress/flate read the same of a stream.
func sameAsFlate(t *testing.T, stream []byte) {
	t.Helper()
	const limit = 1 << 16
	in := bytes.NewReader(stream)
	want, wantErr := io.ReadAll(io.LimitReader(flate.NewReaderDict(in, []byte(Dictionary)), limit+1))
	got, used, err := inflate(stream, []byte(Dictionary), limit)
	switch {
	case len(want) > limit:
		if err == nil {
			t.Errorf("%d bytes are read, at most %d may be", len(got), limit)
		}
	case (err == nil) != (wantErr == nil):
		t.Errorf("%v; compress/flate says %v\n%x", err, wantErr, stream)
	case err == nil && (!bytes.Equal(got, want) || used != len(stream)-in.Len()):
		t.Errorf("%d bytes of %d read, compress/flate %d of %d", len(got), used, len(want), len(stream)-in.Len())
	}
}

// TestInflate reads streams of every kind of block, and changed ones, as
// compress/flate does.
func TestInflate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 3000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var streams [][]byte
	for _, text := range [][]byte{nil, []byte("a"), []byte(Dictionary), noise, bytes.Repeat([]byte("abc"), 9000), bytes.Repeat([]byte{0}, 1<<16+1)} {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, 1, 9} {
			streams = append(streams, deflated(t, text, level))
		}
	}
	for _, s := range streams {
		sameAsFlate(t, s)
		for range 40 {
			changed := bytes.Clone(s)
			changed[r.IntN(min(len(s), 200))] ^= 1 << r.IntN(8)
			sameAsFlate(t, changed)
			sameAsFlate(t, s[:r.IntN(len(s))])
		}
	}
	for range 2000 {
		sameAsFlate(t, noise[r.IntN(1000):][:r.IntN(200)])
	}
}

func FuzzInflate(f *testing.F) {
	for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, 9} {
		f.Add(deflated(f, []byte("schema: 1\nid: warm-seat, warm-seat"), level))
	}
	f.Add([]byte{5, 0xe0, 0x81, 8, 0, 0, 0, 0, 0x20, 0x7f, 0xeb, 0xb, 0, 0})
	f.Fuzz(func(t *testing.T, stream []byte) { sameAsFlate(t, stream) })
}

// terse is a pack as a QR code has it, with another text where one is given.
func terse(t testing.TB, data, text []byte) []byte {
	t.Helper()
	p, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	head, mine, ok := p.Parts()
	if !ok {
		t.Fatal("the pack is not signed")
	}
	if text == nil {
		text = mine
	}
	return append(head, deflated(t, text, 9)...)
}

func TestExpand(t *testing.T) {
	key := seeded(t, 3)
	data := made(t, small(), &key)
	good := terse(t, data, nil)
	if again, err := Expand(good); err != nil || !bytes.Equal(again, data) {
		t.Fatalf("not the pack that it was made of: %v", err)
	}
	for i := range good {
		good[i] ^= 1 << (i % 8)
		// A flip in the key's id or in the stream's last, unused bits may leave a
		// pack that is as good; it is never one of another content.
		if again, err := Expand(good); err == nil && !bytes.Equal(payloadAfterHead(t, again), payloadAfterHead(t, data)) {
			t.Errorf("byte %d flipped: another pack", i)
		}
		good[i] ^= 1 << (i % 8)
	}
	for i := range good {
		if _, err := Expand(good[:i]); err == nil {
			t.Errorf("cut at %d: taken", i)
		}
	}
	large := binary.AppendUvarint(nil, 1<<40)
	for name, c := range map[string]struct {
		payload []byte
		want    string
	}{
		"nothing":         {nil, "it has 0 bytes"},
		"another version": {append([]byte{2}, good[1:]...), "it is of version 2, this reads version 1"},
		"long":            {make([]byte, MaxTerse+1), "at most 2952 fit"},
		"a bomb":          {terse(t, data, make([]byte, 1<<20)), "larger than any pack"},
		"more":            {append(bytes.Clone(good), 0), "something follows"},
		"no files":        {terse(t, data, []byte{0}), "1 to 64 files"},
		"a long length":   {terse(t, data, large), "a length in it is wrong"},
		"no length":       {terse(t, data, []byte{0x80}), "a length in it is wrong"},
		"a path":          {terse(t, data, []byte("\x00\x04../a\x01x")), "is not allowed"},
		"two lines":       {terse(t, data, []byte("\x03a\nb\x01a\x01x")), "is no signature"},
		"other content":   {terse(t, data, []byte("\x07a@1.0.0\x01a\x01x")), "does not fit"},
		"many files":      {terse(t, data, append([]byte{0}, strings.Repeat("\x01a\x00", 5000)...)), "1 to 64 files"},
	} {
		if _, err := Expand(c.payload); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func payloadAfterHead(t *testing.T, data []byte) []byte {
	t.Helper()
	_, payload, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		t.Fatal("the pack has no empty line")
	}
	return payload
}

// FuzzExpand holds that whatever a camera reads makes no pack, or one that opens
// and is made of these bytes again.
func FuzzExpand(f *testing.F) {
	key := seeded(f, 3)
	f.Add(terse(f, made(f, small(), &key), nil))
	f.Fuzz(func(t *testing.T, payload []byte) {
		data, err := Expand(payload)
		if err != nil {
			return
		}
		p, err := Open(data)
		if err != nil {
			t.Fatal(err)
		}
		head, text, _ := p.Parts()
		got, _, err := inflate(payload[terseHead:], []byte(Dictionary), maxExpanded)
		if err != nil || !bytes.Equal(head, payload[:terseHead]) || !bytes.Equal(got, text) {
			t.Errorf("made of other bytes, %v", err)
		}
	})
}
