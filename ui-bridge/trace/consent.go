package trace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"vignette/scenes"
)

// consentFile holds every decision, the newest last. It is text: a first line, a
// line a decision, and a last line with the CRC-32C of all before it.
const (
	consentFile  = "consents"
	consentHead  = "vignette-consents 2\n"
	maxDecisions = 1024
)

// Decision is a driver's yes or no to a study.
type Decision struct {
	Study   string
	Version int
	SHA256  string // of the study card, which is what the decision is about
	User    uint64
	Given   bool      // false: withdrawn
	At      time.Time // in UTC, to the second; zero: nobody vouched for the clock
	Until   time.Time // in UTC; a yes holds before it
	Driver  Pseudonym // of a yes to a panel: what its episodes go under; else zero
}

// line is the decision as the file has it.
func (d *Decision) line() string {
	what := "withdrawn"
	if d.Given {
		what = "given"
	}
	return fmt.Sprintf("%s %s %d %s %d %s %s %x\n", what, d.Study, d.Version, d.SHA256, d.User, stamp(d.At), stamp(d.Until), d.Driver)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// parseDecision reads a line; one that this package would not write is refused.
func parseDecision(line string) (d Decision, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(f) != 8 {
		return d, false
	}
	d.Given, d.Study, d.SHA256 = f[0] == "given", f[1], f[3]
	d.Version, _ = strconv.Atoi(f[2]) // what is no number does not come out as written
	d.User, _ = strconv.ParseUint(f[4], 10, 64)
	d.At, _ = time.Parse(time.RFC3339, f[5])
	d.Until, _ = time.Parse(time.RFC3339, f[6])
	if driver, err := hex.DecodeString(f[7]); err == nil {
		copy(d.Driver[:], driver)
	}
	return d, d.line() == line
}

// consents are all decisions in the order in which they were made.
type consents struct {
	dir     string
	list    []Decision
	unsaved bool // the disk has not taken the last ones
}

// errConsents tells that the decisions cannot be read.
var errConsents = errors.New("the record of consents was damaged; recording is off until a driver decides anew")

// read reads the decisions. A file that is not exactly what this package writes
// gives errConsents: nothing is guessed from it, which counts as no consent.
func (c *consents) read() error {
	text, err := os.ReadFile(filepath.Join(c.dir, consentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read the consents: %w", err)
	}
	list, ok := parseConsents(text)
	if !ok {
		return errConsents
	}
	c.list = list
	return nil
}

func parseConsents(text []byte) (list []Decision, ok bool) {
	return parsed(consentHead, text, maxDecisions, parseDecision)
}

func consentsText(list []Decision) []byte {
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line()
	}
	return sealed(consentHead, lines)
}

// add makes a decision durable: after power loss at any moment it is whole or
// was not made. A damaged file is kept aside, under another name.
func (c *consents) add(d Decision, damaged bool) error {
	list, err := c.with(d)
	if err != nil {
		return err
	}
	return c.save(list, damaged)
}

// remember keeps a withdrawal that the disk did not take, until it does. There is
// always room: it replaces the yes before it.
func (c *consents) remember(d Decision) {
	if list, err := c.with(d); err == nil {
		c.list, c.unsaved = list, true
	}
}

// with are the decisions and one more.
func (c *consents) with(d Decision) ([]Decision, error) {
	list := append(slices.Clone(c.list), d)
	if len(list) > maxDecisions {
		if list = forgetOne(list); list == nil {
			return nil, fmt.Errorf("%d decisions are kept already, each the latest of its driver and study", maxDecisions)
		}
	}
	return list, nil
}

// save writes decisions, which then are the ones that count.
func (c *consents) save(list []Decision, damaged bool) error {
	if err := makeDir(c.dir); err != nil {
		return fmt.Errorf("create the trace directory: %w", err)
	}
	path := filepath.Join(c.dir, consentFile)
	if damaged {
		if err := os.Rename(path, path+".damaged"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put the damaged consents aside: %w", err)
		}
	}
	if err := replace(path, consentsText(list)); err != nil {
		return fmt.Errorf("write the consent: %w", err)
	}
	c.list, c.unsaved = list, false
	return nil
}

// forgetOne drops the oldest decision that a later one of the same driver and
// study has replaced; nil if there is none.
func forgetOne(list []Decision) []Decision {
	for i, d := range list {
		if slices.ContainsFunc(list[i+1:], func(o Decision) bool { return o.Study == d.Study && o.User == d.User }) {
			return slices.Delete(list, i, i+1)
		}
	}
	return nil
}

// latest is a driver's last decision on a study.
func (c *consents) latest(study string, user uint64) (Decision, bool) {
	if i := c.index(study, user); i >= 0 {
		return c.list[i], true
	}
	return Decision{}, false
}

// index is the place of a driver's last decision on a study, -1 if there is none.
func (c *consents) index(study string, user uint64) int {
	for i := len(c.list) - 1; i >= 0; i-- {
		if d := &c.list[i]; d.Study == study && d.User == user {
			return i
		}
	}
	return -1
}

// stands reports whether a driver's yes to exactly this card was not taken back.
func (c *consents) stands(s *scenes.Study, user uint64) bool {
	d, ok := c.latest(s.ID, user)
	return ok && d.Given && d.SHA256 == s.SHA256
}

// holds reports whether a yes stands and its time is not over.
func (c *consents) holds(s *scenes.Study, user uint64, wall time.Time) bool {
	d, _ := c.latest(s.ID, user)
	return c.stands(s, user) && wall.Before(d.Until)
}

// newest is the highest version of a study that anybody decided on: no card
// below it counts any more.
func (c *consents) newest(study string) int {
	version := 0
	for i := range c.list {
		if c.list[i].Study == study {
			version = max(version, c.list[i].Version)
		}
	}
	return version
}
