package trace

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// gathered reads what Gather wrote of a directory, by id.
func gathered(t *testing.T, dir string) (Gathered, []Episode) {
	t.Helper()
	var b bytes.Buffer
	g, err := Gather([]string{dir}, &b)
	if err != nil {
		t.Fatal(err)
	}
	eps, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return g, eps
}

func writeSegment(t *testing.T, path string, signed bool, eps ...Episode) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSegment(&b, signed, eps); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGather(t *testing.T) {
	dir := t.TempDir()
	const n = 200
	for i := range n {
		writeSegment(t, filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26))+".seg"), true, sample(i))
	}
	writeSegment(t, filepath.Join(dir, "again.seg"), true, sample(7), sample(8))
	g, eps := gathered(t, dir)
	if g.Episodes != n || g.Twice != 2 || g.Files != n+1 || len(g.Bad) != 0 || len(eps) != n {
		t.Fatalf("%+v, %d read", g, len(eps))
	}
	inOrder, seen := 0, map[byte]bool{}
	for i, ep := range eps {
		if !reflect.DeepEqual(ep, sample(int(ep.EID[0]))) {
			t.Errorf("episode %d is %+v", i, ep)
		}
		seen[ep.EID[0]] = true
		if i > 0 && ep.EID[0] > eps[i-1].EID[0] {
			inOrder++
		}
	}
	if len(seen) != n || inOrder < n/4 || inOrder > 3*n/4 {
		t.Errorf("%d different episodes, %d of them after the one before by name: the order tells where they were", len(seen), inOrder)
	}
}

func TestGatherNamesDamage(t *testing.T) {
	dir := t.TempDir()
	torn := filepath.Join(dir, "torn.seg")
	writeSegment(t, torn, true, sample(1), sample(2))
	b, err := os.ReadFile(torn)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/4] ^= 1
	for name, text := range map[string][]byte{"torn.seg": b, "note.md": []byte("no segment")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, eps := gathered(t, dir)
	var damage *DamageError
	if len(g.Bad) != 2 || !errors.Is(g.Bad[0], ErrNotSegment) || !errors.As(g.Bad[1], &damage) || damage.Records != len(eps) {
		t.Errorf("bad %v, %d read", g.Bad, len(eps))
	}
}

func TestGatherRefusesAMixture(t *testing.T) {
	dir := t.TempDir()
	writeSegment(t, filepath.Join(dir, "a.seg"), true, sample(1))
	writeSegment(t, filepath.Join(dir, "b.seg"), false, sample(2))
	if _, err := Gather([]string{dir}, &bytes.Buffer{}); !errors.Is(err, ErrMixed) {
		t.Errorf("%v", err)
	}
}

// TestScanAllocates: a segment of many is read without memory for each.
func TestScanAllocates(t *testing.T) {
	var b bytes.Buffer
	var eps []Episode
	for i := range 1000 {
		eps = append(eps, sample(i))
	}
	if err := WriteSegment(&b, false, eps); err != nil {
		t.Fatal(err)
	}
	n := 0
	allocs := testing.AllocsPerRun(5, func() {
		n = 0
		if err := Scan(bytes.NewReader(b.Bytes()), func(*Episode, bool) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if n != 1000 || allocs > 50 {
		t.Errorf("%d episodes, %.0f allocations", n, allocs)
	}
}
