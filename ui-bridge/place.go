package uibridge

import (
	"fmt"
	"math"

	"github.com/godbus/dbus/v5"
)

// Bounds of a place's radius in m.
const (
	minRadius = 25.0
	maxRadius = 100_000.0
)

// Place is a place of the present user: a circle, in degrees north and east and
// m. It is (sddd) on the wire, and nothing but Places ever tells it.
type Place struct {
	Name             string
	Lat, Lon, Radius float64
}

// Check tells what is wrong with a place, without repeating where it is.
func (p *Place) Check() error {
	switch {
	case !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180):
		return fmt.Errorf("%w: the coordinates are not degrees north (-90 to 90) and east (-180 to 180)", ErrInvalidValue)
	case !(p.Radius >= minRadius && p.Radius <= maxRadius):
		return fmt.Errorf("%w: the radius is not one of %v to %v m", ErrInvalidValue, minRadius, maxRadius)
	}
	return nil
}

func (br *Bridge) onSetPlace(name string, lat, lon, radius float64) *dbus.Error {
	return br.named("place", name, func() error {
		p := Place{name, lat, lon, radius}
		if err := p.Check(); err != nil {
			return err
		}
		return br.opt.Handler.SetPlace(p)
	})
}

func (br *Bridge) onForgetPlace(name string) *dbus.Error {
	return br.named("place", name, func() error { return br.opt.Handler.ForgetPlace(name) })
}

func (br *Bridge) onPlaces() (list []Place, e *dbus.Error) {
	e = br.guard(func() (err error) {
		list, err = br.opt.Handler.Places()
		return err
	})
	if list == nil {
		list = []Place{}
	}
	return list, e
}
