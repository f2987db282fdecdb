// Package agent is the car's run loop: it wires a source of frames, the pump,
// the D-Bus face and the trace recorder, and stamps what arrives.
package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"vignette/scenes/drive"
)

// Config is the agent's configuration file. File names are relative to it.
type Config struct {
	Vehicle       string            `yaml:"vehicle"`        // vehicle profile
	Trust         []string          `yaml:"trust"`          // minisign public keys, one of which must have signed the profile
	Cards         []string          `yaml:"cards"`          // card files and directories
	Source        SourceConfig      `yaml:"source"`         // where frames come from
	Bus           string            `yaml:"bus"`            // D-Bus: system, session, or an address
	Buses         map[string]string `yaml:"buses"`          // addresses of further buses that the profile's calls name
	Language      string            `yaml:"language"`       // BCP-47 tag of the texts for the driver
	Decisions     DecisionsConfig   `yaml:"decisions"`      // the decision log; no file: none
	Journal       string            `yaml:"journal"`        // file of the journal; empty: none
	JournalLimits Limits            `yaml:"journal_limits"` // of the journal; default 64 MiB, 1 earlier file, 24h
	Traces        string            `yaml:"traces"`         // directory of interaction traces; empty: none
	Studies       StudiesConfig     `yaml:"studies"`        // what may be recorded there
	Packs         PacksConfig       `yaml:"packs"`          // by whose word packs of cards are taken
	State         string            `yaml:"state"`          // directory of what outlives the process; empty: nothing does
	PreviewMiB    int               `yaml:"preview_mib"`    // of recent frames in memory, for previews; default 2, 0: none
	Sleep         string            `yaml:"sleep"`          // who tells of sleep and shutdown: login1 (default), where it is there, or none

	Unsigned bool `yaml:"-"` // --unsigned: the profile needs no signature, for a desk
}

// SourceConfig names where frames come from: a recording, or without one live
// buses, those that the profile's `interface` keys name or those of a pipe.
type SourceConfig struct {
	Log      string        `yaml:"log"`      // candump log; empty: live buses
	Pipe     string        `yaml:"pipe"`     // named pipe with candump lines of live buses; empty: CAN sockets
	Map      []string      `yaml:"map"`      // CHANNEL=BUS; of CAN sockets INTERFACE=BUS
	Speed    string        `yaml:"speed"`    // of the recording: 1x (default), 10x … or max
	Duration time.Duration `yaml:"duration"` // of the recording; 0: all of it
	// Replies is, for a recording, "assumed" (default: a call counts as answered
	// in its own step, as vignette replay does) or "events" (replies are events
	// and readbacks are judged). On live buses it is always "events".
	Replies string `yaml:"replies"`
}

// DecisionsConfig names the decision log.
type DecisionsConfig struct {
	File   string `yaml:"file"`
	Format string `yaml:"format"` // msgpack or jsonl
	Limits Limits `yaml:"limits"` // default 8 MiB, 4 earlier files, 720h
}

// StudiesConfig names the study cards, and what the car is to them.
type StudiesConfig struct {
	Cards   []string `yaml:"cards"`   // study card files and directories; empty: nothing is recorded
	Answers []string `yaml:"answers"` // answer card files and directories; empty: none
	Trust   []string `yaml:"trust"`   // minisign public keys, one of which must have signed each study card and answer card
	Revoked string   `yaml:"revoked"` // signed list of the cards that are called back; empty: none
	Build   string   `yaml:"build"`   // of the HMI, as cohorts name it
	Market  string   `yaml:"market"`
	Display string   `yaml:"display"`
}

// PacksConfig names the manufacturer's lists about packs of cards.
type PacksConfig struct {
	Trust   string `yaml:"trust"`   // trust list of authors; empty: none is trusted
	Revoked string `yaml:"revoked"` // list of packs and keys that are called back, signed as the profile is; empty: none
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
	c := Defaults()
	dec := yaml.NewDecoder(io.LimitReader(f, 64<<10))
	dec.KnownFields(true)
	if err := dec.Decode(&c); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the configuration is empty", path)
	} else if err != nil {
		return nil, located(path, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.resolve(filepath.Dir(path))
	return &c, nil
}

var (
	atLine     = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)`)
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type (\S+)$`)
)

// located puts the YAML reader's errors as file:line: what.
func located(path string, err error) error {
	list := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		list = several.Errors
	}
	for i, text := range list {
		line, what := "", strings.TrimPrefix(text, "yaml: ")
		if m := atLine.FindStringSubmatch(text); m != nil {
			line, what = m[1]+":", m[2]
		}
		if m := unknownKey.FindStringSubmatch(what); m != nil {
			what = "unknown key " + m[1] + "; known are " + strings.Join(keysOf(m[2]), ", ")
		}
		list[i] = fmt.Sprintf("%s:%s %s", path, line, what)
	}
	return errors.New(strings.Join(list, "\n"))
}

// keysOf lists the keys of a configuration type by its name.
func keysOf(name string) (keys []string) {
	for _, v := range []any{Config{}, SourceConfig{}, DecisionsConfig{}, StudiesConfig{}, PacksConfig{}, Limits{}} {
		if t := reflect.TypeOf(v); t.String() == name {
			for i := range t.NumField() {
				if key := t.Field(i).Tag.Get("yaml"); key != "-" {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
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
