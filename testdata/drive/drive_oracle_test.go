//go:build oracle

package drive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/testdata/oracle"
)

// TestCantoolsReadsTheDrive lets cantools decode every frame of the first
// minute with the DBCs in strict mode, and compares every raw value.
func TestCantoolsReadsTheDrive(t *testing.T) {
	log := filepath.Join(t.TempDir(), "drive.log")
	file, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := Generate(file, 60); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	theirs := bufio.NewScanner(bytes.NewReader(oracle.Python(t, "oracle.py", log)))
	frames, values := 0, 0
	for _, f := range driveFrames(t) {
		if f.us >= 60_000_000 || !theirs.Scan() {
			break
		}
		frames++
		values += compareFrame(t, f, theirs.Bytes())
	}
	if theirs.Scan() || frames < 20_000 || values < 4*frames {
		t.Errorf("compared %d frames with %d values; want all frames of the minute", frames, values)
	}
	t.Logf("%d frames, %d values", frames, values)
}

// compareFrame compares one frame and returns the number of its values.
func compareFrame(t *testing.T, f logged, theirs []byte) int {
	t.Helper()
	var want map[string]float64
	if err := json.Unmarshal(theirs, &want); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i := range f.layout.signals {
		sig := &f.layout.signals[i]
		raw, has := f.take(sig)
		value := float64(raw)
		if f.layout.floats[sig.Name] {
			value = float64(math.Float32frombits(uint32(raw)))
		}
		other, also := want[string(sig.Name)]
		if has != also || has && value != other {
			t.Fatalf("%s.%s at %d µs: %v (%v), cantools has %v (%v)", f.layout.name, sig.Name, f.us, value, has, other, also)
		}
		if has {
			seen++
		}
	}
	if seen != len(want) {
		t.Fatalf("%s at %d µs: %d values, cantools has %d", f.layout.name, f.us, seen, len(want))
	}
	return seen
}

// vssNode is a branch or a signal of VSS in its JSON export.
type vssNode struct {
	Type     string             `json:"type"`
	Datatype string             `json:"datatype"`
	Unit     string             `json:"unit"`
	Allowed  []string           `json:"allowed"`
	Children map[string]vssNode `json:"children"`
}

// readVSS reads VSS 6.0 as paths to leaves.
func readVSS(t *testing.T) map[string]vssNode {
	t.Helper()
	text, err := os.ReadFile(oracle.Data(t, "vss", "vss_release_6.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	var roots map[string]vssNode
	if err := json.Unmarshal(text, &roots); err != nil {
		t.Fatal(err)
	}
	leaves := map[string]vssNode{}
	var descend func(path string, n vssNode)
	descend = func(path string, n vssNode) {
		if n.Type != "branch" {
			leaves[path] = n
		}
		for name, child := range n.Children {
			descend(path+"."+name, child)
		}
	}
	for name, n := range roots {
		descend(name, n)
	}
	return leaves
}

// The units of the profile that are not VSS's unit for the signal, with the
// VSS unit of the same dimension.
var sameDimension = map[string]string{"mph": "km/h", "degF": "Celsius"}

func TestProfileAgreesWithVSS(t *testing.T) {
	leaves := readVSS(t)
	p := readProfile(t)
	known := 0
	for path, s := range p.Signals {
		if strings.HasPrefix(path, "Private.") {
			continue
		}
		leaf, found := leaves[path]
		if !found {
			t.Errorf("VSS 6.0 has no %s", path)
			continue
		}
		known++
		if s.Unit != leaf.Unit && sameDimension[s.Unit] != leaf.Unit {
			t.Errorf("%s is in %q, VSS has %q", path, s.Unit, leaf.Unit)
		}
		for raw, value := range s.Values {
			if !agrees(leaf, value) {
				t.Errorf("%s: raw %d is %v, which is no %s of VSS (allowed: %v)", path, raw, value, leaf.Datatype, leaf.Allowed)
			}
		}
		if leaf.Datatype == "boolean" && len(s.Values) != 2 {
			t.Errorf("%s is boolean in VSS and has the values %v", path, s.Values)
		}
	}
	if known < 100 {
		t.Errorf("only %d VSS paths", known)
	}
	for path, a := range p.Actuators {
		if leaf := leaves[path]; leaf.Type != "actuator" || leaf.Unit != a.Unit {
			t.Errorf("%s is a %q in %q for VSS; the profile has an actuator in %q", path, leaf.Type, leaf.Unit, a.Unit)
		}
	}
	t.Logf("%d of %d signals have a VSS path", known, len(p.Signals))
}

// agrees tells whether a mapped value is one that VSS knows for the signal.
func agrees(leaf vssNode, value any) bool {
	switch v := value.(type) {
	case bool:
		return leaf.Datatype == "boolean"
	case string:
		return leaf.Datatype == "string" && slices.Contains(leaf.Allowed, v)
	case int:
		return strings.Contains(leaf.Datatype, "int")
	}
	return false
}
