//go:build oracle

package scenes

import (
	"encoding/json"
	"os"
	"testing"

	"vignette/testdata/oracle"
)

// vssNode is a branch or leaf of the VSS tree.
type vssNode struct {
	Unit     string
	Children map[string]*vssNode
}

// Every unit that VSS 6.0 uses is known by its own name, and kept.
func TestVSSUnits(t *testing.T) {
	text, err := os.ReadFile(oracle.Data(t, "vss", "vss_release_6.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]*vssNode
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	used := map[string]int{}
	var walk func(n *vssNode)
	walk = func(n *vssNode) {
		if n.Unit != "" {
			used[n.Unit]++
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	for _, n := range root {
		walk(n)
	}
	if len(used) < 30 {
		t.Fatalf("the tree has %d units, want at least 30", len(used))
	}
	for name := range used {
		if _, u, ok := findUnit(name); !ok || u.name != name || !u.vss {
			t.Errorf("unit %s of %d VSS signals is not kept", name, used[name])
		}
	}
}
