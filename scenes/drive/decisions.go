package drive

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Header opens a decision log and a journal: what decided, over what.
type Header struct {
	Engine   string        // engine version
	Vehicle  string        // SHA-256 of the profile, hex
	DBCs     []scenes.Hash // by bus, then file, in the profile's order
	Cards    []scenes.Hash // by card id
	Off      []string      // ids of the cards that were installed, see scenes.Card.Off; not in a decision log
	Session  uint64        // 0 for a plain log
	TimeBase string        // "log": the recording's own time; "boottime"
}

// AppendHeaderJSON appends the decision log's first line.
func AppendHeaderJSON(b []byte, h *Header) []byte {
	b = append(b, `{"log":1,"engine":`...)
	b = AppendString(b, h.Engine)
	b = append(b, `,"vehicle":`...)
	b = AppendString(b, h.Vehicle)
	b = appendHashes(append(b, `,"dbc":`...), h.DBCs)
	b = appendHashes(append(b, `,"cards":`...), h.Cards)
	b = append(b, `,"session":`...)
	b = strconv.AppendUint(b, h.Session, 10)
	b = append(b, `,"time_base":`...)
	b = AppendString(b, h.TimeBase)
	return append(b, "}\n"...)
}

func appendHashes(b []byte, hashes []scenes.Hash) []byte {
	b = append(b, '{')
	for i, h := range hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, h.Name)
		b = append(b, ':')
		b = AppendString(b, h.SHA256)
	}
	return append(b, '}')
}

// AppendRecordJSON appends one record as a line, keys in the contract's order,
// absent ones left out.
func AppendRecordJSON(b []byte, r *engine.Record) []byte {
	b = append(b, `{"t":"`...)
	b = AppendTime(b, r.T)
	b = append(b, `","n":`...)
	b = strconv.AppendUint(b, r.N, 10)
	b = appendText(b, `,"card":`, r.Card)
	b = appendText(b, `,"what":`, r.What.String())
	b = appendText(b, `,"why":`, r.Why)
	b = appendText(b, `,"action":`, r.Action)
	b = appendText(b, `,"actuator":`, r.Actuator)
	if r.Value.Kind != engine.None {
		b = AppendValue(append(b, `,"value":`...), r.Value)
	}
	if r.Lease != 0 {
		b = AppendNumber(append(b, `,"lease":`...), seconds(r.Lease))
	}
	if r.Cause != 0 {
		b = append(b, `,"cause":`...)
		b = strconv.AppendUint(b, r.Cause, 10)
	}
	return append(b, "}\n"...)
}

func appendText(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return AppendString(append(b, key...), s)
}

// AppendTime appends ns as seconds with nine decimals.
func AppendTime(b []byte, ns int64) []byte {
	if ns < 0 {
		b = append(b, '-')
	}
	abs := uint64(ns)
	if ns < 0 {
		abs = -abs
	}
	b = strconv.AppendUint(b, abs/1e9, 10)
	b = append(b, '.')
	for div := uint64(1e8); div > 0; div /= 10 {
		b = append(b, byte('0'+abs/div%10))
	}
	return b
}

// AppendSeconds appends ns as seconds in the shortest exact decimal form.
func AppendSeconds(b []byte, ns int64) []byte {
	b = AppendTime(b, ns)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	return b
}

// seconds is ns in s, the nearest number to it.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// AppendValue appends a value as JSON: a number in shortest round-trip form as
// ECMAScript writes it, a boolean, or a label.
func AppendValue(b []byte, v engine.Value) []byte {
	switch v.Kind {
	case engine.Bool:
		return strconv.AppendBool(b, v.Num != 0)
	case engine.Label:
		return AppendString(b, v.Text)
	}
	return AppendNumber(b, v.Num)
}

// AppendNumber appends f in shortest round-trip form: decimal, or with an
// exponent below 1e-6 and from 1e21 on, as ECMAScript does.
func AppendNumber(b []byte, f float64) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		b = strconv.AppendFloat(b, f, 'e', -1, 64)
		if n := len(b); b[n-2] == '0' { // e-07 is e-7 there
			b[n-2] = b[n-1]
			b = b[:n-1]
		}
		return b
	}
	if n := int64(f); float64(n) == f && n > -1e15 && n < 1e15 {
		return strconv.AppendInt(b, n, 10) // the same digits, sooner; no negative zero
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

const hexDigits = "0123456789abcdef"

// AppendString appends a JSON string; bytes that are not UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// LogFormat is how a decision log is written.
type LogFormat uint8

// The formats: the same records as JSON Lines on a desk, as MessagePack in the car.
const (
	JSONLines LogFormat = iota
	MessagePack
)

// ParseLogFormat reads "jsonl" or "msgpack".
func ParseLogFormat(s string) (LogFormat, error) {
	switch s {
	case "jsonl":
		return JSONLines, nil
	case "msgpack":
		return MessagePack, nil
	}
	return 0, fmt.Errorf("unknown decision log format %q; use jsonl or msgpack", s)
}

// DecisionLog writes records as they are decided.
type DecisionLog struct {
	file   turning
	format LogFormat
	about  Header
	buf    []byte
}

// NewDecisionLog writes the header and returns the log. w should be buffered;
// the log writes each batch of records at once.
func NewDecisionLog(w io.Writer, format LogFormat, h *Header) (*DecisionLog, error) {
	l := &DecisionLog{file: turning{w: w}, format: format, about: *h}
	return l, l.file.write(l.header())
}

// header is what a file of the log begins with.
func (l *DecisionLog) header() []byte {
	if l.format == JSONLines {
		return AppendHeaderJSON(nil, &l.about)
	}
	return appendHeaderMsgp(nil, &l.about)
}

// Write appends records.
func (l *DecisionLog) Write(records []engine.Record) error {
	if len(records) == 0 {
		return nil
	}
	if l.file.due() {
		if err := l.file.turn(l.header()); err != nil {
			return err
		}
	}
	l.buf = l.buf[:0]
	for i := range records {
		if l.format == JSONLines {
			l.buf = AppendRecordJSON(l.buf, &records[i])
		} else {
			l.buf = appendRecordMsgp(l.buf, &records[i])
		}
	}
	return l.file.write(l.buf)
}
