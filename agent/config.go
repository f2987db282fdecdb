// Package agent is the car's run loop: it wires a source of frames, the pump,
// the D-Bus face and the trace recorder, and stamps what arrives.
package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"vignette/scenes/drive"
	"vignette/scenes/yaml"
)

// maxConfigBytes bounds a configuration file.
const maxConfigBytes = 64 << 10

// Config is the agent's configuration file. File names are relative to it.
type Config struct {
	Vehicle       string            // vehicle profile
	Trust         []string          // minisign public keys, one of which must have signed the profile
	Cards         []string          // card files and directories
	Source        SourceConfig      // where frames come from
	Bus           string            // D-Bus: system, session, or an address
	Buses         map[string]string // addresses of further buses that the profile's calls name
	Language      string            // BCP-47 tag of the texts for the driver
	Decisions     DecisionsConfig   // the decision log; no file: none
	Journal       string            // file of the journal; empty: none
	JournalLimits Limits            // of the journal; default 64 MiB, 1 earlier file, 24h
	Traces        string            // directory of interaction traces; empty: none
	Studies       StudiesConfig     // what may be recorded there
	Packs         PacksConfig       // by whose word packs of cards are taken
	State         string            // directory of what outlives the process; empty: nothing does
	PreviewMiB    int               // of recent frames in memory, for previews; default 2, 0: none
	Sleep         string            // who tells of sleep and shutdown: login1 (default), where it is there, or none

	Unsigned bool // --unsigned: the profile needs no signature, for a desk
}

// SourceConfig names where frames come from: a recording, or without one live
// buses, those that the profile's `interface` keys name or those of a pipe.
type SourceConfig struct {
	Log      string        // candump log; empty: live buses
	Pipe     string        // named pipe with candump lines of live buses; empty: CAN sockets
	Map      []string      // CHANNEL=BUS; of CAN sockets INTERFACE=BUS
	Speed    string        // of the recording: 1x (default), 10x … or max
	Duration time.Duration // of the recording; 0: all of it
	// Replies is, for a recording, "assumed" (default: a call counts as answered
	// in its own step, as vignette replay does) or "events" (replies are events
	// and readbacks are judged). On live buses it is always "events".
	Replies string
}

// DecisionsConfig names the decision log.
type DecisionsConfig struct {
	File   string
	Format string // msgpack or jsonl
	Limits Limits // default 8 MiB, 4 earlier files, 720h
}

// StudiesConfig names the study cards, and what the car is to them.
type StudiesConfig struct {
	Cards   []string // study card files and directories; empty: nothing is recorded
	Answers []string // answer card files and directories; empty: none
	Trust   []string // minisign public keys, one of which must have signed each study card and answer card
	Revoked string   // signed list of the cards that are called back; empty: none
	Build   string   // of the HMI, as cohorts name it
	Market  string
	Display string
}

// PacksConfig names the manufacturer's lists about packs of cards.
type PacksConfig struct {
	Trust   string // trust list of authors; empty: none is trusted
	Revoked string // list of packs and keys that are called back, signed as the profile is; empty: none
}

// Defaults are what a configuration file leaves out.
func Defaults() Config {
	return Config{Bus: "system", Language: "en", Sleep: login1, PreviewMiB: 2,
		Decisions: DecisionsConfig{Format: "msgpack"}}
}

// LoadConfig reads a configuration file, strictly: unknown and repeated keys
// are errors that name the line.
func LoadConfig(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxConfigBytes:
		return nil, fmt.Errorf("%s is longer than %d KiB; shorten it", path, maxConfigBytes>>10)
	}
	c := Defaults()
	root, faults := yaml.Parse(string(text), yaml.Limits{Depth: 8, Nodes: maxConfigBytes})
	if root != nil {
		r := fieldsReader{faults}
		r.mapping(root, c.fields())
		faults = r.faults
	}
	if err := located(path, faults); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	return &c, nil
}

// fields are the keys of a configuration file.
func (c *Config) fields() []field {
	return []field{
		{"vehicle", &c.Vehicle}, {"trust", &c.Trust}, {"cards", &c.Cards}, {"bus", &c.Bus}, {"buses", &c.Buses}, {"language", &c.Language},
		{"source", []field{
			{"log", &c.Source.Log}, {"pipe", &c.Source.Pipe}, {"map", &c.Source.Map}, {"speed", &c.Source.Speed},
			{"duration", &c.Source.Duration}, {"replies", &c.Source.Replies},
		}},
		{"decisions", []field{{"file", &c.Decisions.File}, {"format", &c.Decisions.Format}, {"limits", c.Decisions.Limits.fields()}}},
		{"journal", &c.Journal}, {"journal_limits", c.JournalLimits.fields()}, {"traces", &c.Traces},
		{"studies", []field{
			{"cards", &c.Studies.Cards}, {"answers", &c.Studies.Answers}, {"trust", &c.Studies.Trust}, {"revoked", &c.Studies.Revoked},
			{"build", &c.Studies.Build}, {"market", &c.Studies.Market}, {"display", &c.Studies.Display},
		}},
		{"packs", []field{{"trust", &c.Packs.Trust}, {"revoked", &c.Packs.Revoked}}},
		{"state", &c.State}, {"preview_mib", &c.PreviewMiB}, {"sleep", &c.Sleep},
	}
}

// check reports what is missing or no known word.
func (c *Config) check() error {
	if _, err := drive.ParseLogFormat(c.Decisions.Format); err != nil {
		return fmt.Errorf("decisions.format: %w", err)
	}
	if err := errors.Join(c.Decisions.Limits.check("decisions.limits"), c.JournalLimits.check("journal_limits")); err != nil {
		return err
	}
	switch {
	case c.Vehicle == "":
		return errors.New("vehicle is missing; name the vehicle profile")
	case c.PreviewMiB < 0 || c.PreviewMiB > mostPreviewMiB:
		return fmt.Errorf("preview_mib: %d is not within 0 and %d", c.PreviewMiB, mostPreviewMiB)
	case len(c.Cards) == 0:
		return errors.New("cards is missing; name card files or directories")
	}
	if c.Sleep != login1 && c.Sleep != none {
		return fmt.Errorf("sleep: %q is not %s or %s", c.Sleep, login1, none)
	}
	if err := c.Source.check(); err != nil {
		return err
	}
	if c.Traces == "" && len(c.Studies.Cards) > 0 {
		return errors.New("studies.cards: there is no directory for what is recorded; name one with traces")
	}
	if c.Traces == "" && len(c.Studies.Answers) > 0 {
		return errors.New("studies.answers: there is no directory that says who took part; name one with traces")
	}
	if len(c.Studies.Answers) > 0 && c.Studies.Build == "" {
		return errors.New("studies.answers: an answer is for builds of the HMI; name this car's with studies.build")
	}
	if c.State != "" && !c.Source.judged() {
		return errors.New("state: where replies are assumed nothing was done that could be kept; leave it out, or write source.replies: events")
	}
	return nil
}

// check reports what is no known word, and what fits recordings only.
func (c *SourceConfig) check() error {
	switch {
	case c.Duration < 0:
		return errors.New("source.duration is below zero")
	case c.Replies != "" && c.Replies != assumed && c.Replies != events:
		return fmt.Errorf("source.replies: %q is not assumed or events", c.Replies)
	case c.Log != "" && c.Pipe != "":
		return errors.New("source.log and source.pipe are two sources; name one")
	case c.Log != "":
		if c.Speed == "" {
			c.Speed = "1x"
		}
		if _, err := drive.ParseSpeed(c.Speed); err != nil {
			return fmt.Errorf("source.%w", err)
		}
	case c.Speed != "":
		return errors.New("source.speed is for a recording; name one with source.log, or leave it out")
	case c.Duration != 0:
		return errors.New("source.duration is for a recording; name one with source.log, or leave it out")
	case c.Replies == assumed:
		return errors.New("source.replies: assumed is for a recording; live buses have events")
	}
	return nil
}

// The words of source.replies.
const (
	assumed = "assumed"
	events  = "events"
)

// The words of sleep.
const (
	login1 = "login1"
	none   = "none"
)

// judged tells whether replies are events and readbacks are judged.
func (c *SourceConfig) judged() bool { return c.Log == "" || c.Replies == events }

// String names the source for people.
func (c *SourceConfig) String() string {
	switch {
	case c.Pipe != "":
		return "live buses through " + c.Pipe
	case c.Log == "":
		return "live buses"
	}
	return c.Log + " at " + c.Speed
}

// resolve makes file names relative to the configuration's directory.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.Vehicle, &c.Source.Log, &c.Source.Pipe, &c.Decisions.File, &c.Journal, &c.Traces, &c.Studies.Revoked, &c.Packs.Trust, &c.Packs.Revoked, &c.State} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for _, list := range [][]string{c.Cards, c.Trust, c.Studies.Cards, c.Studies.Answers, c.Studies.Trust} {
		for i, p := range list {
			if !filepath.IsAbs(p) {
				list[i] = filepath.Join(dir, p)
			}
		}
	}
}
