package scenes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
)

// LoadCards reads cards from files, and from directories every *.yaml, *.yml
// and *.json in them. They are returned by id. The error is Diagnostics with
// everything that is wrong in any of them.
func LoadCards(paths ...string) ([]*Card, error) {
	var diags Diagnostics
	cards := readCards(paths, &diags)
	sortCards(cards, &diags)
	if err := diags.err(); err != nil {
		return nil, err
	}
	return cards, nil
}

// Check reads cards as LoadCards does and checks those that can be read against
// the vehicle. It returns how many those are and, as Diagnostics, everything
// that is wrong in any of them; the program is nil if anything is.
func Check(v *Vehicle, paths ...string) (p *Program, cards int, err error) {
	var diags Diagnostics
	list := readCards(paths, &diags)
	p, err = Compile(v, list)
	if err != nil {
		diags.merge(v.File, err)
	}
	if err := diags.err(); err != nil {
		return nil, len(list), err
	}
	return p, len(list), nil
}

// readCards reads the cards that can be read.
func readCards(paths []string, diags *Diagnostics) (cards []*Card) {
	for _, file := range cardFiles(paths, diags) {
		text, err := load(file, maxCardBytes)
		if err != nil {
			diags.merge(file, err)
			continue
		}
		c, err := ParseCard(file, text)
		if err != nil {
			diags.merge(file, err)
			continue
		}
		cards = append(cards, c)
	}
	return cards
}

// cardFiles lists the files to read, each once.
func cardFiles(paths []string, diags *Diagnostics) []string {
	var files []string
	for _, path := range paths {
		if !isDir(path) {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			diags.add(path, Pos{}, "directory cannot be read: %s", plain(err))
			continue
		}
		before := len(files)
		for _, e := range entries {
			if IsCardFile(e.Name()) && !e.IsDir() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if len(files) == before {
			diags.add(path, Pos{}, "directory has no cards; name one with *.yaml, *.yml or *.json files")
		}
	}
	for i := range files {
		files[i] = filepath.Clean(files[i])
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// IsCardFile reports whether a file in a directory of cards is taken for one, by
// its name.
func IsCardFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// sortCards orders cards by id and reports ids given twice.
func sortCards(cards []*Card, diags *Diagnostics) {
	sort.SliceStable(cards, func(i, j int) bool { return cards[i].ID < cards[j].ID })
	for i := 1; i < len(cards); i++ {
		if a, b := cards[i-1], cards[i]; a.ID == b.ID {
			diags.add(b.File, b.Pos, "card id `%s` is already used by %s; give each card its own", b.ID, a.File)
		}
	}
}

// KeptProfile is the name of a profile that is kept as a version in a directory
// of its own, with its DBC files.
const KeptProfile = "profile.yaml"

// LoadVersions reads cards and vehicle profiles of any versions from a file or
// from every *.yaml, *.yml and *.json of a directory, and each KeptProfile one
// directory below; ids may repeat. The error is Diagnostics.
func LoadVersions(path string) (vehicles []*Vehicle, cards []*Card, err error) {
	var diags Diagnostics
	kept, err := filepath.Glob(filepath.Join(path, "*", KeptProfile))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	files := cardFiles([]string{path}, &diags)
	if kept != nil {
		diags = nil // of no cards
	}
	for _, file := range append(files, kept...) {
		text, err := load(file, maxProfileBytes)
		if err != nil {
			diags.merge(file, err)
			continue
		}
		if c, cardErr := ParseCard(file, text); cardErr == nil {
			cards = append(cards, c)
		} else if v, err := LoadVehicle(file); err == nil {
			vehicles = append(vehicles, v)
		} else if hasKey(string(text), "buses") {
			diags.merge(file, err)
		} else {
			diags.merge(file, cardErr)
		}
	}
	return vehicles, cards, diags.err()
}
