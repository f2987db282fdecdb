// Package sign is the one place for signatures: of vehicle profiles, studies
// and packs of cards. Keys and signatures are files of minisign
// (https://jedisct1.github.io/minisign/), whose tool makes and checks them too:
// Ed25519 over the BLAKE2b-512 hash of the file, and a second signature over
// the first and a trusted comment.
package sign

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// The algorithms of minisign: pure Ed25519, which only old signatures have, and
// Ed25519 over the file's BLAKE2b-512 hash.
var (
	algPure   = [2]byte{'E', 'd'}
	algHashed = [2]byte{'E', 'D'}
)

// The first words of the comment lines.
const (
	untrusted = "untrusted comment: "
	trusted   = "trusted comment: "
)

// maxFile bounds a key's or signature's file, in bytes.
const maxFile = 4096

// KeyID names a key; signatures carry the id of theirs.
type KeyID [8]byte

// String writes the id as minisign does: hexadecimal, the last byte first.
func (id KeyID) String() string {
	b := id
	slices.Reverse(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// PublicKey checks signatures.
type PublicKey struct {
	ID  KeyID
	Key ed25519.PublicKey
}

// ParsePublicKey reads a minisign public key: its file, or its one line alone.
func ParsePublicKey(text []byte) (PublicKey, error) {
	list, err := split(text)
	if err != nil {
		return PublicKey{}, err
	}
	if len(list) == 2 && strings.HasPrefix(list[0], untrusted) {
		list = list[1:]
	}
	if len(list) != 1 {
		return PublicKey{}, errors.New("is not a minisign public key: it wants a comment line and a line of base64")
	}
	raw, err := decode(list[0], 2+8+ed25519.PublicKeySize, "public key")
	if err != nil {
		return PublicKey{}, err
	}
	if [2]byte(raw) != algPure {
		return PublicKey{}, fmt.Errorf("is a public key of algorithm %q; only Ed25519 is known", raw[:2])
	}
	return PublicKey{ID: KeyID(raw[2:10]), Key: raw[10:]}, nil
}

// File is the key as minisign writes it.
func (k PublicKey) File() []byte {
	return []byte(untrusted + "minisign public key " + k.ID.String() + "\n" + k.Line() + "\n")
}

// Line is the key as one line, RW… in base64.
func (k PublicKey) Line() string { return encode(algPure[:], k.ID[:], k.Key) }

// Same reports whether two keys are one: what one signs the other checks. The id
// does not count, nothing vouches for it: whoever has a key may call it otherwise.
func (k PublicKey) Same(o PublicKey) bool { return len(k.Key) > 0 && bytes.Equal(k.Key, o.Key) }

// Signature is a signature's file, read.
type Signature struct {
	KeyID   KeyID
	Comment string // trusted: signed too

	alg    [2]byte
	sig    []byte // over the file, or its hash
	global []byte // over sig and Comment
}

// ParseSignature reads a minisign signature.
func ParseSignature(text []byte) (*Signature, error) {
	list, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(list) != 4 || !strings.HasPrefix(list[0], untrusted) || !strings.HasPrefix(list[2], trusted) {
		return nil, errors.New("is not a minisign signature: it wants a comment, a signature, a trusted comment and its signature, a line each")
	}
	raw, err := decode(list[1], 2+8+ed25519.SignatureSize, "signature")
	if err != nil {
		return nil, err
	}
	s := &Signature{alg: [2]byte(raw), KeyID: KeyID(raw[2:10]), sig: raw[10:], Comment: strings.TrimPrefix(list[2], trusted)}
	if s.alg != algPure && s.alg != algHashed {
		return nil, fmt.Errorf("is a signature of algorithm %q; only Ed25519 is known", raw[:2])
	}
	s.global, err = decode(list[3], ed25519.SignatureSize, "signature of the trusted comment")
	return s, err
}

// Raw is the signature of the file's hash and that of the comment, 64 bytes each,
// for those who keep a signature in a form of their own; ok is false for old
// signatures, which are of the file itself.
func (s *Signature) Raw() (raw []byte, ok bool) {
	return slices.Concat(s.sig, s.global), s.alg == algHashed
}

// FromRaw is the signature of a key that Raw gave, with its trusted comment.
func FromRaw(id KeyID, raw []byte, comment string) (*Signature, error) {
	if len(raw) != 2*ed25519.SignatureSize || strings.ContainsAny(comment, "\r\n") {
		return nil, fmt.Errorf("is no signature: %d bytes, comment %q", len(raw), comment)
	}
	return &Signature{KeyID: id, Comment: comment, alg: algHashed, sig: raw[:ed25519.SignatureSize], global: raw[ed25519.SignatureSize:]}, nil
}

// File is the signature as minisign writes it, with a comment that nothing vouches for.
func (s *Signature) File(comment string) []byte {
	return []byte(untrusted + comment + "\n" + encode(s.alg[:], s.KeyID[:], s.sig) + "\n" + trusted + s.Comment + "\n" + encode(s.global) + "\n")
}

// ErrUnknownKey says that a signature's key is none of those trusted.
var ErrUnknownKey = errors.New("the key is not trusted")

// ErrTampered says that a signature does not fit what it is said to sign.
var ErrTampered = errors.New("the signature does not fit: the file or the signature was changed")

// Verify checks a message against its signature under one of keys.
func (s *Signature) Verify(keys []PublicKey, message []byte) error {
	i := slices.IndexFunc(keys, func(k PublicKey) bool { return k.ID == s.KeyID })
	if i < 0 {
		return fmt.Errorf("signed with key %s: %w", s.KeyID, ErrUnknownKey)
	}
	key := keys[i].Key
	if s.alg == algHashed {
		hash := blake2b.Sum512(message)
		message = hash[:]
	}
	if !ed25519.Verify(key, message, s.sig) || !ed25519.Verify(key, slices.Concat(s.sig, []byte(s.Comment)), s.global) {
		return fmt.Errorf("signed with key %s: %w", s.KeyID, ErrTampered)
	}
	return nil
}

// split parts a small file into its lines.
func split(text []byte) ([]string, error) {
	switch {
	case len(text) > maxFile:
		return nil, fmt.Errorf("is longer than %d bytes", maxFile)
	case len(text) == 0:
		return nil, errors.New("is empty")
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("is a binary file, not one of minisign's")
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), nil
}

func decode(line string, size int, what string) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(line)
	if err != nil {
		return nil, fmt.Errorf("its %s is no base64: %w", what, err)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("its %s has %d bytes, not %d; it may be cut", what, len(raw), size)
	}
	return raw, nil
}

func encode(parts ...[]byte) string {
	return base64.StdEncoding.EncodeToString(slices.Concat(parts...))
}
