package habit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// keptHead begins what is kept of a learner, with the version of what follows.
const (
	keptName    = "vignette-habits "
	keptVersion = 1
)

var keptHead = fmt.Sprintf("%s%d\n", keptName, keptVersion)

// MaxKept is the most bytes that are kept of a learner.
const MaxKept = 64 << 10

// ErrDamaged tells that what was kept cannot be read, or is of another vehicle
// profile. Nothing is guessed from it.
var ErrDamaged = errors.New("what was learnt is damaged, or of another vehicle profile; it begins anew")

// ErrFuture tells that what was kept was written by a newer version.
var ErrFuture = errors.New("what was learnt was kept by a newer version, which finds it again; until then nothing is learnt")

// Newer reports whether what was kept was written by a newer version.
func Newer(kept []byte) bool {
	line, _, _ := strings.Cut(string(kept), "\n")
	number, ours := strings.CutPrefix(line, keptName)
	n, err := strconv.Atoi(number)
	return ours && err == nil && n > keptVersion
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Changed reports whether anything was learnt since Append.
func (l *Learner) Changed() bool { return l.changed }

// Append appends what was learnt, at most MaxKept bytes: counts alone, with the
// numbers of occasions and actuators, which mean nothing without the profile. What
// is under way is left out.
func (l *Learner) Append(b []byte) []byte {
	from := len(b)
	b = append(append(b, keptHead...), l.v.vehicle.Contents()...)
	b = binary.AppendUvarint(b, uint64(l.watched))
	for i := range l.acts {
		b = binary.AppendUvarint(b, uint64(l.acts[i].hands))
	}
	for i := range l.counts {
		b = append(b, l.counts[i].n[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(l.pairs)))
	for i := range l.pairs {
		b = l.pairs[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(l.refused)))
	for _, r := range l.refused {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(r.actuator)), uint64(r.setting))
	}
	l.changed = false
	return append(b[:from], seal(b[from:])...)
}

// seal appends the sum of what is kept.
func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func (p *pair) append(b []byte) []byte {
	for _, n := range [...]uint64{uint64(p.occasion), uint64(p.actuator), uint64(p.setting), uint64(p.over)} {
		b = binary.AppendUvarint(b, n)
	}
	b = append(append(b, p.hits[:]...), p.days[:]...)
	for _, day := range p.last {
		b = binary.LittleEndian.AppendUint16(b, day)
	}
	return b
}

// Load is a learner that goes on from what Append has kept; the error is
// ErrDamaged or ErrFuture.
func Load(v *Vocabulary, kept []byte) (*Learner, error) {
	if Newer(kept) {
		return nil, ErrFuture
	}
	l := New(v)
	k := keptReader{b: kept}
	body := len(kept) - 4
	head := keptHead + v.vehicle.Contents()
	if body < len(head) || len(kept) > MaxKept || string(kept[:len(head)]) != head ||
		crc32.Checksum(kept[:body], castagnoli) != binary.LittleEndian.Uint32(kept[body:]) {
		return nil, ErrDamaged
	}
	k.b = kept[len(head):body]
	l.watched = int64(k.number(uint64(maxWatched)))
	for i := range l.acts {
		l.acts[i].hands = uint32(k.number(1<<32 - 1))
	}
	for i := range l.counts {
		k.counts(l.counts[i].n[:])
	}
	for range k.number(maxPairs) {
		l.pairs = append(l.pairs, k.pair(v))
	}
	for range k.number(maxRefused) {
		actuator := k.number(uint64(len(v.actuators)) - 1)
		l.refused = append(l.refused, refusal{uint16(actuator), k.setting(v, actuator)})
	}
	if k.bad || len(k.b) > 0 {
		return nil, ErrDamaged
	}
	return l, nil
}

// keptReader reads numbers within bounds; what is not is bad.
type keptReader struct {
	b   []byte
	bad bool
}

// number reads a number of at most most; 0 if it is bad.
func (k *keptReader) number(most uint64) uint64 {
	n, size := binary.Uvarint(k.b)
	if size <= 0 || n > most || most == 1<<64-1 {
		k.bad, k.b = true, nil
		return 0
	}
	k.b = k.b[size:]
	return n
}

func (k *keptReader) bytes(n int) []byte {
	if len(k.b) < n {
		k.bad, k.b = true, nil
		return make([]byte, n)
	}
	b := k.b[:n]
	k.b = k.b[n:]
	return b
}

// counts reads counts, none above maxCount.
func (k *keptReader) counts(into []uint8) {
	copy(into, k.bytes(len(into)))
	for _, n := range into {
		k.bad = k.bad || n > maxCount
	}
}

func (k *keptReader) setting(v *Vocabulary, actuator uint64) int32 {
	if k.bad {
		return 0
	}
	return int32(k.number(uint64(v.actuators[actuator].settings()) - 1))
}

func (k *keptReader) pair(v *Vocabulary) (p pair) {
	p.occasion, p.actuator = uint16(k.number(uint64(len(v.occasions))-1)), uint16(k.number(uint64(len(v.actuators))-1))
	p.setting = k.setting(v, uint64(p.actuator))
	p.over = uint8(k.number(255))
	k.counts(p.hits[:])
	k.counts(p.days[:])
	for i := range p.last {
		p.last[i] = binary.LittleEndian.Uint16(k.bytes(2))
	}
	return p
}
