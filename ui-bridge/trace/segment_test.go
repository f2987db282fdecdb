package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func sample(n int) Episode {
	ep := Episode{V: SchemaVersion, Policy: 1, Week: 2610, TOD: 2, Task: 1, M: Metrics{1, 2, 3}}
	for i := range ep.EID {
		ep.EID[i] = byte(n + i)
	}
	for i := range n%MaxEvents + 1 {
		ep.Ev = append(ep.Ev, Event{Screen: uint16(i + 2), Elem: 300, Gesture: 2, DT: 1, Speed: 3, Out: 2})
	}
	return ep
}

// segment returns the bytes of a segment of n episodes, and where each ends.
func segment(t testing.TB, n int) (b []byte, ends []int) {
	t.Helper()
	b = headerOf(unsignedText)
	for i := range n {
		ep := sample(i)
		var err error
		if b, err = appendRecord(b, &ep); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

// padded fills a segment up to its size class.
func padded(b []byte) []byte {
	return append(bytes.Clone(b), make([]byte, (sizeClass-len(b)%sizeClass)%sizeClass)...)
}

// TestReleasedTypesHoldNoText walks the released types: no string, map, float,
// pointer, interface or time.
func TestReleasedTypesHoldNoText(t *testing.T) {
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		switch typ.Kind() {
		case reflect.Uint8, reflect.Uint16:
		case reflect.Slice, reflect.Array:
			walk(typ.Elem(), path+"[]")
		case reflect.Struct:
			if typ == reflect.TypeFor[time.Time]() {
				t.Errorf("%s is a time", path)
			}
			for i := range typ.NumField() {
				walk(typ.Field(i).Type, path+"."+typ.Field(i).Name)
			}
		default:
			t.Errorf("%s is a %s", path, typ.Kind())
		}
	}
	walk(reflect.TypeFor[Episode](), "Episode")
	walk(reflect.TypeFor[PanelEpisode](), "PanelEpisode")
}

func TestSegmentRoundTrip(t *testing.T) {
	b, _ := segment(t, 10)
	eps, err := Read(bytes.NewReader(padded(b)))
	if err != nil || len(eps) != 10 {
		t.Fatalf("%d episodes, %v", len(eps), err)
	}
	for i, ep := range eps {
		if !reflect.DeepEqual(ep, sample(i)) {
			t.Errorf("episode %d is %+v", i, ep)
		}
	}
	if !strings.Contains(string(b[:headerBytes]), "not for release") {
		t.Error("the header does not say what the segment is")
	}
}

func TestLargestEpisodeFits(t *testing.T) {
	ep := Episode{V: 255, Policy: 65535, Cohort: 65535, Week: 65535, TOD: 255, Task: 65535, Variant: 65535, Auto: 255}
	for range MaxEvents {
		ep.Ev = append(ep.Ev, Event{65535, 65535, 255, 255, 255, 255})
	}
	b, err := appendRecord(nil, &ep)
	if err != nil || len(b) > 210 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// TestStrangeCodesAreRefused holds that readers take no episode with a code that
// this package never writes, though its sum fits.
func TestStrangeCodesAreRefused(t *testing.T) {
	for want, change := range map[string]func(ep *Episode){
		"part of the day 5":      func(ep *Episode) { ep.TOD = 5 },
		"driver assistance 4":    func(ep *Episode) { ep.Auto = 4 },
		"place 0/300":            func(ep *Episode) { ep.Ev[0].Screen = 0 },
		"place 3/0":              func(ep *Episode) { ep.Ev[1].Elem = 0 },
		"gesture 0":              func(ep *Episode) { ep.Ev[0].Gesture = 0 },
		"gesture 19":             func(ep *Episode) { ep.Ev[0].Gesture = 19 },
		"outcome 7":              func(ep *Episode) { ep.Ev[0].Out = 7 },
		"gap 7":                  func(ep *Episode) { ep.Ev[0].DT = 7 },
		"speed 7":                func(ep *Episode) { ep.Ev[0].Speed = 7 },
		"touches of code 13":     func(ep *Episode) { ep.M[MetricTouches] = 13 },
		"ending of code 6":       func(ep *Episode) { ep.M[MetricEnding] = 6 },
		"an episode of schema 1": func(ep *Episode) { ep.V = 1 },
	} {
		ep := sample(3)
		change(&ep)
		b, err := appendRecord(headerOf(signedText), &ep)
		if err != nil {
			t.Fatal(err)
		}
		if eps, err := Read(bytes.NewReader(padded(b))); len(eps) != 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d episodes, %v; want %q", len(eps), err, want)
		}
	}
}

// TestOtherBytesAreRefused holds that an episode has one form: nothing hides in
// values that take more bytes than they need.
func TestOtherBytesAreRefused(t *testing.T) {
	ep := sample(3)
	good, err := ep.MarshalMsg(nil)
	if err != nil || good[0] != 0xdc || good[3] != SchemaVersion {
		t.Fatalf("% x, %v", good, err)
	}
	for want, payload := range map[string][]byte{
		"other bytes than it takes":  slices.Concat(good[:3], []byte{0xcc}, good[3:]),
		"followed by 1 bytes more":   append(slices.Clone(good), 0),
		"an array of 2 values":       {0x92, 1, 2},
		"an array of 75 values":      append([]byte{0xdc, 0, 75}, good[3:]...),
		"300 where a byte is due":    slices.Concat(good[:3], []byte{0xcd, 1, 44}, good[4:]),
		"too few bytes left to read": good[:40],
	} {
		if eps, err := Read(bytes.NewReader(framed(signedText, payload))); len(eps) != 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d episodes, %v; want %q", len(eps), err, want)
		}
	}
}

// framed is a segment with a payload that need be no episode.
func framed(text string, payload []byte) []byte {
	record := binary.AppendUvarint(nil, uint64(len(payload)))
	record = binary.LittleEndian.AppendUint32(record, checksum(record, payload))
	return padded(slices.Concat(headerOf(text), record, payload))
}

// TestRecordFraming holds the lengths of records: as short as they can be, and in
// bounds.
func TestRecordFraming(t *testing.T) {
	one := sample(0)
	small, err := appendRecord(nil, &one)
	if err != nil || small[0] != byte(len(small)-1-sumBytes) {
		t.Fatalf("% x, %v", small, err)
	}
	payload := small[1+sumBytes:]
	longer := []byte{0x80 | small[0], 0}
	longer = binary.LittleEndian.AppendUint32(longer, checksum(longer, payload))
	for want, record := range map[string][]byte{
		fmt.Sprintf("impossible length (%#x)", longer[:2]): append(longer, payload...),
		"impossible length (0x8000)":                       {0x80, 0},
		"impossible length (0x8104)":                       {0x81, 4}, // 513
		"impossible length (0xffff)":                       {0xff, 0xff, 0xff},
		"torn end (0 of 512 bytes":                         {0x80, 4, 0, 0, 0, 0},
		"torn end (1 of 2 bytes":                           {0x80},
	} {
		_, err := Read(bytes.NewReader(append(headerOf(signedText), record...)))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("% x: %v, want %q", record, err, want)
		}
	}
}

func TestTornAtEveryByte(t *testing.T) {
	b, ends := segment(t, 4)
	b = padded(b)
	for cut := range len(b) {
		eps, err := Read(bytes.NewReader(b[:cut]))
		if cut < headerBytes {
			if !errors.Is(err, ErrNotSegment) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			continue
		}
		whole, start := 0, headerBytes
		for _, end := range ends {
			if end <= cut {
				whole, start = whole+1, end
			}
		}
		var damage *DamageError
		if len(eps) != whole || !errors.As(err, &damage) || damage.Offset != int64(start) || damage.Records != whole {
			t.Fatalf("cut at %d: %d episodes, %v; want %d and damage at %d", cut, len(eps), err, whole, start)
		}
	}
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	b, _ := segment(t, 3)
	b = padded(b)
	for i := range b {
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << bit
			if _, err := Read(bytes.NewReader(bad)); err == nil {
				t.Fatalf("bit %d of byte %d is wrong and nobody saw it", bit, i)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	b, _ := segment(f, 3)
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add([]byte{})
	f.Add(padded(b))
	f.Fuzz(func(t *testing.T, b []byte) {
		eps, err := Read(bytes.NewReader(b))
		var damage *DamageError
		if err != nil && !errors.Is(err, ErrNotSegment) && !errors.Is(err, ErrPanel) && !errors.As(err, &damage) {
			t.Fatalf("error %v", err)
		}
		again := headerOf(unsignedText)
		for i := range eps {
			if len(eps[i].Ev) > MaxEvents {
				t.Fatalf("%d events", len(eps[i].Ev))
			}
			var err error
			if again, err = appendRecord(again, &eps[i]); err != nil {
				t.Fatal(err)
			}
		}
		back, err := Read(bytes.NewReader(padded(again)))
		if err != nil || !reflect.DeepEqual(back, eps) {
			t.Fatalf("written and read again: %v, %v; want %v", back, err, eps)
		}
	})
}

// FuzzEpisode decodes episodes that no checksum guards.
func FuzzEpisode(f *testing.F) {
	ep := sample(3)
	b, err := ep.MarshalMsg(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var ep Episode
		if _, err := ep.UnmarshalMsg(b); err == nil && len(ep.Ev) > MaxEvents {
			t.Fatalf("%d events", len(ep.Ev))
		}
	})
}

func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		kmh  float64
		want uint8
	}{{0, SpeedParked}, {0.5, SpeedParked}, {-0.5, SpeedParked}, {0.51, SpeedUnder8}, {-7.9, SpeedUnder8}, {8, SpeedUnder30}, {30, SpeedUnder60},
		{59.9, SpeedUnder60}, {60, SpeedUnder100}, {99.9, SpeedUnder100}, {100, SpeedFrom100}, {math.NaN(), SpeedUnknown}, {math.Inf(1), SpeedUnknown}} {
		if got := bucketSpeed(Context{SpeedKmh: c.kmh, SpeedKnown: true}); got != c.want {
			t.Errorf("%v km/h is in bucket %d, want %d", c.kmh, got, c.want)
		}
	}
	if got := bucketSpeed(Context{SpeedKmh: 50}); got != SpeedUnknown {
		t.Errorf("an unknown speed is in bucket %d", got)
	}
	for _, c := range []struct {
		ms   int64
		want uint8
	}{{0, DTUnder0s5}, {499, DTUnder0s5}, {500, DTUnder1s}, {1000, DTUnder2s}, {2000, DTUnder5s}, {5000, DTUnder15s}, {14999, DTUnder15s}, {15000, DTFrom15s}} {
		if got := bucketDT(time.Duration(c.ms) * time.Millisecond); got != c.want {
			t.Errorf("%d ms is in bucket %d, want %d", c.ms, got, c.want)
		}
	}
}

func TestShow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	air(t, r, 0)
	record(t, r, at(50, 120), Interaction{"home", "navigation_tile", "tap", "ok"}, Interaction{"navigation", "zoom", "swipe", "ok"}, Interaction{"sos", "x", "y", "blocked"})
	if err := r.Tick(at(100, 0)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n, err := Show(&out, dir, ShowOptions{Hex: true, Study: study(t)})
	if n != 2 || err != nil {
		t.Fatalf("%d episodes, %v", n, err)
	}
	for _, want := range []string{"unsigned desk study, not for release", "week 2026-W10, afternoon", "1. home/climate_tile tap -> ok, gap first, speed parked",
		"2. navigation/zoom swipe -> ok, gap <0.5s, speed >=100", "touches 4, touches while moving 0", "ending reached", "none: the attempt was cut to a known pair", "bytes (", "2 episodes in 2 segments"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, &out)
		}
	}
	out.Reset()
	if _, err := Show(&out, dir, ShowOptions{}); err != nil || !strings.Contains(out.String(), "1. 2/2 tap -> ok") {
		t.Errorf("without the study: %v\n%s", err, &out)
	}
}

func TestShowTellsWhatIsWrong(t *testing.T) {
	var out bytes.Buffer
	if _, err := Show(&out, filepath.Join(t.TempDir(), "none"), ShowOptions{}); err == nil || !strings.Contains(err.Error(), "no such directory") {
		t.Errorf("missing directory: %v", err)
	}
	dir := t.TempDir()
	b, ends := segment(t, 3)
	err := errors.Join(os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("hello"), 0o600),
		os.WriteFile(filepath.Join(dir, strings.Repeat("0a", 16)+segmentSuffix), b[:ends[1]+3], 0o600))
	if err != nil {
		t.Fatal(err)
	}
	n, err := Show(&out, dir, ShowOptions{})
	if n != 2 || err == nil || !strings.Contains(err.Error(), "notes.txt: not a trace segment") ||
		!strings.Contains(err.Error(), "torn end (3 of 5 bytes of a record's head)") {
		t.Errorf("%d episodes, error %v", n, err)
	}
}

// FuzzConsents reads files of consents that may be anything.
func FuzzConsents(f *testing.F) {
	f.Add(consentsText([]Decision{{Study: "demo", Version: 1, SHA256: "ab", User: 7, Given: true, At: noon, Until: noon}, {Study: "demo", Version: 1, SHA256: "ab", User: 7}}))
	f.Add([]byte(consentHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, ok := parseConsents(b); ok && !bytes.Equal(consentsText(list), b) {
			t.Fatalf("read %+v, which is not what is there", list)
		}
	})
}

// FuzzEntry reads names in a spool that may be anything.
func FuzzEntry(f *testing.F) {
	f.Add("7-0000000000000001-1767261600.seg")
	f.Fuzz(func(t *testing.T, name string) {
		if e, ok := parseEntry(name); ok && e.name() != name {
			t.Fatalf("%q is read as %+v", name, e)
		}
	})
}
