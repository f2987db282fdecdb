package audit

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// canaries looks for texts that were pushed through every id and text field of the
// recorders.
var canaries = attack{
	id: "canaries", name: "Find texts that drivers and cars would give away",
	does: "A phone number, a VIN, names, positions and titles were pushed through every id and text field that a recorder has. Looks for them in every byte of every segment and " +
		"in the names of files: as they are, in UTF-16, base64, hexadecimal, backwards, as bare or packed digits and as binary numbers.",
	mark: "No hit.",
	run:  runCanaries,
}

// DefaultCanaries are what is pushed where nothing else is said. The VIN is the
// example of ISO 3779's check digit, the number is of those kept for fiction.
var DefaultCanaries = []string{"+44 1632 960961", "1M8GDM9AXKP042788", "Zhang Wei", "张伟", "31.23039,121.47370", "Nocturne in E-flat"}

func runCanaries(d *Dataset, o Options) ([]Figure, error) {
	const name = "canaries found"
	texts := o.pushed(d)
	if len(texts) == 0 {
		return []Figure{notRun(name, "hits", atMost, 0, "nobody says what was pushed through the recorders; name it with --canary, or simulate the fleet with --canaries")}, nil
	}
	if i := slices.IndexFunc(texts, func(text string) bool { return len(bare(text)) < leastPattern }); i >= 0 {
		return []Figure{notRun(name, "hits", atMost, 0, fmt.Sprintf("%q is too short: what has fewer than %d bytes is found anywhere by chance; push longer ones", texts[i], leastPattern))}, nil
	}
	patterns := Disguises(texts)
	found, where := 0, ""
	for i := range d.Files {
		path := d.Files[i].Path
		text, err := os.ReadFile(d.file(&d.Files[i]))
		if err != nil {
			return nil, err
		}
		for _, p := range patterns {
			if p.In(text) || p.inName(path) {
				found++
				where = cmp.Or(where, fmt.Sprintf("the first one: %s in %s", p.Name, path))
			}
		}
	}
	why := fmt.Sprintf("%d texts in %d disguises", len(texts), len(patterns))
	return []Figure{none(name, "hits", found, len(d.Files), cmp.Or(where, why))}, nil
}

// pushed are the texts that are looked for in a dataset.
func (o *Options) pushed(d *Dataset) []string {
	if len(o.Canaries) > 0 {
		return o.Canaries
	}
	return d.canaries()
}

// canaryFault refuses a text that cannot be looked for: of one that is too short,
// nothing found would say nothing.
func (o *Options) canaryFault(list []*Dataset) error {
	for _, d := range list {
		for _, text := range o.pushed(d) {
			if len(text) < leastPattern {
				return fmt.Errorf("the canary %q is shorter than %d bytes, which chance finds anywhere; push a longer one", text, leastPattern)
			}
		}
	}
	return nil
}

// Pattern is a canary in a disguise.
type Pattern struct {
	Name  string // the canary, and how it is disguised
	bytes []byte
}

// In reports whether a text holds the pattern.
func (p Pattern) In(text []byte) bool { return bytes.Contains(text, p.bytes) }

// inName reports whether a file's name holds the pattern. Names of segments are
// random hexadecimal digits, where a short number is found by chance.
func (p Pattern) inName(name string) bool {
	if len(p.bytes) < 10 && strings.Trim(string(p.bytes), "0123456789abcdef") == "" {
		return false
	}
	return p.In([]byte(name))
}

// leastPattern is the least length of what is looked for, in bytes: shorter ones
// are found by chance.
const leastPattern = 4

// Disguises are texts, of leastPattern bytes or more, in all the ways in which they
// could lie in a file.
func Disguises(texts []string) (list []Pattern) {
	for _, text := range texts {
		add := func(how string, b []byte) {
			known := slices.ContainsFunc(list, func(p Pattern) bool { return bytes.Equal(p.bytes, b) })
			if len(b) >= leastPattern && !known {
				list = append(list, Pattern{fmt.Sprintf("%q, %s", text, how), b})
			}
		}
		add("as it is", []byte(text))
		add("in lower case", []byte(strings.ToLower(text)))
		add("in upper case", []byte(strings.ToUpper(text)))
		add("in letters and digits alone", []byte(bare(text)))
		add("backwards", backwards([]byte(text)))
		add("in UTF-16, little-endian", utf16Bytes(text, binary.LittleEndian))
		add("in UTF-16, big-endian", utf16Bytes(text, binary.BigEndian))
		add("in hexadecimal", []byte(hex.EncodeToString([]byte(text))))
		add("in hexadecimal capitals", []byte(strings.ToUpper(hex.EncodeToString([]byte(text)))))
		for shift, b := range base64Middles([]byte(text)) {
			add(fmt.Sprintf("in base64 from byte %d of three on", shift), b)
		}
		digits := digitsOf(text)
		add("its digits", []byte(digits))
		add("its digits, packed", packed(digits, 0, 1))
		add("its digits, packed the other way", packed(digits, 1, 0))
		addNumbers(text, add)
	}
	return list
}

// bare is a text without what is neither letter nor digit.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && strings.ContainsRune(" -_.,:;/+()'\"", r) {
			return -1
		}
		return r
	}, text)
}

func backwards(text []byte) []byte {
	b := bytes.Clone(text)
	slices.Reverse(b)
	return b
}

func utf16Bytes(text string, order binary.AppendByteOrder) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return b
}

// base64Middles are the characters of base64 that a text alone decides, by how
// many bytes modulo three come before it.
func base64Middles(text []byte) (list [][]byte) {
	for shift := range 3 {
		b := []byte(base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), text...)))
		from, to := (shift*8+5)/6, (shift+len(text))*8/6
		list = append(list, b[from:to])
	}
	return list
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// packed has two digits a byte, the one at first in the high half.
func packed(digits string, first, second int) (b []byte) {
	for i := 0; i+1 < len(digits); i += 2 {
		b = append(b, (digits[i+first]-'0')<<4|(digits[i+second]-'0'))
	}
	return b
}

// addNumbers adds the binary forms of a text's numbers, such as those of a
// position: as floating point, and as degrees times ten million.
func addNumbers(text string, add func(how string, b []byte)) {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil || !strings.Contains(part, ".") {
			continue
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			add(part+" as a float64", order.AppendUint64(nil, math.Float64bits(v)))
			add(part+" as a float32", order.AppendUint32(nil, math.Float32bits(float32(v))))
			add(part+" times 1e7", order.AppendUint32(nil, uint32(int32(math.Round(v*1e7)))))
		}
	}
}
