package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// write lays a dataset out, segments in the order of their arrival, each in the
// directory of the day on which it arrived.
func write(dir, study string, segments []segment, facts *Facts) error {
	card, err := os.ReadFile(study)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "segments"), 0o755); err != nil {
		return err
	}
	for i := range segments {
		if err := segments[i].write(dir); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "study.yaml"), card, 0o644),
		writeTruth(filepath.Join(dir, "truth.jsonl"), segments),
		os.WriteFile(filepath.Join(dir, "fleet.json"), append(text, '\n'), 0o644))
}

// write puts a segment in its place, with the time that it came with.
func (s *segment) write(dir string) error {
	s.truth.File = filepath.Join("segments", s.truth.Released.Format(time.DateOnly), s.name)
	path := filepath.Join(dir, s.truth.File)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s: two segments of one name", path)
	}
	return errors.Join(os.WriteFile(path, s.bytes, 0o644), os.Chtimes(path, s.time, s.time))
}

// writeTruth writes a line an episode.
func writeTruth(path string, segments []segment) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range segments {
		err = errors.Join(err, enc.Encode(&segments[i].truth))
	}
	return errors.Join(err, w.Flush(), f.Close())
}
