package scenes

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever the text, a card is read or refused with diagnostics, and one that
// is read compiles or is refused likewise.
func FuzzParseCard(f *testing.F) {
	f.Add([]byte(read(f, "card.yaml")))
	for _, pattern := range []string{"../testdata/drive/cards/*.yaml", "../testdata/meaning/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	v := bench(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCard("card.yaml", text)
		if err == nil {
			_, err = Compile(v, []*Card{c})
		}
		checkFuzzed(t, err)
	})
}

// Whatever the text, a profile is read or refused with diagnostics.
func FuzzVehicle(f *testing.F) {
	f.Add([]byte(read(f, "bench.yaml")))
	open := openBench(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseVehicle("bench.yaml", text, open)
		if err == nil {
			_, err = Compile(v, nil)
		}
		checkFuzzed(t, err)
	})
}

func checkFuzzed(t *testing.T, err error) {
	var ds Diagnostics
	if err == nil {
		return
	}
	if !errors.As(err, &ds) || len(ds) == 0 {
		t.Fatalf("the error is %T %v, not diagnostics", err, err)
	}
	for _, d := range ds {
		if d.File == "" || d.What == "" || d.Line < 0 || d.Column < 0 {
			t.Errorf("diagnostic %+v says too little", d)
		}
	}
}

// Whatever the text, a time of day, an offset and a duration are read exactly
// or refused: what is read and written back says the same.
func FuzzTimes(f *testing.F) {
	for _, text := range []string{"07:30", "23:59", "24:00", "7:30", "-1.5h", "12h", "-12h", "12.0001h", "1e9s", "0.000001ms", "-", "--1s", "99999999999999999999h", "mon", "sun", "Mon"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m, ok := parseTimeOfDay(text); ok && (m < 0 || m >= 24*60 || fmt.Sprintf("%02d:%02d", m/60, m%60) != text) {
			t.Errorf("%q is %d minutes", text, m)
		}
		if bit := weekday(text); bit != 0 && (bit&everyDay != bit || weekdayNames[bits.TrailingZeros8(bit)] != text) {
			t.Errorf("%q is weekday %b", text, bit)
		}
		d, fault := parseOffset(text)
		size, sizeFault := parseDuration(strings.TrimPrefix(text, "-"))
		switch {
		case fault != "" && d != 0, fault == "" && (sizeFault != "" || d.Abs() != size || size > maxOffset || d > 0 && text[0] == '-'):
			t.Errorf("%q is %v and %q", text, d, fault)
		}
		if d, fault := parseDuration(text); fault == "" {
			back, _ := new(big.Rat).SetString(strings.TrimRight(text, "umsh"))
			unit := durationUnit[strings.TrimLeft(text, "0123456789.")]
			if back.Mul(back, new(big.Rat).SetInt64(int64(unit))).Cmp(new(big.Rat).SetInt64(int64(d))) != 0 || d < 0 || d > maxDuration {
				t.Errorf("%q is %d ns", text, d)
			}
		}
	})
}
