package agent

import (
	"errors"
	"path/filepath"
	"strings"

	"vignette/scenes"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

// studyFiles are the files of studies, answers and those called back, as they were
// read last. Whoever reads them holds deck.mu, but for the first time.
type studyFiles struct {
	config   *Config
	log      uibridge.Logger
	contents [32]byte // stamp of all of them
	listed   int      // version of the newest list of those called back
	refused  []string // why answers are left out, as file:line:col: what
}

// studyPaths are the files and directories whose change may mean other studies.
func (c *Config) studyPaths() (paths []string) {
	if c.Traces == "" {
		return nil
	}
	for _, path := range append(append([]string{}, c.Studies.Cards...), c.Studies.Answers...) {
		paths = append(paths, path)
		files, err := scenes.SignedFiles(path)
		if err != nil {
			continue // told when it is read
		}
		for _, file := range files {
			paths = append(paths, file, file+signature)
		}
	}
	if c.Studies.Revoked != "" {
		paths = append(paths, c.Studies.Revoked, c.Studies.Revoked+signature)
	}
	return append(paths, c.Studies.Trust...)
}

// read reads the files. A list of those called back that is older than one before
// is refused as one with a bad signature is.
func (f *studyFiles) read() trace.Options {
	f.contents = stamp(f.config.studyPaths(), nil) // first: what changes meanwhile is found by the next look
	o, refused := loadStudies(f.config)
	if o.Stopped == nil {
		o.Stopped = f.grown(o.Revoked.Version)
	}
	f.refused = nil
	if refused != nil {
		f.refused = strings.Split(refused.Error(), "\n")
	}
	return o
}

// grown holds that the list of those called back only grows. Without a directory
// of state it does so until the agent ends; on a desk it may be any.
func (f *studyFiles) grown(version int) error {
	c := f.config
	if c.Unsigned || c.Studies.Revoked == "" {
		return nil
	}
	list := versioned{file: c.Studies.Revoked, what: "the list of those called back", id: "list", version: version}
	if c.State != "" {
		return grown(filepath.Join(c.State, revokedName), list, f.log)
	}
	if version < f.listed {
		return list.older(f.listed)
	}
	f.listed = version
	return nil
}

// lookAtStudies has the recorder go by what the files of studies say, if they are
// others, and returns why answers are left out. The caller holds deck.mu, and the
// loop has begun.
func (a *agent) lookAtStudies() []string {
	s := a.recorder
	if s == nil {
		return nil
	}
	if s.files.contents == stamp(a.config.studyPaths(), nil) {
		return s.files.refused
	}
	o := s.files.read()
	if err := s.Reload(o); err != nil {
		s.files.contents = [32]byte{} // again at the next look
	}
	if err := s.Problem(); err != nil {
		a.log.Error("recording of traces is stopped", "error", err)
	} else {
		a.log.Info("studies are read again", "studies", len(o.Studies), "answers", len(o.Answers))
	}
	a.bridge.TracesChanged()
	return s.files.refused
}

// loadStudies reads the study cards, those called back and the answer cards. Their
// keys are apart from those of the vehicle profile. What is wrong with studies and
// those called back is in Stopped; refused tells of answers that are left out.
func loadStudies(c *Config) (o trace.Options, refused error) {
	o.Car = trace.Car{Build: c.Studies.Build, Market: c.Studies.Market, Display: c.Studies.Display}
	var keys []sign.PublicKey
	readStudy, readAnswer := scenes.LoadStudy, scenes.LoadAnswer
	if !c.Unsigned && (len(c.Studies.Cards) > 0 || len(c.Studies.Answers) > 0 || c.Studies.Revoked != "") {
		if keys, o.Stopped = studyKeys(c); o.Stopped != nil {
			return o, nil
		}
		readStudy = func(path string) (*scenes.Study, error) { return scenes.LoadSignedStudy(path, keys) }
		readAnswer = func(path string) (*scenes.Answer, error) { return scenes.LoadSignedAnswer(path, keys) }
	}
	if o.Studies, o.Stopped = scenes.LoadStudies(c.Studies.Cards, readStudy); o.Stopped != nil {
		return o, nil
	}
	if c.Studies.Revoked != "" {
		if o.Revoked, o.Stopped = scenes.LoadRevocations(c.Studies.Revoked, keys); o.Stopped != nil {
			return o, nil
		}
	}
	o.Answers, refused = scenes.LoadAnswers(c.Studies.Answers, readAnswer)
	return o, refused
}

// studyKeys reads the keys that studies are signed with.
func studyKeys(c *Config) ([]sign.PublicKey, error) {
	if len(c.Studies.Trust) == 0 {
		return nil, errors.New("studies.trust is missing: name the minisign public key that study cards are signed with, or start with --unsigned on a desk")
	}
	return readKeys(c.Studies.Trust)
}
