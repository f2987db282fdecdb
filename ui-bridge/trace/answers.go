package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vignette/scenes"
)

// ErrUnknownAnswer tells that the present driver has no such answer.
var ErrUnknownAnswer = errors.New("no such answer to the present driver")

// Told is an answer to the present driver.
type Told struct {
	Answer *scenes.Answer
	Seen   bool // the driver has dismissed these words
	Quiet  bool // the driver has taken the consent back: it is there to be found, and is not announced
}

// Answers are what studies have led to that the present driver took part in, by
// id: those that the car's HMI build has, also to who has withdrawn since. There
// are none for a guest, and none while recording is stopped.
func (r *Recorder) Answers() []Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told()
}

// told is Answers; the caller holds mu.
func (r *Recorder) told() (list []Told) {
	if r.user == 0 || r.stopped != nil {
		return nil
	}
	for _, a := range r.answers {
		if r.revoked.HasAnswer(a) || !a.At(r.car.Build) || a.Version < r.seen.newest(a.ID) || !r.consents.tookPart(a, r.user) {
			continue
		}
		d, _ := r.consents.latest(a.Study, r.user)
		list = append(list, Told{Answer: a, Seen: r.seen.has(a, r.user), Quiet: !d.Given})
	}
	return list
}

// tookPart reports whether a driver has ever said yes to what an answer answers;
// a withdrawal is of such a yes.
func (c *consents) tookPart(a *scenes.Answer, user uint64) bool {
	return slices.ContainsFunc(c.list, func(d Decision) bool { return d.User == user && a.Answers(d.Study, d.Version) })
}

// AnswerSeen notes that the present driver has dismissed an answer; it is durable
// when it returns. It is no error to dismiss one twice.
func (r *Recorder) AnswerSeen(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.told()
	i := slices.IndexFunc(list, func(t Told) bool { return t.Answer.ID == id })
	switch {
	case r.closed:
		return ErrClosed
	case r.user == 0:
		return ErrNoDriver
	case i < 0:
		return fmt.Errorf("%w: %q", ErrUnknownAnswer, id)
	case list[i].Seen:
		return nil
	}
	return r.seen.add(list[i].Answer, r.user, r.answers)
}

// seenFile holds which answers were dismissed, beside the consents that it hangs
// on: no driver without a decision has a line.
const (
	seenFile = "answers-seen"
	seenHead = "vignette-answers-seen 1\n"
	maxSeen  = 1024
)

// mark is an answer that a driver has dismissed.
type mark struct {
	answer  string
	version int
	words   string // SHA-256 of what was read, hexadecimal
	user    uint64
}

func (m *mark) line() string {
	return fmt.Sprintf("%s %d %s %d\n", m.answer, m.version, m.words, m.user)
}

// parseMark reads a line; one that this package would not write is refused.
func parseMark(line string) (m mark, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(f) != 4 {
		return m, false
	}
	m.answer, m.words = f[0], f[2]
	m.version, _ = strconv.Atoi(f[1]) // what is no number does not come out as written
	m.user, _ = strconv.ParseUint(f[3], 10, 64)
	return m, m.line() == line
}

// seen are the answers that were dismissed, one mark an answer and driver, the
// newest last.
type seen struct {
	dir  string
	list []mark
}

// read reads the marks. A file that is not exactly what this package writes holds
// none, so that answers come again: damaged tells.
func (s *seen) read() (damaged bool, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, seenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read which answers were seen: %w", err)
	}
	list, ok := parseSeen(text)
	s.list = list
	return !ok, nil
}

func parseSeen(text []byte) (list []mark, ok bool) {
	return parsed(seenHead, text, maxSeen, parseMark)
}

// newest is the highest version of an answer that anybody dismissed: no card
// below it counts any more.
func (s *seen) newest(answer string) (version int) {
	for i := range s.list {
		if s.list[i].answer == answer {
			version = max(version, s.list[i].version)
		}
	}
	return version
}

// has reports whether a driver has dismissed the words of an answer.
func (s *seen) has(a *scenes.Answer, user uint64) bool {
	return slices.ContainsFunc(s.list, func(m mark) bool { return m.answer == a.ID && m.user == user && m.words == a.Words })
}

// add makes a mark durable. Of too many one goes that is of no answer in the car.
func (s *seen) add(a *scenes.Answer, user uint64, inCar []*scenes.Answer) error {
	list := slices.DeleteFunc(slices.Clone(s.list), func(m mark) bool { return m.answer == a.ID && m.user == user })
	list = append(list, mark{a.ID, a.Version, a.Words, user})
	if len(list) > maxSeen {
		i := slices.IndexFunc(list, func(m mark) bool {
			return !slices.ContainsFunc(inCar, func(a *scenes.Answer) bool { return a.ID == m.answer })
		})
		if i < 0 {
			return fmt.Errorf("%d dismissed answers are kept already, each of an answer that is in the car", maxSeen)
		}
		list = slices.Delete(list, i, i+1)
	}
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line()
	}
	if err := replace(filepath.Join(s.dir, seenFile), sealed(seenHead, lines)); err != nil {
		return fmt.Errorf("write that an answer was seen: %w", err)
	}
	s.list = list
	return nil
}
