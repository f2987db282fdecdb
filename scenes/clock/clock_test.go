package clock

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"
	_ "time/tzdata"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Published times of sunrise and sunset, to the minute.
func TestSunPublished(t *testing.T) {
	for _, c := range []struct {
		place     Place
		wall      string
		rise, set string
	}{
		{Place{51.5074, -0.1278}, "2024-06-20T02:00:00Z", "2024-06-20T03:43:00Z", "2024-06-20T20:21:00Z"},   // London
		{Place{40.7128, -74.0060}, "2024-12-21T10:00:00Z", "2024-12-21T12:16:00Z", "2024-12-21T21:31:00Z"},  // New York
		{Place{-33.8688, 151.2093}, "2023-12-31T18:00:00Z", "2023-12-31T18:48:00Z", "2024-01-01T09:09:00Z"}, // Sydney
		{Place{64.1466, -21.9426}, "2024-06-21T01:00:00Z", "2024-06-21T02:55:00Z", "2024-06-22T00:03:00Z"},  // Reykjavik
		{Place{-0.1807, -78.4678}, "2024-03-20T06:00:00Z", "2024-03-20T11:18:00Z", "2024-03-20T23:25:00Z"},  // Quito
	} {
		f := Facts(at(t, c.wall), &c.place)
		for _, x := range []struct {
			got  int64
			want string
		}{{f.Rise[1], c.rise}, {f.Set[1], c.set}} {
			if d := time.Unix(0, x.got).Sub(at(t, x.want)); d.Abs() > 100*time.Second {
				t.Errorf("%v: %v, published %s: %v apart", c.place, time.Unix(0, x.got).UTC(), x.want, d)
			}
			if x.got%int64(time.Second) != 0 {
				t.Errorf("%v: %d ns is no whole second", c.place, x.got)
			}
		}
	}
}

// altitude is the sun's, in degrees, by the low-precision formulas of the
// Astronomical Almanac and sidereal time: another way than the package's.
func altitude(ns int64, p Place) float64 {
	d := float64(ns)/86400e9 + 2440587.5 - 2451545
	g := rad(357.529 + 0.98560028*d)
	l := rad(280.459 + 0.98564736*d + 1.915*math.Sin(g) + 0.020*math.Sin(2*g))
	e := rad(23.439 - 0.00000036*d)
	ra, dec := math.Atan2(math.Cos(e)*math.Sin(l), math.Cos(l)), math.Asin(math.Sin(e)*math.Sin(l))
	hour := rad(280.46061837+360.98564736629*d+p.Lon) - ra
	return deg(math.Asin(math.Sin(rad(p.Lat))*math.Sin(dec) + math.Cos(rad(p.Lat))*math.Cos(dec)*math.Cos(hour)))
}

// At every sunrise and sunset the sun's upper limb is at the horizon, it rises
// and sets, and the latest and the next one enclose the wall time.
func TestSunAltitude(t *testing.T) {
	start := at(t, "2026-01-01T00:00:00Z").UnixNano()
	seen := 0
	for lat := -65.0; lat <= 65; lat += 13 {
		for lon := -180.0; lon <= 180; lon += 36 {
			p := Place{lat, lon}
			for d := int64(0); d < 365; d += 5 {
				wall := start + d*day + int64(lon/36)*3*int64(time.Hour)
				rise, set := suns(wall, p)
				for i, pair := range [][2]int64{rise, set} {
					if !(pair[0] <= wall && wall < pair[1]) || pair[1]-pair[0] < 23*int64(time.Hour) {
						t.Fatalf("%v at %d: %v does not enclose it", p, wall, pair)
					}
					for _, x := range pair {
						seen++
						if a := altitude(x, p); math.Abs(a-(90-zenith)) > 0.03 {
							t.Errorf("%v: %v: the sun is at %.3f°", p, time.Unix(0, x).UTC(), a)
						}
						if up := altitude(x+60e9, p) > altitude(x, p); up != (i == 0) {
							t.Errorf("%v: %v: rising is %v", p, time.Unix(0, x).UTC(), up)
						}
					}
				}
			}
		}
	}
	if seen < 10_000 {
		t.Errorf("%d times looked at", seen)
	}
}

// Beyond the polar circle there is none for months.
func TestPolar(t *testing.T) {
	tromso := Place{69.6492, 18.9553}
	for _, wall := range []string{"2024-06-21T12:00:00Z", "2024-12-21T12:00:00Z"} {
		if f := Facts(at(t, wall), &tromso); f.Rise != [2]int64{} || f.Set != [2]int64{} {
			t.Errorf("%s: %v %v", wall, f.Rise, f.Set)
		}
	}
	for _, lat := range []float64{90, -90} {
		if f := Facts(at(t, "2024-03-01T12:00:00Z"), &Place{Lat: lat}); f.Rise != [2]int64{} {
			t.Errorf("pole %v: %v", lat, f.Rise)
		}
	}
}

func TestFactsOfAZone(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	f := Facts(time.Date(2026, 3, 29, 1, 59, 50, 0, berlin), nil)
	want := engine.Clocking{Trusted: true, Wall: at(t, "2026-03-29T01:59:50+01:00").UnixNano(), Offset: 3600,
		Next: at(t, "2026-03-29T03:00:00+02:00").UnixNano(), NextOffset: 7200}
	if f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if f := Facts(at(t, "2026-03-29T01:59:50+05:30"), nil); f.Offset != 19800 || f.Next != 0 {
		t.Errorf("a fixed offset: %+v", f)
	}
}

func TestParsePlace(t *testing.T) {
	if p, err := ParsePlace("52.52,-13.405"); err != nil || p != (Place{52.52, -13.405}) {
		t.Errorf("%v, %v", p, err)
	}
	for _, bad := range []string{"", "52", "91,0", "0,181", "NaN,0", "0,Inf", "52.52;13", "a,b", "1,2,3"} {
		if p, err := ParsePlace(bad); err == nil {
			t.Errorf("%q is %v", bad, p)
		}
	}
}

// The keeper tells what is new, and nothing else.
func TestKeeper(t *testing.T) {
	berlin, k := zone(t, "Europe/Berlin"), Keeper{Place: &Place{52.52, 13.405}}
	start := time.Date(2026, 6, 21, 12, 0, 0, 0, berlin)
	tell := func(why string, after time.Duration, wall time.Time, trusted, want bool) {
		t.Helper()
		if got := k.Tell(int64(after), wall, trusted); (got != nil) != want || got != nil && got.Trusted != trusted {
			t.Errorf("%s: told %v, want %v", why, got, want)
		}
	}
	tell("never trusted", 0, start, false, false)
	tell("trusted", time.Second, start, true, true)
	tell("nothing new", time.Minute, start.Add(59*time.Second), true, false)
	tell("drift of 99 ms", time.Minute, start.Add(59*time.Second+99*time.Millisecond), true, false)
	tell("put right by 100 ms", time.Minute, start.Add(59*time.Second+100*time.Millisecond), true, true)
	tell("another zone", 2*time.Minute, start.Add(119*time.Second+100*time.Millisecond).In(time.UTC), true, true)
	back := start.Add(179*time.Second + 100*time.Millisecond)
	tell("back in the zone", 3*time.Minute, back, true, true)
	k.Place = &Place{52.52, 13.5}
	tell("a little to the east", 3*time.Minute, back, true, false)
	k.Place = &Place{52.52, 15}
	tell("farther to the east", 3*time.Minute, back, true, true)
	due, ok := k.Due()
	sunset := time.Duration(due) - 3*time.Minute
	if at := back.Add(sunset); !ok || at.Hour() != 21 {
		t.Errorf("due at %v, want sunset (%v)", at, ok)
	}
	tell("just before sunset", time.Duration(due)-1, back.Add(sunset-1), true, false)
	tell("sunset", time.Duration(due), back.Add(sunset), true, true)
	tell("lost", time.Duration(due)+1, back, false, true)
	tell("still lost", time.Duration(due)+2, back, false, false)
	if _, ok := k.Due(); ok {
		t.Error("due though nothing is known")
	}
}

// ticks is a stream of ticks at these seconds.
type ticks []int64

func (s *ticks) Next(e *drive.Entry) error {
	if len(*s) == 0 {
		return io.EOF
	}
	*e = drive.Entry{Event: engine.Event{T: (*s)[0] * 1e9, Kind: engine.EvTick}}
	*s = (*s)[1:]
	return nil
}

// The clock's events come before the entries of their time: at the first one,
// at the change of the offset, and a day after; none after the last entry.
func TestStream(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	inner := ticks{100, 109, 110, 50, 111, 100_000, 180_000}
	s := NewStream(&inner, func(first int64) (time.Time, error) {
		return time.Date(2026, 3, 29, 1, 59, 50, 0, berlin), nil
	}, nil)
	var got []int64
	var walls []string
	var e drive.Entry
	for {
		err := s.Next(&e)
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kind := int64(1)
		if e.Event.Kind == engine.EvClock {
			kind = -1
			c := e.Event.Clock
			walls = append(walls, time.Unix(0, c.Wall).In(time.FixedZone("", int(c.Offset))).Format(time.RFC3339))
		}
		got = append(got, kind*e.Event.T/1e9)
	}
	want := []int64{-100, 100, 109, -110, 110, 50, 111, -86_510, 100_000, -172_910, 180_000}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	for i, w := range []string{"2026-03-29T01:59:50+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T03:00:00+02:00", "2026-03-31T03:00:00+02:00"} {
		if walls[i] != w {
			t.Errorf("event %d at %s, want %s", i, walls[i], w)
		}
	}
}

// What is wrong with the recording's beginning is said, and an empty recording
// has no clock.
func TestStreamErrors(t *testing.T) {
	var e drive.Entry
	if err := NewStream(&ticks{}, nil, nil).Next(&e); err != io.EOF {
		t.Errorf("an empty recording: %v", err)
	}
	bad := errors.New("no Unix time")
	s := NewStream(&ticks{1}, func(int64) (time.Time, error) { return time.Time{}, bad }, nil)
	if err := s.Next(&e); err != bad {
		t.Errorf("got %v", err)
	}
}
