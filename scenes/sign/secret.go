package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// SecretKey makes signatures. It is for desks.
type SecretKey struct {
	ID  KeyID
	key ed25519.PrivateKey
}

// GenerateKey makes a key from random bytes; nil is the system's.
func GenerateKey(random io.Reader) (SecretKey, error) {
	if random == nil {
		random = rand.Reader
	}
	var k SecretKey
	if _, err := io.ReadFull(random, k.ID[:]); err != nil {
		return k, err
	}
	seed := make([]byte, ed25519.SeedSize)
	_, err := io.ReadFull(random, seed)
	k.key = ed25519.NewKeyFromSeed(seed)
	return k, err
}

// Public is the key that checks what k signs.
func (k SecretKey) Public() PublicKey {
	return PublicKey{ID: k.ID, Key: k.key.Public().(ed25519.PublicKey)}
}

// Sign signs a message; the comment is signed with it and must be one line.
func (k SecretKey) Sign(message []byte, comment string) ([]byte, error) {
	s, err := k.Signature(message, comment)
	if err != nil {
		return nil, err
	}
	return s.File("signature from vignette, key " + k.ID.String()), nil
}

// Signature signs as Sign does.
func (k SecretKey) Signature(message []byte, comment string) (*Signature, error) {
	if strings.ContainsAny(comment, "\r\n") {
		return nil, errors.New("the trusted comment must be one line")
	}
	hash := blake2b.Sum512(message)
	sig := ed25519.Sign(k.key, hash[:])
	return &Signature{KeyID: k.ID, Comment: comment, alg: algHashed, sig: sig, global: ed25519.Sign(k.key, append(bytes.Clone(sig), comment...))}, nil
}

// A minisign secret key, 158 bytes in base64: algorithm, key derivation,
// checksum algorithm, 48 bytes for the derivation, then the key id, the Ed25519
// key and their checksum. Keys with a password have the derivation Sc and these
// last three sealed; those are for minisign itself.
const (
	keySize       = 8 + ed25519.PrivateKeySize
	secretSize    = 6 + 48 + keySize + blake2b.Size256
	openAlgs      = "Ed\x00\x00B2"
	protectedAlgs = "EdScB2"
)

// ErrProtected says that a secret key has a password.
var ErrProtected = errors.New("the secret key has a password: sign with minisign -S itself, or use a key made without one")

// ParseSecretKey reads a minisign secret key that has no password.
func ParseSecretKey(text []byte) (SecretKey, error) {
	list, err := split(text)
	if err != nil {
		return SecretKey{}, err
	}
	if len(list) != 2 || !strings.HasPrefix(list[0], untrusted) {
		return SecretKey{}, errors.New("is not a minisign secret key: it wants a comment line and a line of base64")
	}
	raw, err := decode(list[1], secretSize, "secret key")
	if err != nil {
		return SecretKey{}, err
	}
	switch string(raw[:6]) {
	case openAlgs:
	case protectedAlgs:
		return SecretKey{}, ErrProtected
	default:
		return SecretKey{}, fmt.Errorf("is a secret key of algorithms %q, which are not known", raw[:6])
	}
	k := SecretKey{ID: KeyID(raw[54:]), key: raw[54+8 : 54+keySize]}
	// The checksum is no help: minisign 0.11 leaves that of an open key zero.
	if !bytes.Equal(k.key, ed25519.NewKeyFromSeed(k.key[:ed25519.SeedSize])) {
		return SecretKey{}, errors.New("its two halves do not fit; it was changed")
	}
	return k, nil
}

// File is the key as minisign -W writes it, without a password: keep it from
// others by the file's mode.
func (k SecretKey) File() []byte {
	key := append(bytes.Clone(k.ID[:]), k.key...)
	sum := blake2b.Sum256(append(algPure[:], key...))
	return []byte(untrusted + "minisign secret key " + k.ID.String() + ", without a password\n" +
		encode([]byte(openAlgs), make([]byte, 48), key, sum[:]) + "\n")
}
