package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// The names in a dataset's directory.
const (
	studyFile   = "study.yaml"
	segmentsDir = "segments"
	truthFile   = "truth.jsonl"
	fleetFile   = "fleet.json"
)

// Dataset is what an OEM's server has after collecting outboxes: a study card and
// segments. Of a simulated fleet there is the truth too, which no designer ever has.
type Dataset struct {
	Dir      string
	Study    *scenes.Study
	Files    []File    // by path
	Episodes []Episode // in the order of files and of the records in them
	Weeks    []uint16  // that have episodes, ascending, as trace.Episode.Week
	Cars     int       // vehicles with episodes; 0: there is no truth
	Repeated int       // records that were delivered again, byte for byte; they count once
	SHA256   string    // over the sorted lines of sha256sum of every file but truth and fleet.json
	Bytes    int64
	TruthSHA string // of truth.jsonl; empty: there is none
	Fleet    FleetFile
}

// FleetFile is what audits read of fleet.json, which describes a simulated fleet.
type FleetFile struct {
	Cars     int      `json:"cars"`
	Weeks    int      `json:"weeks"`
	Seed     uint64   `json:"seed"`
	Weakness string   `json:"weakness"`
	Canaries []string `json:"canaries,omitempty"` // texts pushed through every id and text field
}

// File is a file of a dataset's segments.
type File struct {
	Path    string // below Dir, with slashes
	Size    int64
	ModTime time.Time
	Damage  string // what is wrong with it; empty: nothing
}

// Episode is a released episode and where it lay.
type Episode struct {
	trace.Episode
	File   int // index of its file
	Record int // its place in the file
	Car    int // -1: not known
}

// Load reads a dataset. truth is the file of the ground truth; empty: DIR/truth.jsonl
// if it is there. A panel's segments are an error: they are personal data, and no
// dataset's.
func Load(dir, truth string) (*Dataset, error) {
	d := &Dataset{Dir: dir}
	var err error
	if d.Study, err = scenes.LoadStudy(filepath.Join(dir, studyFile)); err != nil {
		return nil, err
	}
	if d.Study.Panel {
		return nil, fmt.Errorf("%s: is of a panel of test drivers, whose episodes are personal data; attacks are run on what fleets release", filepath.Join(dir, studyFile))
	}
	if err := d.readFleet(); err != nil {
		return nil, err
	}
	if err := d.readSegments(); err != nil {
		return nil, err
	}
	if len(d.Episodes) == 0 {
		return nil, fmt.Errorf("%s: has no episodes; a dataset has segments of the car's outbox in it", filepath.Join(dir, segmentsDir))
	}
	if d.SHA256, err = Hash(dir); err != nil {
		return nil, err
	}
	d.findWeeks()
	return d, d.findTruth(truth)
}

// readFleet reads fleet.json, which need not be there.
func (d *Dataset) readFleet() error {
	path := filepath.Join(d.Dir, fleetFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &d.Fleet); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readSegments reads every segment by path.
func (d *Dataset) readSegments() error {
	top := filepath.Join(d.Dir, segmentsDir)
	var paths []string
	if err := trace.Segments(top, func(path string) error { paths = append(paths, path); return nil }); err != nil {
		return err
	}
	slices.Sort(paths)
	seen := map[string]bool{}
	for _, path := range paths {
		if err := d.readSegment(path, seen); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// readSegment reads a file; one that is damaged is read as far as it goes.
func (d *Dataset) readSegment(path string, seen map[string]bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	list, err := trace.ReadAny(bytes.NewReader(text))
	var damage *trace.DamageError
	file := File{Path: d.below(path), Size: info.Size(), ModTime: info.ModTime()}
	switch {
	case errors.As(err, &damage):
		file.Damage = damage.Reason
	case err != nil:
		return err
	}
	d.Bytes += info.Size()
	d.Files = append(d.Files, file)
	for i, ep := range list {
		if int(ep.Policy) != d.Study.Version {
			return fmt.Errorf("has an episode of version %d of the study, %s is version %d; audit each version by itself", ep.Policy, studyFile, d.Study.Version)
		}
		raw, err := ep.MarshalMsg(nil)
		if err != nil {
			return err
		}
		if seen[string(raw)] {
			d.Repeated++
			continue
		}
		seen[string(raw)] = true
		d.Episodes = append(d.Episodes, Episode{Episode: ep, File: len(d.Files) - 1, Record: i, Car: -1})
	}
	return nil
}

func (d *Dataset) below(path string) string {
	rel, err := filepath.Rel(d.Dir, path)
	if err != nil {
		panic(err) // path was found below Dir
	}
	return filepath.ToSlash(rel)
}

func (d *Dataset) findWeeks() {
	for i := range d.Episodes {
		d.Weeks = append(d.Weeks, d.Episodes[i].Week)
	}
	slices.Sort(d.Weeks)
	d.Weeks = slices.Compact(d.Weeks)
}

// Hash is the SHA-256 of the lines of `sha256sum` of every file below dir, but
// for truth.jsonl and fleet.json, by path. The same files give the same hash:
//
//	find . -type f ! -name truth.jsonl ! -name fleet.json | sed 's,^\./,,' | LC_ALL=C sort | xargs sha256sum | sha256sum
func Hash(dir string) (string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && e.Name() != truthFile && e.Name() != fleetFile {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	lines := make([]string, len(paths))
	for i, path := range paths {
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return "", err
		}
		paths[i] = filepath.ToSlash(rel)
	}
	slices.Sort(paths)
	all := sha256.New()
	for i, rel := range paths {
		sum, err := fileHash(filepath.Join(dir, rel))
		if err != nil {
			return "", err
		}
		lines[i] = sum + "  " + rel + "\n"
		io.WriteString(all, lines[i])
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// truthLine is a line of the truth.
type truthLine struct {
	EID  string `json:"eid"`
	Car  *int   `json:"car"`
	File string `json:"file"`
}

// truthKey finds the car of an episode. A recorder that is weak on purpose gives
// one id to many episodes, so the file counts too.
type truthKey struct{ eid, file string }

// findTruth reads whose each episode is.
func (d *Dataset) findTruth(path string) error {
	given := path != ""
	if !given {
		path = filepath.Join(d.Dir, truthFile)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return nil
	} else if err != nil {
		return err
	}
	cars, err := readTruth(path, text)
	if err != nil {
		return err
	}
	distinct := map[int]bool{}
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		key := truthKey{hex.EncodeToString(ep.EID[:]), d.Files[ep.File].Path}
		car, ok := cars[key]
		if !ok {
			return fmt.Errorf("%s: has no episode %s of %s; it is the truth of another dataset", path, key.eid, key.file)
		}
		ep.Car, distinct[car] = car, true
	}
	sum := sha256.Sum256(text)
	d.Cars, d.TruthSHA = len(distinct), hex.EncodeToString(sum[:])
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
		if l.Car == nil || *l.Car < 0 || l.EID == "" {
			return nil, fmt.Errorf("%s:%d: names no episode and vehicle; a line is {\"eid\":…,\"car\":…,\"file\":…}", path, n)
		}
		cars[truthKey{strings.ToLower(l.EID), l.File}] = *l.Car
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cars, nil
}
