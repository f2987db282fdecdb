package clock

import (
	"math"
	"time"
)

// zenith is where the sun's centre stands at sunrise and sunset, in degrees:
// its upper limb at the horizon through the air's refraction.
const zenith = 90.833

// suns gives the latest sunrise and sunset at or before a wall time (ns) and
// the next ones after it, in ns, whole seconds; 0 where there is none within
// two days.
func suns(wall int64, p Place) (rise, set [2]int64) {
	today := wall / day
	for d := today - 2; d <= today+2; d++ {
		for i, found := range [...]*[2]int64{&rise, &set} {
			at, ok := sunAt(d, p, i == 1)
			switch {
			case !ok || at <= 0:
			case at <= wall:
				found[0] = max(found[0], at)
			case found[1] == 0:
				found[1] = at
			}
		}
	}
	return rise, set
}

// sunAt is the sunrise or sunset of the solar day whose noon is nearest to noon
// UTC of day d (since 1970), shifted by the longitude. It follows the NOAA Solar
// Calculator's equations (after Meeus, Astronomical Algorithms), taken at the
// event itself.
func sunAt(d int64, p Place, set bool) (at int64, ok bool) {
	start := float64(d) * 1440 // minutes
	minutes := start + 720 - 4*p.Lon
	for range 4 {
		declination, equation := sun(minutes)
		x := math.Cos(rad(zenith))/(math.Cos(rad(p.Lat))*math.Cos(declination)) - math.Tan(rad(p.Lat))*math.Tan(declination)
		if !(x >= -1 && x <= 1) {
			return 0, false // it stays above or below the horizon
		}
		angle := deg(math.Acos(x))
		if !set {
			angle = -angle
		}
		minutes = start + 720 - 4*p.Lon - equation + 4*angle
	}
	return int64(math.Round(minutes*60)) * int64(time.Second), true
}

// sun gives the declination (radians) and the equation of time (minutes) at a
// time in minutes since 1970 UTC.
func sun(minutes float64) (declination, equation float64) {
	t := (minutes/1440 + 2440587.5 - 2451545) / 36525 // Julian centuries since 2000
	l0 := rad(math.Mod(280.46646+t*(36000.76983+t*0.0003032), 360))
	m := rad(357.52911 + t*(35999.05029-0.0001537*t))
	e := 0.016708634 - t*(0.000042037+0.0000001267*t)
	centre := math.Sin(m)*(1.914602-t*(0.004817+0.000014*t)) + math.Sin(2*m)*(0.019993-0.000101*t) + math.Sin(3*m)*0.000289
	node := rad(125.04 - 1934.136*t)
	longitude := l0 + rad(centre-0.00569-0.00478*math.Sin(node))
	obliquity := rad(23 + (26+(21.448-t*(46.815+t*(0.00059-t*0.001813)))/60)/60 + 0.00256*math.Cos(node))
	declination = math.Asin(math.Sin(obliquity) * math.Sin(longitude))
	y := math.Pow(math.Tan(obliquity/2), 2)
	equation = 4 * deg(y*math.Sin(2*l0)-2*e*math.Sin(m)+4*e*y*math.Sin(m)*math.Cos(2*l0)-0.5*y*y*math.Sin(4*l0)-1.25*e*e*math.Sin(2*m))
	return declination, equation
}

func rad(degrees float64) float64 { return degrees * math.Pi / 180 }
func deg(radians float64) float64 { return radians * 180 / math.Pi }
