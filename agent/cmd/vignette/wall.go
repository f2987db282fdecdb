package main

import (
	"errors"
	"flag"
	"fmt"
	"time"
	_ "time/tzdata" // a desk may have no zones of its own

	"vignette/scenes/clock"
	"vignette/scenes/drive"
)

// clockOptions say what the wall clock showed while a recording was made.
type clockOptions struct{ wall, zone, place string }

func (o *clockOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.wall, "wall", "", "the wall clock at the first frame: an RFC 3339 `TIME`, or log if the recording's times are Unix time; without it the wall clock is unknown")
	fs.StringVar(&o.zone, "zone", "", "`ZONE` of the wall clock, such as Europe/Berlin; without it the offset of --wall")
	fs.StringVar(&o.place, "place", "", "`LAT,LON` in degrees north and east, for sunrise and sunset")
}

// The years that a wall clock may show, see engine.Clocking.
const firstYear, lastYear = 1971, 2110

// over puts the wall clock's events into a recording.
func (o *clockOptions) over(recording drive.Stream) (drive.Stream, error) {
	if o.wall == "" {
		if o.zone != "" || o.place != "" {
			return nil, errors.New("--zone and --place say nothing without --wall; give the wall time of the first frame")
		}
		return recording, nil
	}
	zone := time.UTC
	var err error
	if o.zone != "" {
		if zone, err = time.LoadLocation(o.zone); err != nil || o.zone == "Local" {
			return nil, fmt.Errorf("--zone %q is no zone of the IANA database; write it like Europe/Berlin", o.zone)
		}
	}
	var place *clock.Place
	if o.place != "" {
		p, err := clock.ParsePlace(o.place)
		if err != nil {
			return nil, err
		}
		place = &p
	}
	wall, err := o.start(zone)
	if err != nil {
		return nil, err
	}
	return clock.NewStream(recording, wall, place), nil
}

// start gives the wall time at the first frame from that frame's time.
func (o *clockOptions) start(zone *time.Location) (func(first int64) (time.Time, error), error) {
	if o.wall == "log" {
		return func(first int64) (time.Time, error) {
			at := time.Unix(0, first).In(zone)
			if at.Year() < firstYear || at.Year() > lastYear {
				return at, errors.New("--wall log: the recording's times are not Unix time; give the wall time of its first frame")
			}
			return at, nil
		}, nil
	}
	at, err := time.Parse(time.RFC3339, o.wall)
	if err != nil || at.Year() < firstYear || at.Year() > lastYear {
		return nil, fmt.Errorf("--wall %q is not log or an RFC 3339 time from %d to %d, such as 2026-06-21T04:00:00+02:00", o.wall, firstYear, lastYear)
	}
	if o.zone != "" {
		at = at.In(zone)
	}
	return func(int64) (time.Time, error) { return at, nil }, nil
}
