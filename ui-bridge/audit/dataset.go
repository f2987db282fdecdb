package audit

import (
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
	"time"

	"vignette/scenes"
	"vignette/scenes/sign"
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
// segments, in one directory or, of several times, in several with the same card.
// Of a simulated fleet there is the truth too, which no designer ever has.
type Dataset struct {
	Study    *scenes.Study
	Dirs     []Directory
	Files    []File    // by directory and path
	Episodes []Episode // in the order of files and of the records in them
	Weeks    []uint16  // that have episodes, ascending, as trace.Episode.Week
	Cars     int       // vehicles with episodes; 0: there is no truth
	Repeated int       // records that were delivered again, byte for byte; they count once
	Bytes    int64
}

// Directory is one of those that a dataset lies in.
type Directory struct {
	Name        string     `json:"name"`                   // the last part of its path
	SHA256      string     `json:"sha256"`                 // see Hash
	TruthSHA256 string     `json:"truth_sha256,omitempty"` // absent: there is no truth
	Signature   Signature  `json:"signature"`              // of its study card
	SignedBy    string     `json:"signed_by,omitempty"`    // the key's id, if it was checked
	Simulated   *FleetFile `json:"simulated,omitempty"`    // absent: nobody says that the fleet is simulated

	path string
}

// Signature is what is known of a study card's signature.
type Signature string

// What can be known of it. A card whose signature does not fit is not audited.
const (
	Unsigned   Signature = "unsigned"    // there is none
	NotChecked Signature = "not checked" // there is one, and nobody gave a key
	Checked    Signature = "checked"
)

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
	Dir     int    // index of its directory
	Path    string // below that, with slashes
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

// Load reads datasets, one for each study card: directories with the same one are
// of one dataset. truth is the file of the ground truth, for a single directory;
// empty: DIR/truth.jsonl if it is there. keys are whose signature the study cards
// must have; none: it is not checked. A panel's segments are an error: they are
// personal data, and no dataset's.
func Load(dirs []string, truth string, keys []sign.PublicKey) ([]*Dataset, error) {
	if truth != "" && len(dirs) != 1 {
		return nil, fmt.Errorf("%s: is the truth of one directory, and there are %d; put each one's truth into it as %s", truth, len(dirs), truthFile)
	}
	var list []*Dataset
	for _, dir := range dirs {
		d, err := open(dir, keys)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(o *Dataset) bool { return o.Study.SHA256 == d.Study.SHA256 })
		if i < 0 {
			list = append(list, d)
		} else {
			list[i].Dirs = append(list[i].Dirs, d.Dirs...)
		}
	}
	var fleets []uint64
	for _, d := range list {
		if err := d.read(); err != nil {
			return nil, err
		}
		if err := d.findTruths(truth, &fleets); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// open reads what a directory has beside its segments.
func open(dir string, keys []sign.PublicKey) (*Dataset, error) {
	at := Directory{path: filepath.Clean(dir), Signature: Unsigned}
	card := filepath.Join(dir, studyFile)
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	at.Name = filepath.Base(full)
	study, err := scenes.LoadStudy(card)
	if err != nil {
		return nil, err
	}
	if study.Panel {
		return nil, fmt.Errorf("%s: is of a panel of test drivers, whose episodes are personal data; attacks are run on what fleets release", card)
	}
	switch text, err := os.ReadFile(card + ".minisig"); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case len(keys) == 0:
		at.Signature = NotChecked
	default:
		sig, err := sign.ParseSignature(text)
		if err != nil {
			return nil, fmt.Errorf("%s.minisig: %w", card, err)
		}
		if _, err := scenes.LoadSignedStudy(card, keys); err != nil {
			return nil, err
		}
		at.Signature, at.SignedBy = Checked, sig.KeyID.String()
	}
	if at.SHA256, err = Hash(dir); err != nil {
		return nil, err
	}
	at.Simulated, err = readFleet(dir)
	return &Dataset{Study: study, Dirs: []Directory{at}}, err
}

// read reads the segments of all directories.
func (d *Dataset) read() error {
	seen := map[string]bool{}
	for i := range d.Dirs {
		if err := d.readSegments(i, seen); err != nil {
			return err
		}
	}
	if len(d.Episodes) == 0 {
		return fmt.Errorf("%s: has no episodes; a dataset has segments of the car's outbox in it", filepath.Join(d.Dirs[0].path, segmentsDir))
	}
	d.findWeeks()
	return nil
}

// readFleet reads fleet.json, which need not be there.
func readFleet(dir string) (*FleetFile, error) {
	path := filepath.Join(dir, fleetFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var f FleetFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &f, nil
}

// canaries are the texts that somebody says were pushed through the recorders.
func (d *Dataset) canaries() (texts []string) {
	for _, at := range d.Dirs {
		if at.Simulated != nil {
			texts = append(texts, at.Simulated.Canaries...)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// file is where a file lies.
func (d *Dataset) file(f *File) string {
	return filepath.Join(d.Dirs[f.Dir].path, filepath.FromSlash(f.Path))
}

// readSegments reads every segment of a directory by path.
func (d *Dataset) readSegments(dir int, seen map[string]bool) error {
	top := filepath.Join(d.Dirs[dir].path, segmentsDir)
	var paths []string
	if err := trace.Segments(top, func(path string) error { paths = append(paths, path); return nil }); err != nil {
		return err
	}
	slices.Sort(paths)
	for _, path := range paths {
		if err := d.readSegment(dir, path, seen); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// readSegment reads a file; one that is damaged is read as far as it goes.
func (d *Dataset) readSegment(dir int, path string, seen map[string]bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	below, err := filepath.Rel(d.Dirs[dir].path, path)
	if err != nil {
		return err
	}
	list, err := trace.ReadAny(bytes.NewReader(text))
	var damage *trace.DamageError
	file := File{Dir: dir, Path: filepath.ToSlash(below), Size: info.Size(), ModTime: info.ModTime()}
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
