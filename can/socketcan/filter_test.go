//go:build linux

package socketcan

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestKernelFilters(t *testing.T) {
	const sff, eff = 0xC00007FF, 0xDFFFFFFF
	many := func(n int) (f []Filter) {
		for i := range n {
			f = append(f, Filter{ID: uint32(i), Extended: true})
		}
		return f
	}
	for _, test := range []struct {
		name     string
		in       []Filter
		filtered bool
		want     []unix.CanFilter // nil: not compared
		count    int
	}{
		{"nil", nil, false, []unix.CanFilter{{}}, 1},
		{"empty", []Filter{}, true, []unix.CanFilter{}, 0},
		{"both kinds", []Filter{{ID: 0x123, Extended: true}, {ID: 0x123}}, true, []unix.CanFilter{{Id: 0x123, Mask: sff}, {Id: 0x80000123, Mask: eff}}, 2},
		{"double", []Filter{{ID: 5}, {ID: 4}, {ID: 5}}, true, []unix.CanFilter{{Id: 4, Mask: sff}, {Id: 5, Mask: sff}}, 2},
		{"largest", []Filter{{ID: 0x7FF}, {ID: 0x1FFFFFFF, Extended: true}}, true, []unix.CanFilter{{Id: 0x7FF, Mask: sff}, {Id: 0x9FFFFFFF, Mask: eff}}, 2},
		{"as many as go", many(512), true, nil, 512},
		{"double ones count once", append(many(512), many(512)...), true, nil, 512},
		{"one too many", many(513), false, []unix.CanFilter{{}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, filtered, err := kernelFilters(test.in)
			if err != nil {
				t.Fatal(err)
			}
			if filtered != test.filtered || len(got) != test.count || test.want != nil && !slices.Equal(got, test.want) {
				t.Errorf("got %x, filtered %t", got, filtered)
			}
		})
	}
}

func TestKernelFiltersRefuse(t *testing.T) {
	for _, f := range []Filter{{ID: 0x800}, {ID: 0x20000000, Extended: true}, {ID: 0x80000001, Extended: true}} {
		if _, _, err := kernelFilters([]Filter{f}); err == nil {
			t.Errorf("%+v: no error", f)
		}
	}
	_, _, err := kernelFilters([]Filter{{ID: 0x800}})
	if want := "filter for identifier 0x800: the largest is 0x7FF (extended: false)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
