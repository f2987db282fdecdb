package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// truthLine is a line of the truth.
type truthLine struct {
	EID  string `json:"eid"`
	Car  *int   `json:"car"`
	File string `json:"file"`
}

// truthKey finds the car of an episode. A recorder that is weak on purpose gives
// one id to many episodes, so the file counts too.
type truthKey struct{ eid, file string }

// findTruths reads whose each episode is: of all directories, or of none. Fleets of
// one seed, which are those in fleets, number their cars alike; others do not.
func (d *Dataset) findTruths(given string, fleets *[]uint64) error {
	distinct := map[int]bool{}
	without := ""
	for i := range d.Dirs {
		at := &d.Dirs[i]
		path := given
		if path == "" {
			path = filepath.Join(at.path, truthFile)
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && given == "" {
			without = at.path
			continue
		} else if err != nil {
			return err
		}
		if err := d.findTruth(i, path, text, fleetNumber(at.Simulated, fleets), distinct); err != nil {
			return err
		}
	}
	d.Cars = len(distinct)
	if d.Cars > 0 && without != "" {
		return fmt.Errorf("%s: has no %s, and others of its study have; the truth of all must be known, or of none", without, truthFile)
	}
	return nil
}

// fleetNumber tells fleets apart whose cars are not the same.
func fleetNumber(f *FleetFile, fleets *[]uint64) int {
	if f == nil {
		f = &FleetFile{}
	}
	i := slices.Index(*fleets, f.Seed)
	if i < 0 {
		i = len(*fleets)
		*fleets = append(*fleets, f.Seed)
	}
	return i
}

// mostCars is above every number of a car; on 32 bits too a hundred fleets have
// numbers of their own.
const mostCars = 1 << 24

// findTruth reads whose the episodes of a directory are.
func (d *Dataset) findTruth(dir int, path string, text []byte, fleet int, distinct map[int]bool) error {
	cars, err := readTruth(path, text)
	if err != nil {
		return err
	}
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		if d.Files[ep.File].Dir != dir {
			continue
		}
		key := truthKey{hex.EncodeToString(ep.EID[:]), d.Files[ep.File].Path}
		car, ok := cars[key]
		if !ok {
			return fmt.Errorf("%s: has no episode %s of %s; it is the truth of another dataset", path, key.eid, key.file)
		}
		ep.Car = fleet*mostCars + car
		distinct[ep.Car] = true
	}
	sum := sha256.Sum256(text)
	d.Dirs[dir].TruthSHA256 = hex.EncodeToString(sum[:])
	return nil
}

func readTruth(path string, text []byte) (map[truthKey]int, error) {
	cars := map[truthKey]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		var l truthLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if l.Car == nil || *l.Car < 0 || *l.Car >= mostCars || l.EID == "" {
			return nil, fmt.Errorf("%s:%d: names no episode and vehicle; a line is {\"eid\":…,\"car\":…,\"file\":…}", path, n)
		}
		cars[truthKey{strings.ToLower(l.EID), l.File}] = *l.Car
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cars, nil
}
