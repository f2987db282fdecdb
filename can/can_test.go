package can

import "testing"

func TestFormatErrorText(t *testing.T) {
	tests := []struct {
		err  FormatError
		want string
	}{
		{FormatError{"a.log", 3, 7, "bad"}, "a.log:3:7: bad"},
		{FormatError{"a.log", 3, 0, "bad"}, "a.log:3: bad"},
		{FormatError{"a.blf", 0, 0, "bad"}, "a.blf: bad"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestValidLength(t *testing.T) {
	classic, fd := 0, 0
	for n := -1; n <= 65; n++ {
		if ValidLength(n, false) {
			classic++
		}
		if ValidLength(n, true) {
			fd++
		}
	}
	if classic != 9 || fd != 16 || ValidLength(9, true) || ValidLength(12, false) || ValidLength(-1, true) || !ValidLength(64, true) {
		t.Errorf("%d classic and %d FD lengths, want 9 and 16", classic, fd)
	}
}

func TestIDs(t *testing.T) {
	var x IDs
	if n := x.Find(1, true); n != -1 {
		t.Errorf("an empty one finds %d", n)
	}
	x.Put(0x7FF, false, 0)
	x.Put(0x7FF, true, 1)
	x.Put(0x1FFFFFFF, true, 2)
	for _, c := range []struct {
		id       uint32
		extended bool
		want     int
	}{
		{0x7FF, false, 0}, {0x7FF, true, 1}, {0x1FFFFFFF, true, 2}, {0x1FFFFFFF, false, -1}, {0x800, false, -1}, {0, false, -1}, {0, true, -1},
	} {
		if got := x.Find(c.id, c.extended); got != c.want {
			t.Errorf("%X %v: %d, want %d", c.id, c.extended, got, c.want)
		}
	}
}
