package agent

import (
	"path/filepath"

	"vignette/scenes"
)

// profile is what a deck knows of the vehicle profile's files.
type profile struct {
	files []string // the profile, its signature and its DBCs
}

// taken notes the files of a profile that was loaded.
func (p *profile) taken(v *scenes.Vehicle) {
	p.files = []string{v.File, v.File + ".minisig"}
	for _, b := range v.Buses {
		for _, f := range b.DBCs {
			path := f.File
			if !filepath.IsAbs(path) {
				path = filepath.Join(filepath.Dir(v.File), path)
			}
			p.files = append(p.files, path)
		}
	}
}

// newProfile has a profile that has changed run once the car is parked.
func (d *deck) newProfile() ([]string, error) { return nil, nil }
