// Package pack is the container of packs of cards: one file, signed and
// canonical, so that the same content has one sequence of bytes. What is in it
// is read by package scenes.
//
// A pack is a head of text lines, an empty line and a payload:
//
//	vignette pack 1
//	key RW…                                 minisign's public key
//	untrusted comment: vignette pack
//	…                                       minisign's signature of the payload
//	trusted comment: cool-evening@1.0.0
//	…                                       its signature of the trusted comment
//
// An unsigned pack has the one line "unsigned" for these five. The payload is an
// uncompressed ustar archive (see tar.go). The key proves only that nothing was
// changed since its holder signed; who that is, is not the container's matter.
package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"vignette/scenes/sign"
)

// Limits of a pack.
const (
	MaxBytes = 1 << 20 // of the whole file
	MaxFiles = 64
	MaxName  = 100 // bytes of a file's name

	maxHead    = 1024
	maxComment = 200
)

// Ext ends the name of a pack's file.
const Ext = ".vpack"

// Magic is the first line of a pack.
const Magic = "vignette pack 1\n"

// The other lines of a head that are the same in each.
const (
	keyLine  = "key "
	unsigned = "unsigned\n"
	untested = "vignette pack" // the untrusted comment
)

// File is one file of a pack.
type File struct {
	Name string // such as cards/cool-evening.yaml; see CheckName
	Data []byte
}

// Pack is a pack that was opened: its signature fits, if it has one.
type Pack struct {
	Signed  bool
	Key     sign.PublicKey // of whoever signed it
	Comment string         // id@version, signed too
	SHA256  string         // of the whole file, hexadecimal
	Files   []File         // by name

	signature *sign.Signature
}

// File finds a file by its name; nil: there is none.
func (p *Pack) File(name string) []byte {
	for i := range p.Files {
		if p.Files[i].Name == name {
			return p.Files[i].Data
		}
	}
	return nil
}

// ErrFormat says that a file is no pack, or one that was changed or cut.
var ErrFormat = errors.New("is no pack as vignette makes them")

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// Open checks a pack and takes it apart; Files share data's memory. The
// signature is checked before anything of the payload is looked at. Errors are
// ErrFormat, or sign.ErrTampered where the signature does not fit.
func Open(data []byte) (*Pack, error) {
	if len(data) > MaxBytes {
		return nil, bad("it has %d bytes, at most %d are read", len(data), MaxBytes)
	}
	p, n, err := openHead(data)
	if err != nil {
		return nil, err
	}
	payload := data[n:]
	if p.Signed {
		if err := p.signature.Verify([]sign.PublicKey{p.Key}, payload); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(data)
	p.SHA256 = hex.EncodeToString(sum[:])
	if p.Files, err = untar(payload); err != nil {
		return nil, err
	}
	return p, nil
}

// openHead reads the head, of n bytes. It must be what we would write: each of
// its bytes counts.
func openHead(data []byte) (p *Pack, n int, err error) {
	if !bytes.HasPrefix(data, []byte(Magic)) {
		return nil, 0, bad("it does not begin with the line `%s`", strings.TrimSpace(Magic))
	}
	n = bytes.Index(data[:min(len(data), maxHead)], []byte("\n\n")) + 2
	if n < 2 {
		return nil, 0, bad("its head has no end within %d bytes", maxHead)
	}
	text := string(data[len(Magic) : n-1])
	if text == unsigned {
		return &Pack{}, n, nil
	}
	line, rest, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(line, keyLine) {
		return nil, 0, bad("its second line is neither `unsigned` nor a key")
	}
	p = &Pack{Signed: true}
	if p.Key, err = sign.ParsePublicKey([]byte(line[len(keyLine):])); err != nil {
		return nil, 0, bad("its key %v", err)
	}
	if p.signature, err = sign.ParseSignature([]byte(rest)); err != nil {
		return nil, 0, bad("its signature %v", err)
	}
	if _, ok := p.signature.Raw(); !ok {
		return nil, 0, bad("its signature is of the payload itself, not of its hash; sign without minisign's -l")
	}
	if p.Comment = p.signature.Comment; string(p.head()) != string(data[:n]) {
		return nil, 0, bad("its head is not written as ours is")
	}
	return p, n, nil
}

// head writes a pack's head.
func (p *Pack) head() []byte {
	if !p.Signed {
		return []byte(Magic + unsigned + "\n")
	}
	return []byte(Magic + keyLine + p.Key.Line() + "\n" + string(p.signature.File(untested)) + "\n")
}

// Make makes a pack of files in any order, signed with a key; nil: unsigned. The
// comment, id@version, is signed too. The same files, key and comment make the
// same bytes.
func Make(files []File, key *sign.SecretKey, comment string) ([]byte, error) {
	if key == nil {
		return Attach(files, sign.PublicKey{}, nil)
	}
	payload, err := Payload(files)
	if err != nil {
		return nil, err
	}
	s, err := key.Signature(payload, comment)
	if err != nil {
		return nil, err
	}
	return Attach(files, key.Public(), s)
}

// Attach makes a pack of files with a signature of their Payload that was made
// elsewhere, by minisign itself; nil: unsigned.
func Attach(files []File, key sign.PublicKey, s *sign.Signature) ([]byte, error) {
	payload, err := Payload(files)
	if err != nil {
		return nil, err
	}
	p := Pack{Signed: s != nil, Key: key, signature: s}
	if s != nil && len(s.Comment) > maxComment {
		return nil, fmt.Errorf("the trusted comment has %d bytes, at most %d fit", len(s.Comment), maxComment)
	}
	data := append(p.head(), payload...)
	_, err = Open(data)
	return data, err
}
