package lines

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNext(t *testing.T) {
	longest := strings.Repeat("x", MaxLength)
	tests := []struct {
		name, text string
		want       []string
		err        error
	}{
		{"nothing", "", nil, io.EOF},
		{"one", "a\n", []string{"a"}, io.EOF},
		{"blank lines and CRLF", "\r\na\r\n\nb\n", []string{"", "a", "", "b"}, io.EOF},
		{"carriage return within", "a\rb\n", []string{"a\rb"}, io.EOF},
		{"cut", "a\nb", []string{"a"}, ErrCut},
		{"cut behind a carriage return", "a\nb\r", []string{"a"}, ErrCut},
		{"longest", longest + "\n" + longest + "\r\n", []string{longest, longest}, io.EOF},
		{"too long", "a\n" + longest + "x\n", []string{"a"}, ErrTooLong},
		{"too long without end", longest + longest, nil, ErrTooLong},
	}
	for _, tt := range tests {
		for kind, src := range map[string]io.Reader{
			"whole": strings.NewReader(tt.text), "bytes": iotest.OneByteReader(strings.NewReader(tt.text)),
		} {
			r := NewReader(src)
			var got []string
			var err error
			for {
				var line []byte
				if line, err = r.Next(); err != nil {
					break
				}
				got = append(got, string(line))
				if r.Number() != len(got) {
					t.Errorf("%s, %s: line number %d of line %d", tt.name, kind, r.Number(), len(got))
				}
			}
			if !reflect.DeepEqual(got, tt.want) || !errors.Is(err, tt.err) {
				t.Errorf("%s, %s: %d lines, %v; want %d, %v", tt.name, kind, len(got), err, len(tt.want), tt.err)
			}
			if err == io.EOF && r.Offset() != int64(len(tt.text)) {
				t.Errorf("%s, %s: offset %d of %d", tt.name, kind, r.Offset(), len(tt.text))
			}
		}
	}
}

// stuck is a source that never gives anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestSourceThatGivesNothing(t *testing.T) {
	if _, err := NewReader(stuck{}).Next(); err != io.ErrNoProgress {
		t.Errorf("%v, want %v", err, io.ErrNoProgress)
	}
}
