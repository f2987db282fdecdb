package trace

// other is the id of everything that a dictionary does not list; 0 is never
// given, so that a forgotten field shows.
const other uint16 = 1

// term is one entry of a dictionary: a name that the HMI uses and its id.
type term struct {
	id   uint16
	name string
}

// screen is one registered screen and the elements that may be told apart on it.
type screen struct {
	term
	elements []term
}

// study is what a study card says about recording.
type study struct {
	id       string
	version  uint16
	task     uint16
	screens  []screen
	gestures []term
	outcomes []term
}

// DemoStudy is the id of the built-in study. It belongs to the stand-in HMI, is
// not signed, and its traces are not for release: there is no dictionary gate,
// no sampling and no padding yet.
const DemoStudy = "demo"

// The outcomes that metrics look at.
const (
	outOK      = 2
	outNoop    = 3
	outBack    = 4
	outError   = 5
	outBlocked = 6
)

var demo = study{
	id: DemoStudy, version: 1, task: 1,
	screens: []screen{
		{term{2, "home"}, []term{{2, "climate_tile"}, {3, "cards_tile"}, {4, "media_tile"}, {5, "navigation_tile"}}},
		{term{3, "climate"}, []term{{10, "temperature"}, {11, "fan"}, {12, "air_direction"}, {13, "recirculation"},
			{14, "seat_heater"}, {15, "defrost"}, {16, "back"}}},
		{term{4, "cards"}, []term{{20, "card"}, {21, "why"}, {22, "enable"}, {23, "disable"}, {24, "back"}}},
		{term{5, "notice"}, []term{{30, "open"}, {31, "dismiss"}, {32, "undo"}}},
		{term{6, "media"}, []term{{40, "play"}, {41, "next"}, {42, "volume"}, {43, "back"}}},
		{term{7, "navigation"}, []term{{50, "zoom"}, {51, "mute"}, {52, "keyboard"}, {53, "back"}}},
	},
	gestures: []term{{2, "tap"}, {3, "long_press"}, {4, "swipe"}, {5, "turn"}, {6, "press"}, {7, "voice"}},
	outcomes: []term{{outOK, "ok"}, {outNoop, "noop"}, {outBack, "back"}, {outError, "error"}, {outBlocked, "blocked"}},
}

// find returns the id of a name, or other.
func find(terms []term, name string) uint16 {
	for _, t := range terms {
		if t.name == name {
			return t.id
		}
	}
	return other
}

// nameOf returns the name of an id; ids that are not listed are "other" or,
// for one that no version of this study gave, "?".
func nameOf(terms []term, id uint16) string {
	for _, t := range terms {
		if t.id == id {
			return t.name
		}
	}
	if id == other {
		return "other"
	}
	return "?"
}

// place returns the ids of a screen and of an element on it. An element that is
// registered for another screen only is other on this one.
func (s *study) place(screenName, element string) (uint16, uint16) {
	for i := range s.screens {
		if s.screens[i].name == screenName {
			return s.screens[i].id, find(s.screens[i].elements, element)
		}
	}
	return other, other
}

// placeNames is the reverse of place.
func (s *study) placeNames(screenID, elementID uint16) (string, string) {
	for i := range s.screens {
		if s.screens[i].id == screenID {
			return s.screens[i].name, nameOf(s.screens[i].elements, elementID)
		}
	}
	return nameOf(nil, screenID), nameOf(nil, elementID)
}

// gesture returns the id of a gesture, which fits eight bits.
func (s *study) gesture(name string) uint8 { return uint8(find(s.gestures, name)) }

// outcome returns the id of an outcome, which fits eight bits.
func (s *study) outcome(name string) uint8 { return uint8(find(s.outcomes, name)) }
