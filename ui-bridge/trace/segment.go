package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/tinylib/msgp/msgp"
)

// A segment is a file of episodes:
//
//	header   64 bytes, one of the texts below padded with spaces and a line end
//	record   uvarint length n, as short as it can be; u32 little-endian CRC-32C
//	         of length and payload; n bytes of one Episode in MessagePack
//	padding  zeros up to a multiple of 512 bytes
//
// The car writes one record a segment, so that nothing links two episodes and
// all segments have one size; readers take more. A record that is cut short or
// whose sum does not fit ends what can be read; what came before holds.
const (
	signedText   = "vignette-traces 3"
	unsignedText = "vignette-traces 3; unsigned desk study, not for release"
	panelText    = "vignette-panel 2; personal data of a test driver"
	headerBytes  = 64
	sumBytes     = 4
	recordHead   = 2 + sumBytes // at most
	maxPayload   = 512          // an Episode takes at most about 190 bytes
	sizeClass    = 512
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	headers    = []string{signedText, unsignedText, panelText}
)

// ErrNotSegment tells that a file does not begin with a segment's header.
var ErrNotSegment = errors.New("not a trace segment: its first line is not that of one")

// headerOf is the header of a text.
func headerOf(text string) []byte { return fmt.Appendf(nil, "%-*s\n", headerBytes-1, text) }

// newSegment is the segment of one episode, which a pseudonym makes a panel's.
func newSegment(text string, ep *Episode, driver *Pseudonym) ([]byte, error) {
	if driver != nil {
		text = panelText
	}
	b, err := appendRecord(headerOf(text), payload(ep, driver))
	if err != nil {
		return nil, err
	}
	return append(b, make([]byte, (sizeClass-len(b)%sizeClass)%sizeClass)...), nil
}

// DamageError tells that a segment ends early: by power loss while an episode
// was written, or by damage.
type DamageError struct {
	Offset  int64  // of the record that cannot be read, in bytes
	Records int    // that were read before it
	Reason  string // what is wrong with it
}

// Error gives the offset and what could be read.
func (e *DamageError) Error() string {
	return fmt.Sprintf("%s at byte %d; the %d episodes before it were read", e.Reason, e.Offset, e.Records)
}

// appendRecord appends the framed bytes of one episode.
func appendRecord(dst []byte, ep msgp.Marshaler) ([]byte, error) {
	payload, err := ep.MarshalMsg(nil)
	if err != nil {
		return dst, fmt.Errorf("encode an episode: %w", err)
	}
	if n := len(payload); n > maxPayload {
		return dst, fmt.Errorf("encode an episode: %d bytes, at most %d fit a record", n, maxPayload)
	}
	start := len(dst)
	dst = binary.AppendUvarint(dst, uint64(len(payload)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:], payload))
	return append(dst, payload...), nil
}

// checksum is CRC-32C over a record's length and payload.
func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, payload)
}

// ErrPanel tells that a segment is a panel's: personal data, which is not read
// among what is released.
var ErrPanel = errors.New("a segment of a panel of test drivers: personal data, which is kept apart")

// Read reads one segment. It returns the episodes up to its end, or up to the
// first record that cannot be read together with a *DamageError. A file that is
// no segment gives ErrNotSegment; one of another version does too.
func Read(r io.Reader) ([]Episode, error) { return readAll(r, (*Episode).wrong) }

// ReadAny is Read, but takes codes that this package never writes: audits look at
// what other recorders may have done.
func ReadAny(r io.Reader) ([]Episode, error) {
	return readAll(r, func(*Episode) string { return "" })
}

func readAll(r io.Reader, wrong func(*Episode) string) (eps []Episode, err error) {
	err = readInto(r, wrong, func() *Episode { return new(Episode) }, func(rec *segmentRecord) error {
		if rec.driver != nil {
			return ErrPanel
		}
		eps = append(eps, *rec.ep)
		return nil
	})
	return eps, err
}

// ErrNotPanel tells that a segment is no panel's.
var ErrNotPanel = errors.New("a segment that is not of a panel of test drivers")

// ReadPanel reads one segment of a panel as Read does those that are released. Any
// other gives ErrNotPanel.
func ReadPanel(r io.Reader) ([]PanelEpisode, error) {
	var eps []PanelEpisode
	err := read(r, func(rec *segmentRecord) error {
		if rec.driver == nil {
			return ErrNotPanel
		}
		eps = append(eps, PanelEpisode{*rec.driver, *rec.ep})
		return nil
	})
	return eps, err
}

// segmentRecord is one episode of a segment.
type segmentRecord struct {
	header string
	driver *Pseudonym // nil: it is no panel's
	ep     *Episode
	raw    []byte // its exact bytes
}

// payload is what a record holds: an episode, or a panel's.
func payload(ep *Episode, driver *Pseudonym) msgp.Marshaler {
	if driver == nil {
		return ep
	}
	return &PanelEpisode{*driver, *ep}
}

// exact reports whether the bytes are those that this package would write:
// values can take more bytes than they need, in which something could hide. It
// writes into scratch and returns that, grown if need be.
func (rec *segmentRecord) exact(scratch []byte) (ok bool, grown []byte) {
	b, err := payload(rec.ep, rec.driver).MarshalMsg(scratch[:0])
	return err == nil && bytes.Equal(b, rec.raw), b
}

// decode reads the payload of a segment with a header into an episode.
func decode(header string, payload []byte, ep *Episode) (rec segmentRecord, rest []byte, err error) {
	rec = segmentRecord{header: header, raw: payload, ep: ep}
	if header == panelText {
		var p PanelEpisode
		rest, err = p.UnmarshalMsg(payload)
		rec.driver, rec.ep = &p.Driver, &p.Episode
		return rec, rest, err
	}
	rest, err = ep.UnmarshalMsg(payload)
	return rec, rest, err
}

// read calls yield with each episode.
func read(r io.Reader, yield func(*segmentRecord) error) error {
	return readInto(r, (*Episode).wrong, func() *Episode { return new(Episode) }, yield)
}

// readInto is read into the episodes that next returns, which may be one. wrong
// says what is wrong with an episode.
func readInto(r io.Reader, wrong func(*Episode) string, next func() *Episode, yield func(*segmentRecord) error) error {
	head := make([]byte, headerBytes)
	if _, err := io.ReadFull(r, head); err != nil && !short(err) {
		return err
	}
	i := slices.IndexFunc(headers, func(text string) bool { return string(head) == string(headerOf(text)) })
	if i < 0 {
		return ErrNotSegment
	}
	s := scanner{r: r, offset: headerBytes}
	var rec segmentRecord
	var own []byte
	for {
		payload, err := s.next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var rest []byte
		if rec, rest, err = decode(headers[i], payload, next()); err != nil {
			return s.damage("an episode that cannot be decoded (" + err.Error() + ")")
		} else if len(rest) > 0 {
			return s.damage(fmt.Sprintf("an episode followed by %d bytes more", len(rest)))
		}
		if rec.ep.V != SchemaVersion {
			return s.damage(fmt.Sprintf("an episode of schema %d, this program reads %d", rec.ep.V, SchemaVersion))
		}
		if what := wrong(rec.ep); what != "" {
			return s.damage("an episode with " + what)
		}
		var exact bool
		if exact, own = rec.exact(own); !exact {
			return s.damage("an episode in other bytes than it takes")
		}
		if err := yield(&rec); err != nil {
			return err
		}
		s.accept()
	}
}

// scanner frames the records of a segment.
type scanner struct {
	r       io.Reader
	offset  int64 // of the record that is read
	records int   // before it
	size    int64 // of it
	head    [recordHead]byte
	buf     [maxPayload]byte
}

// next returns the payload of the record at offset, io.EOF at a clean end.
func (s *scanner) next() ([]byte, error) {
	length, n, err := s.length()
	if err != nil {
		return nil, err
	}
	head := s.head[:length+sumBytes]
	if err := s.fill(head, length, "a record's head"); err != nil {
		return nil, err
	}
	payload := s.buf[:n]
	if err := s.fill(payload, 0, "a record"); err != nil {
		return nil, err
	}
	if checksum(head[:length], payload) != binary.LittleEndian.Uint32(head[length:]) {
		return nil, s.damage("a record whose checksum does not fit")
	}
	s.size = int64(len(head) + n)
	return payload, nil
}

// length reads a record's length n into the head, of which it takes so many
// bytes; io.EOF at a clean end.
func (s *scanner) length() (head, n int, err error) {
	if _, err := io.ReadFull(s.r, s.head[:1]); err == io.EOF {
		return 0, 0, s.end(s.offset)
	} else if err != nil {
		return 0, 0, err
	}
	if s.head[0] == 0 {
		return 0, 0, s.padding()
	}
	if s.head[0] < 0x80 {
		return 1, int(s.head[0]), nil
	}
	if err := s.fill(s.head[:2], 1, "a record's head"); err != nil {
		return 0, 0, err
	}
	n = int(s.head[0]&0x7f) | int(s.head[1])<<7
	if s.head[1] == 0 || n > maxPayload {
		return 0, 0, s.damage(fmt.Sprintf("a record of impossible length (%#x)", s.head[:2]))
	}
	return 2, n, nil
}

// fill reads into b what it lacks after the bytes that it has.
func (s *scanner) fill(b []byte, has int, what string) error {
	n, err := io.ReadFull(s.r, b[has:])
	if short(err) {
		return s.damage(fmt.Sprintf("a torn end (%d of %d bytes of %s)", has+n, len(b), what))
	}
	return err
}

// padding reads zeros to the end, after the first one.
func (s *scanner) padding() error {
	rest, err := io.ReadAll(io.LimitReader(s.r, sizeClass))
	if err != nil {
		return err
	}
	if slices.ContainsFunc(rest, func(x byte) bool { return x != 0 }) {
		return s.damage("padding that is not zero")
	}
	return s.end(s.offset + 1 + int64(len(rest)))
}

// end is io.EOF for a segment that ends where its size class does.
func (s *scanner) end(at int64) error {
	if at%sizeClass != 0 || at-s.offset >= sizeClass {
		return s.damage("an end beside the size class of 512 bytes")
	}
	return io.EOF
}

// accept goes on behind the record.
func (s *scanner) accept() {
	s.offset += s.size
	s.records++
}

func (s *scanner) damage(reason string) error {
	return &DamageError{Offset: s.offset, Records: s.records, Reason: reason}
}

func short(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }
