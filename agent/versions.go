package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// maxVersions bounds the versions that are kept, of cards and of profiles each:
// with one more the one that was read longest ago goes.
const maxVersions = 1024

// versions keeps what has run, by content, so that a journal that names it can be
// replayed when the files are others: <SHA-256>.yaml of a card, and of a profile a
// directory <SHA-256 of profile and DBCs> with profile.yaml and the DBCs as the
// profile names them. A nil versions keeps nothing.
type versions struct {
	dir     string
	log     uibridge.Logger
	kept    atomic.Uint64 // versions written
	dropped atomic.Uint64 // versions removed since there were too many
	failed  atomic.Uint64 // versions that could not be written
}

// card keeps a card's text.
func (vs *versions) card(c *scenes.Card, text []byte) {
	vs.keep(filepath.Join(vs.dir, c.SHA256+".yaml"), string(text))
}

// profile keeps a profile that is taken, and its DBCs, and if it is signed notes
// that it is the last good one. A DBC that lies outside the profile's directory
// cannot be kept under its name.
func (vs *versions) profile(v *scenes.Vehicle) {
	if vs == nil {
		return
	}
	dir := filepath.Join(vs.dir, v.Contents())
	for _, b := range v.Buses {
		for _, f := range b.DBCs {
			if !filepath.IsLocal(f.File) {
				vs.fail(v.File, errors.New("the DBC "+f.File+" is not below the profile's directory; to replay a journal, keep both yourself, and no start can go on with them"))
				return
			}
			vs.copy(filepath.Join(filepath.Dir(v.File), f.File), filepath.Join(dir, f.File))
		}
	}
	vs.copy(v.File, filepath.Join(dir, scenes.KeptProfile))
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // a disk that takes no times drops nothing either
	var err error
	if sig, unsigned := scenes.ReadFile(v.File + signature); unsigned == nil {
		err = errors.Join(renew(filepath.Join(dir, scenes.KeptProfile+signature), string(sig)), renew(vs.lastGood(), v.Contents()))
	}
	if err != nil {
		vs.fail(dir, err)
	}
}

// signature is what the name of a signed file's signature has behind the file's.
const signature = ".minisig"

// lastGood is the file that names the version of the newest signed profile that was
// taken.
func (vs *versions) lastGood() string { return filepath.Join(filepath.Dir(vs.dir), "profile.last") }

// last loads the newest profile that was taken, as if it were configured.
func (vs *versions) last(c *Config) (*scenes.Vehicle, error) {
	name, err := scenes.ReadFile(vs.lastGood())
	if err != nil {
		return nil, err
	}
	of := Config{Vehicle: filepath.Join(vs.dir, string(name), scenes.KeptProfile), Trust: c.Trust}
	v, err := loadVehicle(&of)
	if err != nil {
		return nil, err
	}
	return v, grownProfile(c.State, v, vs.log)
}

// renew replaces a file by another text, if it has not got it already.
func renew(path, text string) error {
	if had, err := scenes.ReadFile(path); err == nil && string(had) == text {
		return nil
	}
	return replaceFile(path, text)
}

func (vs *versions) copy(from, to string) {
	text, err := scenes.ReadFile(from)
	if err != nil {
		vs.fail(to, err)
		return
	}
	vs.keep(to, string(text))
}

// keep writes a version, or notes that it was read now.
func (vs *versions) keep(path, text string) {
	now := time.Now()
	if err := os.Chtimes(path, now, now); !errors.Is(err, fs.ErrNotExist) {
		return // it is there, perhaps on a disk that takes no times
	}
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = replaceFile(path, text)
	}
	if err != nil {
		vs.fail(path, err)
		return
	}
	vs.kept.Add(1)
}

func (vs *versions) fail(path string, err error) {
	vs.failed.Add(1)
	vs.log.Error("a version is not kept; a journal that names it needs it to be replayed, and a start where the profile is torn", "file", path, "error", err)
}

// prune removes the versions that were read longest ago, where there are too
// many, but none of those in use.
func (vs *versions) prune(inUse []string) {
	if vs == nil {
		return
	}
	entries, err := os.ReadDir(vs.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		vs.fail(vs.dir, err)
	}
	if len(entries) <= maxVersions {
		return
	}
	old := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && !slices.Contains(inUse, strings.TrimSuffix(e.Name(), ".yaml")) {
			old[e.Name()] = info.ModTime()
			names = append(names, e.Name())
		}
	}
	sort.SliceStable(names, func(i, j int) bool { return old[names[i]].Before(old[names[j]]) })
	for _, name := range names[:min(len(names), len(entries)-maxVersions)] {
		if err := os.RemoveAll(filepath.Join(vs.dir, name)); err != nil {
			vs.fail(name, err)
			continue
		}
		vs.dropped.Add(1)
	}
}

// count adds what became of the versions to the agent's counters.
func (vs *versions) count(counters map[string]uint64) {
	if vs == nil {
		return
	}
	counters["versions_kept"], counters["versions_dropped"], counters["versions_failed"] = vs.kept.Load(), vs.dropped.Load(), vs.failed.Load()
}
