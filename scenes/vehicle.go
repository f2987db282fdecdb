package scenes

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"vignette/scenes/engine"
	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Vehicle is a vehicle profile: what the manufacturer says about one type of
// car, its buses, signals and states, and what cards may do there.
type Vehicle struct {
	File       string // as given to LoadVehicle
	ID         string
	Version    int    // only grows
	SHA256     string // of the profile's bytes, hexadecimal
	Buses      []Bus  // in the profile's order, which breaks ties when logs are merged
	Signals    []Signal
	States     []State     // tested in order; none true, or one unknown before it, is moving
	Actuators  []Actuator  // by path
	Actions    []Action    // by name
	Never      []Name      // what no card may ever set; a * at the end stands for the rest
	Power      *Power      // nil: the profile does not say
	Assistance *Assistance // nil: the profile does not say
	Events     []Event     // what place, phone, button, ignition and event triggers listen to
	TrustedBy  string      // the D-Bus service that vouches for the wall clock; empty: none does
	Budget     Budget
	Quarantine engine.Quarantine // Fires 0: no bound

	signals map[string]*Signal
	faulty  map[string]bool // paths and states that the file names, but wrongly; only while it is read
}

// State is a drive state of the profile.
type State struct {
	Name string
	Pos  Pos
	When Cond
}

// Power tells the power states of the car by one labelled signal.
type Power struct {
	From               Name
	Off, Accessory, On []Name
}

// Assistance tells the level of driver assistance (SAE J3016) by one labelled
// signal. Levels has the labels of level 0, of 1, and of 2 or more.
type Assistance struct {
	From   Name
	Levels [3][]Name
}

// Level returns 1, 2 or 3 for a label of level 0, 1, and 2 or more; 0: not told.
// It allocates nothing.
func (a *Assistance) Level(label string) uint8 {
	for i := range a.Levels {
		for j := range a.Levels[i] {
			if a.Levels[i][j].Text == label {
				return uint8(i) + 1
			}
		}
	}
	return 0
}

// Budget bounds what compiled cards may cost; 0 is no bound.
type Budget struct {
	StateBytes, OpsPerStep int
}

// moving is the drive state when no other holds.
const moving = "moving"

var (
	idWant     = "an id: lower-case letters, digits and hyphens, at most 64, not beginning with a hyphen"
	pathWant   = "a VSS path, such as Vehicle.Speed or Private.Vendor.Name"
	nameWant   = "a name: letters, digits, _ and -"
	neverWant  = "a VSS path, with .* at its end for all below it, such as Vehicle.ADAS.*"
	maxProfile = 1<<31 - 1
)

// profile is a vehicle profile while it is read.
type profile struct {
	*reader
	v         *Vehicle
	buses     []busText
	signals   []signalText
	actuators []actuatorText
	actions   []actionText
}

// profileKeys is the table of the profile's keys.
func profileKeys() object[profile] {
	return object[profile]{"the vehicle profile", []key[profile]{
		{"schema", required, func(r *reader, n *yaml.Node, p *profile) { r.schema(n) }},
		{"id", required, func(r *reader, n *yaml.Node, p *profile) { p.v.ID = r.pattern(n, idText, idWant) }},
		{"version", required, func(r *reader, n *yaml.Node, p *profile) { p.v.Version = r.whole(n, 1, maxProfile) }},
		{"buses", required, (*reader).readBuses},
		{"signals", required, (*reader).readSignals},
		{"power", optional, (*reader).readPower},
		{"assistance", optional, (*reader).readAssistance},
		{"states", optional, (*reader).readStates},
		{"actuators", optional, (*reader).readActuators},
		{"actions", optional, (*reader).readActions},
		{"events", optional, (*reader).readEvents},
		{"clock", optional, (*reader).readClock},
		{"never", optional, (*reader).readNever},
		{"budget", optional, (*reader).readBudget},
		{"quarantine", optional, (*reader).readQuarantine},
	}}
}

// schema reads the version of the format, 1.
func (r *reader) schema(n *yaml.Node) {
	if r.shapes != nil {
		r.shape(n, shape{"const": 1})
		return
	}
	if x, ok := r.number(n); ok && x != 1 {
		r.fault(n, "schema %s is not known; this version reads schema 1", n.Value)
	}
}

// LoadVehicle reads a vehicle profile and the DBC files that it names, found
// relative to it. The error is Diagnostics with everything that is wrong.
func LoadVehicle(path string) (*Vehicle, error) {
	text, err := load(path, maxProfileBytes)
	if err != nil {
		return nil, err
	}
	return parseVehicle(path, text, func(file string) ([]byte, error) { return load(file, maxDBCBytes) })
}

// LoadSignedVehicle reads a vehicle profile as LoadVehicle does, if its
// signature, the file path.minisig beside it, is one of keys'. Each DBC must be
// named with its SHA-256, so that the signature covers it too.
func LoadSignedVehicle(path string, keys []sign.PublicKey) (*Vehicle, error) {
	text, err := load(path, maxProfileBytes)
	if err != nil {
		return nil, err
	}
	if err := verify(path, text, keys); err != nil {
		return nil, err
	}
	v, err := parseVehicle(path, text, func(file string) ([]byte, error) { return load(file, maxDBCBytes) })
	if err != nil {
		return nil, err
	}
	var diags Diagnostics
	for _, b := range v.Buses {
		for _, d := range b.DBCs {
			if !d.Pinned {
				diags.add(path, b.Pos, "bus `%s`: %s has no `sha256`, so the signature does not cover it; write {file: %s, sha256: %s} and sign again", b.Name, d.File, d.File, d.SHA256)
			}
		}
	}
	return v, diags.err()
}

// verify checks a file's text against its signature.
func verify(path string, text []byte, keys []sign.PublicKey) error {
	name := path + ".minisig"
	sig, err := ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not signed: there is no %s; sign it with vignette sign or minisign", path, name)
	} else if err != nil {
		return err
	}
	s, err := sign.ParseSignature(sig)
	if err == nil {
		err = s.Verify(keys, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parseVehicle reads a profile whose DBC files are opened by open.
func parseVehicle(file string, text []byte, open func(path string) ([]byte, error)) (*Vehicle, error) {
	p := &profile{reader: &reader{file: file}}
	p.v = &Vehicle{File: file, SHA256: hash(text), signals: map[string]*Signal{}, faulty: map[string]bool{}}
	root := p.document(text, maxProfileNodes)
	if root == nil {
		return nil, p.diags.err()
	}
	if !p.mapping(root, "the vehicle profile") {
		return nil, p.diags.err()
	}
	profileKeys().read(p.reader, root, p)
	p.resolveBuses(open)
	p.resolveSignals()
	p.resolvePower()
	p.resolveAssistance()
	p.resolveStates()
	p.resolveActuators()
	p.resolveActions()
	if err := p.diags.err(); err != nil {
		return nil, err
	}
	return p.v, nil
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Signal returns the signal of that path, or nil.
func (v *Vehicle) Signal(path string) *Signal { return v.signals[path] }

// Actuator returns the actuator of that path, or nil.
func (v *Vehicle) Actuator(path string) *Actuator {
	for i := range v.Actuators {
		if v.Actuators[i].Path == path {
			return &v.Actuators[i]
		}
	}
	return nil
}

// state returns the index of a drive state, len(States) for moving.
func (v *Vehicle) state(name string) (int, bool) {
	i := slices.IndexFunc(v.States, func(s State) bool { return s.Name == name })
	if i < 0 && name == moving {
		return len(v.States), true
	}
	return i, i >= 0
}

// stateNames are the names of all drive states, moving last.
func (v *Vehicle) stateNames() []string {
	var names []string
	for _, s := range v.States {
		names = append(names, s.Name)
	}
	return append(names, moving)
}

// signalPaths are the paths of all signals, sorted.
func (v *Vehicle) signalPaths() []string {
	paths := make([]string, len(v.Signals))
	for i := range v.Signals {
		paths[i] = v.Signals[i].Path
	}
	return paths
}

// forbidden returns the entry of never that matches a path.
func (v *Vehicle) forbidden(path string) (string, bool) {
	for _, n := range v.Never {
		if below, all := strings.CutSuffix(n.Text, "*"); n.Text == path || all && strings.HasPrefix(path, below) {
			return n.Text, true
		}
	}
	return "", false
}

// isDir reports whether path is a directory.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// noSignal says that a path is no signal of the profile, with the nearest one.
func (v *Vehicle) noSignal(path string) string {
	return fmt.Sprintf("`%s` is not a signal of the vehicle profile%s", path, orElse(hintPath(path, v.signalPaths()), "; add it there, or name another"))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
