package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/scenes/yaml"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/services"
)

// Bounds of the places that are kept.
const (
	maxPlaces      = 32 // of a user
	maxPlaceFiles  = 64 // users
	maxPlacesBytes = 16 << 10
	placesName     = "places." // and the user's number
)

// places are where the present user's places are. A file a user keeps them,
// which only the agent's user may read. It belongs to the loop's goroutine.
type places struct {
	dir   string   // empty: nothing is kept
	names []string // of the profile, in its order; nil: places come from elsewhere
	user  uint64
	list  []uibridge.Place // by name
	newer bool             // the user's file is of a newer version, and is left as it is
	fix   *services.Fix    // nil: unknown
	was   map[string]bool  // by name, whether the car is in it; absent: unknown
}

// use takes the names that a profile's events list, and the present user.
func (p *places) use(events []scenes.Event, user uint64) error {
	p.names = nil
	for i := range events {
		if e := &events[i]; e.Source.GeoClue {
			for _, n := range e.Names {
				p.names = append(p.names, n.Text)
			}
		}
	}
	if p.names == nil {
		p.fix = nil
	}
	return p.load(user)
}

// load reads a user's places; none of them is known to be left or entered.
func (p *places) load(user uint64) error {
	p.user, p.list, p.newer, p.was = user, nil, false, map[string]bool{}
	if p.dir == "" || p.names == nil {
		return nil
	}
	list, err := readPlaces(p.file(user))
	p.list, p.newer = list, errors.Is(err, errNewer)
	return err
}

func (p *places) file(user uint64) string {
	return filepath.Join(p.dir, fmt.Sprint(placesName, user))
}

// readPlaces reads a file of places; none if it is not there. Its errors do not
// repeat what is in it.
func readPlaces(file string) (list []uibridge.Place, err error) {
	f, err := scenes.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPlacesBytes))
	if err != nil {
		return nil, err
	}
	if newerYAML(text) {
		return nil, fmt.Errorf("%s: %w", file, errNewer)
	}
	damaged := fmt.Errorf("%s is damaged: the places in it are not known; set them again", file)
	root, faults := yaml.Parse(string(text), yaml.Limits{Depth: 2, Nodes: 16 * maxPlaces})
	if root == nil || root.Kind != yaml.SequenceNode || len(root.Content) > maxPlaces {
		return nil, damaged
	}
	r := fieldsReader{faults}
	for _, n := range root.Content {
		var one uibridge.Place
		r.mapping(n, []field{{"name", &one.Name}, {"lat", &one.Lat}, {"lon", &one.Lon}, {"radius", &one.Radius}})
		list = append(list, one)
	}
	if r.faults != nil {
		return nil, damaged
	}
	for i := range list {
		if list[i].Check() != nil {
			return nil, damaged
		}
	}
	return list, nil
}

// write keeps the places: the file is the new one or the one before, whatever
// happens meanwhile.
func (p *places) write(list []uibridge.Place) error {
	text := "[\n"
	for _, one := range list {
		text += fmt.Sprintf("  {name: %q, lat: %v, lon: %v, radius: %v},\n", one.Name, one.Lat, one.Lon, one.Radius)
	}
	return replaceFile(p.file(p.user), text+"]\n")
}

// check tells why a place of that name cannot be set.
func (p *places) check(name string) error {
	switch {
	case p.names == nil:
		return fmt.Errorf("%w: the profile's places do not come from where the car is (`geoclue: true`)", uibridge.ErrUnknownEvent)
	case !slices.Contains(p.names, name):
		return fmt.Errorf("%w: the profile has no place %q; it has %s", uibridge.ErrUnknownEvent, name, strings.Join(p.names, ", "))
	case p.dir == "":
		return errors.New("this agent keeps no places: its configuration names no directory for `state`")
	case p.newer:
		return fmt.Errorf("%w: the places of this user", errNewer)
	}
	return nil
}

// index finds a place.
func (p *places) index(name string) (int, bool) {
	return slices.BinarySearchFunc(p.list, name, func(one uibridge.Place, name string) int { return strings.Compare(one.Name, name) })
}

// set keeps where a place is. Whether the car is in it is then unknown.
func (p *places) set(one uibridge.Place) error {
	if err := p.check(one.Name); err != nil {
		return err
	}
	i, known := p.index(one.Name)
	if !known && len(p.list) >= maxPlaces {
		return fmt.Errorf("%w: a user has at most %d places", uibridge.ErrLimit, maxPlaces)
	}
	if files, err := filepath.Glob(filepath.Join(p.dir, placesName+"*")); err == nil && len(p.list) == 0 && len(files) >= maxPlaceFiles {
		return fmt.Errorf("%w: the places of %d users are kept already", uibridge.ErrLimit, maxPlaceFiles)
	}
	list := slices.Clone(p.list)
	if known {
		list[i] = one
	} else {
		list = slices.Insert(list, i, one)
	}
	return p.keep(list, one.Name)
}

// forget forgets where a place is.
func (p *places) forget(name string) error {
	if err := p.check(name); err != nil {
		return err
	}
	i, known := p.index(name)
	if !known {
		return nil
	}
	return p.keep(slices.Delete(slices.Clone(p.list), i, i+1), name)
}

func (p *places) keep(list []uibridge.Place, changed string) error {
	if err := p.write(list); err != nil {
		return err
	}
	p.list = list
	delete(p.was, changed)
	return nil
}

// locate takes where the car is now, and tells what is new; nil: it is unknown
// from now on.
func (p *places) locate(fix *services.Fix, tell func(text string, now bool) error) error {
	if p.fix = fix; fix == nil {
		clear(p.was)
		return nil
	}
	return p.look(tell)
}

// look tells what is new: places left before places entered, each in the order of
// their names. What was unknown is found to be so.
func (p *places) look(tell func(text string, now bool) error) error {
	if p.fix == nil {
		return nil
	}
	for _, entered := range []bool{false, true} {
		for i := range p.list {
			one := &p.list[i]
			in, certain := p.fix.Within(one.Lat, one.Lon, one.Radius)
			was, known := p.was[one.Name]
			if !certain || in != entered || known && was == in || !slices.Contains(p.names, one.Name) {
				continue
			}
			p.was[one.Name] = in
			text := "place leave " + one.Name
			if in {
				text = "place enter " + one.Name
			}
			if err := tell(text, known); err != nil {
				return err
			}
		}
	}
	return nil
}

// SetPlace says where a place of the present user is.
func (a *agent) SetPlace(one uibridge.Place) error {
	return a.do(func() error {
		if err := a.places.set(one); err != nil {
			return err
		}
		return a.places.look(a.occurred)
	})
}

// ForgetPlace forgets where a place of the present user is.
func (a *agent) ForgetPlace(name string) error {
	return a.do(func() error { return a.places.forget(name) })
}

// Places lists the present user's places.
func (a *agent) Places() (list []uibridge.Place, err error) {
	err = a.do(func() error {
		list = slices.Clone(a.places.list)
		return nil
	})
	return list, err
}
