package drive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// The decision log in MessagePack: a stream of maps with the keys, the order
// and the values of the JSON Lines form, so that one can be made from the other.

func appendHeaderMsgp(b []byte, h *Header) []byte {
	b = msgp.AppendMapHeader(b, 7)
	b = msgp.AppendInt(msgp.AppendString(b, "log"), 1)
	b = appendPair(b, "engine", h.Engine)
	b = appendPair(b, "vehicle", h.Vehicle)
	b = appendHashesMsgp(msgp.AppendString(b, "dbc"), h.DBCs)
	b = appendHashesMsgp(msgp.AppendString(b, "cards"), h.Cards)
	b = msgp.AppendUint64(msgp.AppendString(b, "session"), h.Session)
	return appendPair(b, "time_base", h.TimeBase)
}

func appendHashesMsgp(b []byte, hashes []scenes.Hash) []byte {
	b = msgp.AppendMapHeader(b, uint32(len(hashes)))
	for _, h := range hashes {
		b = appendPair(b, h.Name, h.SHA256)
	}
	return b
}

func appendPair(b []byte, key, value string) []byte {
	return msgp.AppendString(msgp.AppendString(b, key), value)
}

func appendRecordMsgp(b []byte, r *engine.Record) []byte {
	n := uint32(3)
	texts := [...]struct{ key, value string }{{"why", r.Why}, {"action", r.Action}, {"actuator", r.Actuator}}
	for _, t := range texts {
		n += present(t.value != "")
	}
	n += present(r.Card != "") + present(r.Value.Kind != engine.None) + present(r.Lease != 0) + present(r.Cause != 0)
	b = msgp.AppendMapHeader(b, n)
	b = msgp.AppendString(b, "t")
	var t [32]byte
	b = msgp.AppendStringFromBytes(b, AppendTime(t[:0], r.T))
	b = msgp.AppendUint64(msgp.AppendString(b, "n"), r.N)
	if r.Card != "" {
		b = appendPair(b, "card", r.Card)
	}
	b = appendPair(b, "what", r.What.String())
	for _, t := range texts {
		if t.value != "" {
			b = appendPair(b, t.key, t.value)
		}
	}
	if r.Value.Kind != engine.None {
		b = appendValueMsgp(msgp.AppendString(b, "value"), r.Value)
	}
	if r.Lease != 0 {
		b = msgp.AppendFloat64(msgp.AppendString(b, "lease"), seconds(r.Lease))
	}
	if r.Cause != 0 {
		b = msgp.AppendUint64(msgp.AppendString(b, "cause"), r.Cause)
	}
	return b
}

func present(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func appendValueMsgp(b []byte, v engine.Value) []byte {
	switch v.Kind {
	case engine.Bool:
		return msgp.AppendBool(b, v.Num != 0)
	case engine.Label:
		return msgp.AppendString(b, v.Text)
	}
	return msgp.AppendFloat64(b, v.Num)
}

// ToJSONLines copies a decision log in MessagePack as JSON Lines: the bytes
// that the same run writes in that form. A cut or foreign file is an error
// after the records before it.
func ToJSONLines(w io.Writer, r io.Reader) error {
	m := msgp.NewReader(r)
	out := bufio.NewWriter(w)
	for n := 0; ; n++ {
		line, err := appendMap(nil, m, n == 0)
		if err == io.EOF && n > 0 {
			return out.Flush()
		}
		if err != nil {
			out.Flush()
			if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
				return fmt.Errorf("the decision log is cut after %d records", max(0, n-1))
			}
			return fmt.Errorf("not a decision log in MessagePack, or damaged after %d records: %w", max(0, n-1), err)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

// appendMap reads one map and appends it as a JSON object in its own order.
// io.EOF means that nothing was left before it.
func appendMap(b []byte, m *msgp.Reader, first bool) ([]byte, error) {
	n, err := m.ReadMapHeader()
	if err != nil {
		return nil, err
	}
	b = append(b, '{')
	for i := range n {
		key, err := m.ReadString()
		if err != nil {
			return nil, cut(err)
		}
		if first && i == 0 && key != "log" {
			return nil, errors.New("its first key is not log")
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(b, key), ':')
		if b, err = appendAny(b, m); err != nil {
			return nil, cut(err)
		}
	}
	return append(b, '}'), nil
}

// cut makes an end inside a record unexpected.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func appendAny(b []byte, m *msgp.Reader) ([]byte, error) {
	kind, err := m.NextType()
	if err != nil {
		return nil, err
	}
	switch kind {
	case msgp.StrType:
		s, err := m.ReadString()
		return AppendString(b, s), err
	case msgp.BoolType:
		v, err := m.ReadBool()
		return strconv.AppendBool(b, v), err
	case msgp.Float64Type:
		f, err := m.ReadFloat64()
		return AppendNumber(b, f), err
	case msgp.IntType, msgp.UintType:
		n, err := m.ReadUint64()
		return strconv.AppendUint(b, n, 10), err
	case msgp.MapType:
		return appendMap(b, m, false)
	}
	return nil, fmt.Errorf("a value of type %s, which no decision log has", kind)
}
