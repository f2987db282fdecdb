package sign

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// seeded is a key that is always the same.
func seeded(t *testing.T, seed byte) SecretKey {
	t.Helper()
	k, err := GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRoundTrip(t *testing.T) {
	k := seeded(t, 7)
	pub, err := ParsePublicKey(k.Public().File())
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseSecretKey(k.File())
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("a profile")
	text, err := again.Sign(message, "profile 3")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSignature(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify([]PublicKey{seeded(t, 8).Public(), pub}, message); err != nil || s.Comment != "profile 3" || s.KeyID != k.ID {
		t.Errorf("%v, comment %q, key %s; want a signature by %s", err, s.Comment, s.KeyID, k.ID)
	}
	if err := s.Verify([]PublicKey{seeded(t, 8).Public()}, message); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("another key: %v; want ErrUnknownKey", err)
	}
	if _, err := k.Sign(message, "two\nlines"); err == nil {
		t.Error("a comment of two lines was signed")
	}
}

// TestEveryChangeIsSeen flips every bit of the message and every character of
// the signature's file: none but one in the untrusted comment verifies.
func TestEveryChangeIsSeen(t *testing.T) {
	k := seeded(t, 7)
	keys := []PublicKey{k.Public()}
	message := []byte("a profile")
	text, err := k.Sign(message, "profile 3")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ParseSignature(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(message) * 8 {
		m := bytes.Clone(message)
		m[i/8] ^= 1 << (i % 8)
		if err := s.Verify(keys, m); !errors.Is(err, ErrTampered) {
			t.Fatalf("bit %d of the message changed: %v", i, err)
		}
	}
	first := bytes.IndexByte(text, '\n') + 1
	for i := first; i < len(text); i++ {
		for _, c := range []byte{'A', 'b', '7', '=', '\n', 0x80} {
			changed := bytes.Clone(text)
			if changed[i] == c {
				continue
			}
			changed[i] = c
			if s, err := ParseSignature(changed); err == nil && s.Verify(keys, message) == nil {
				t.Fatalf("byte %d as %q: the changed signature verifies", i, c)
			}
		}
	}
	for n := range len(text) - 1 {
		if s, err := ParseSignature(text[:n]); err == nil && s.Verify(keys, message) == nil {
			t.Fatalf("cut at %d: the signature verifies", n)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	k := seeded(t, 7)
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"empty":         {nil, "is empty"},
		"binary":        {[]byte("\x00\x01"), "is a binary file"},
		"long":          {bytes.Repeat([]byte("x"), maxFile+1), "is longer than"},
		"prose":         {[]byte("hello\nworld\n"), "minisign"},
		"no base64":     {[]byte(untrusted + "x\n????\n"), "no base64"},
		"cut":           {k.Public().File()[:len(k.Public().File())-9], "may be cut"},
		"a secret key":  {k.File(), "bytes, not 42"},
		"other letters": {[]byte(untrusted + "x\n" + encode([]byte("Xx"), make([]byte, 40)) + "\n"), `algorithm "Xx"`},
	} {
		if _, err := ParsePublicKey(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("public key, %s: %v; want %q", name, err, c.want)
		}
		if _, err := ParseSignature(c.text); err == nil {
			t.Errorf("signature, %s: taken", name)
		}
		if name != "a secret key" {
			if _, err := ParseSecretKey(c.text); err == nil {
				t.Errorf("secret key, %s: taken", name)
			}
		}
	}
	protected := []byte(untrusted + "x\n" + encode([]byte(protectedAlgs), make([]byte, secretSize-6)) + "\n")
	if _, err := ParseSecretKey(protected); !errors.Is(err, ErrProtected) {
		t.Errorf("a key with a password: %v; want ErrProtected", err)
	}
}

func FuzzParse(f *testing.F) {
	k, err := GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	text, err := k.Sign([]byte("m"), "c")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(k.File())
	f.Add(k.Public().File())
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := ParseSignature(text); err == nil && s.Verify([]PublicKey{k.Public()}, []byte("another")) == nil {
			t.Error("a signature of another message verifies")
		}
		if p, err := ParsePublicKey(text); err == nil {
			if again, err := ParsePublicKey(p.File()); err != nil || again.ID != p.ID || !bytes.Equal(again.Key, p.Key) {
				t.Errorf("written and read again: %v", err)
			}
		}
		if s, err := ParseSecretKey(text); err == nil && s.Public().ID != s.ID {
			t.Error("a key's halves have two ids")
		}
	})
}
