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
	Vehicle   string            `yaml:"vehicle"`   // vehicle profile
	Cards     []string          `yaml:"cards"`     // card files and directories
	Source    SourceConfig      `yaml:"source"`    // where frames come from
	Bus       string            `yaml:"bus"`       // D-Bus: system, session, or an address
	Buses     map[string]string `yaml:"buses"`     // addresses of further buses that the profile's calls name
	Language  string            `yaml:"language"`  // BCP-47 tag of the texts for the driver
	Decisions DecisionsConfig   `yaml:"decisions"` // the decision log; no file: none
	Journal   string            `yaml:"journal"`   // file of the journal; empty: none
	Traces    string            `yaml:"traces"`    // directory of interaction traces; empty: none
}

// SourceConfig names where frames come from. This version reads a recording;
// live buses come behind the same keys.
type SourceConfig struct {
	Log      string        `yaml:"log"`      // candump log
	Map      []string      `yaml:"map"`      // CHANNEL=BUS
	Speed    string        `yaml:"speed"`    // 1x, 10x … or max
	Duration time.Duration `yaml:"duration"` // of the recording; 0: all of it
	// Replies is "assumed" (a call counts as answered in its own step, as
	// vignette replay does on a recording) or "events" (replies are events and
	// readbacks are judged, as on live buses).
	Replies string `yaml:"replies"`
}

// DecisionsConfig names the decision log.
type DecisionsConfig struct {
	File   string `yaml:"file"`
	Format string `yaml:"format"` // msgpack or jsonl
}

// Defaults are what a configuration file leaves out.
func Defaults() Config {
	return Config{Bus: "system", Language: "en",
		Source:    SourceConfig{Speed: "1x", Replies: "assumed"},
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
		return nil, explain(path, err)
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

// explain puts the YAML reader's errors as file:line: what.
func explain(path string, err error) error {
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
	for _, v := range []any{Config{}, SourceConfig{}, DecisionsConfig{}} {
		if t := reflect.TypeOf(v); t.String() == name {
			for i := range t.NumField() {
				keys = append(keys, t.Field(i).Tag.Get("yaml"))
			}
		}
	}
	return keys
}

// check reports what is missing or no known word.
func (c *Config) check() error {
	if _, err := drive.ParseSpeed(c.Source.Speed); err != nil {
		return fmt.Errorf("source.%w", err)
	}
	if _, err := drive.ParseLogFormat(c.Decisions.Format); err != nil {
		return fmt.Errorf("decisions.format: %w", err)
	}
	switch {
	case c.Vehicle == "":
		return errors.New("vehicle is missing; name the vehicle profile")
	case len(c.Cards) == 0:
		return errors.New("cards is missing; name card files or directories")
	case c.Source.Log == "":
		return errors.New("source.log is missing; name a candump log")
	case c.Source.Duration < 0:
		return errors.New("source.duration is below zero")
	case c.Source.Replies != "assumed" && c.Source.Replies != "events":
		return fmt.Errorf("source.replies: %q is not assumed or events", c.Source.Replies)
	}
	return nil
}

// resolve makes file names relative to the configuration's directory.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.Vehicle, &c.Source.Log, &c.Decisions.File, &c.Journal, &c.Traces} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for i, p := range c.Cards {
		if !filepath.IsAbs(p) {
			c.Cards[i] = filepath.Join(dir, p)
		}
	}
}
