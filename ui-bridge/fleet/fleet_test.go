package fleet

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

func study(t testing.TB, name string) *scenes.Study {
	t.Helper()
	s, err := scenes.LoadStudy("../../testdata/fleet/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// simulate makes a dataset of a small fleet and returns its directory.
func simulate(t testing.TB, o Options) (dir string, facts *Facts) {
	t.Helper()
	if o.Study == nil {
		o.Study = study(t, "study.yaml")
	}
	dir = filepath.Join(t.TempDir(), "fleet")
	facts, err := Simulate(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, facts
}

func readTruth(t testing.TB, dir string) (list []Truth) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var one Truth
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	return list
}

// episodes reads each segment by its path below the dataset.
func episodes(t testing.TB, dir string) map[string]trace.Episode {
	t.Helper()
	all := map[string]trace.Episode{}
	err := filepath.WalkDir(filepath.Join(dir, "segments"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		list, err := trace.Read(f)
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %d episodes, %v", path, len(list), err)
			return nil
		}
		name, err := filepath.Rel(dir, path)
		all[name] = list[0]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTruthIsOfTheSegments holds that there is a line of truth for each segment,
// with its id, and no other.
func TestTruthIsOfTheSegments(t *testing.T) {
	dir, facts := simulate(t, Options{Cars: 20, Weeks: 3, Seed: 1})
	all, truth := episodes(t, dir), readTruth(t, dir)
	if len(truth) < 100 || len(truth) != len(all) || facts.Cars != 20 {
		t.Fatalf("%d lines of truth, %d segments, %d cars", len(truth), len(all), facts.Cars)
	}
	for _, one := range truth {
		ep := all[one.File]
		year, week := one.At.In(zone).ISOWeek()
		if hex.EncodeToString(ep.EID[:]) != one.EID || int(ep.Week) != (year-2000)*100+week {
			t.Errorf("%+v is not of %+v", one, ep)
		}
		delete(all, one.File)
	}
}
