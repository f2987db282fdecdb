package scenes

import (
	"time"

	"vignette/scenes/sign"
	"vignette/scenes/yaml"
)

// Limits of a study card. The ids travel as 16 bits; 0 is never given and 1
// stands for everything that is not registered.
const (
	maxStudyBytes = 1 << 20
	maxStudyNodes = 50_000
	maxStudyID    = 1<<16 - 1
	maxScreens    = 256
	maxElements   = 2048 // of a study
	maxTasks      = 64
	maxCohorts    = 1024
	maxSequences  = 2048
	maxStudies    = 16
	minK          = 5
	maxStudyDays  = 366 // from from to until
)

// Other is the id of a screen, element, gesture or outcome that no study names.
const Other = 1

// Study is a study card: a designer's question to drivers, and everything that
// may be recorded to answer it. It follows docs/study-cards.md.
type Study struct {
	Head // its SHA256 is what a driver consents to
	// Question and Purpose are what is asked, and what the answer is for.
	Question, Purpose Texts
	From, Until       time.Time // recording is from From on and before Until: whole days in UTC, the last one included
	Cohorts           []Cohort
	Screens           []Screen // by id
	Tasks             []Task   // by id
	Dictionary        []Sequence
	K                 int  // the least number of vehicles behind any released figure
	Panel             bool // mode: panel, which records personal data of test drivers
	PartOfDay         bool // part_of_day: told; else episodes have none, since it makes them easier to link
}

// RegretWithin is for how long after a card's action the driver's taking it back
// counts as undone.
const RegretWithin = 60 * time.Second

// ConsentWeeks is how many weeks a driver's yes to a study holds at most.
const ConsentWeeks = 12

// Cohort is a kind of car that is told apart: HMI build, market and display.
type Cohort struct {
	ID                     int
	Build, Market, Display string
	Vehicles               int // how many there are

	pos Pos
}

// cohortLeast is the least number of vehicles of a cohort that is told apart.
const cohortLeast = 1000

// Cohort returns the id under which a car's episodes go: 0, not told, unless
// the study lists its kind with at least 1,000 vehicles.
func (s *Study) Cohort(build, market, display string) int {
	for i := range s.Cohorts {
		c := &s.Cohorts[i]
		if c.Build == build && c.Market == market && c.Display == display && c.Vehicles >= cohortLeast {
			return c.ID
		}
	}
	return 0
}

// Task is what drivers try to do: from touching one element to touching
// another, on the screens between; or, where Card is not empty, what they make of
// a scene card: each of its firings that acted is an attempt, undone or not; or,
// where there are Choices, what they say when they are asked: each choice made.
type Task struct {
	ID         int
	Name       string
	Title      Texts
	Card       string // id of the scene card, which is the task's name too; it has no start, end or screens
	Start, End Place
	Screens    []int    // ids of the screens that belong to it; leaving them ends the attempt
	Choices    []Choice // of a feedback, whose question is Title; it is about AboutCard, or the screen or element Start
	AboutCard  string   // id of a watched card

	pos Pos
}

// Place is an element of a screen.
type Place struct {
	Screen, Element int // ids
	Name            Name
}

var (
	wordWant = "a name: lower-case letters, digits and _, at most 64, beginning with a letter"
	dateWant = "a date, such as 2026-03-31"
)

// study is a study card while it is read.
type study struct {
	*reader
	s          *Study
	until      Pos
	tasks      []taskText
	taskIDs    *ids // of tasks
	dictionary []sequenceText
}

// studyKeys is the table of a study card's keys.
func studyKeys() object[study] {
	return object[study]{"the study card", append(headKeys(func(t *study) *Head { return &t.s.Head }), []key[study]{
		{"question", required, func(r *reader, n *yaml.Node, t *study) { t.s.Question = r.bothTexts(n, "`question`") }},
		{"purpose", required, func(r *reader, n *yaml.Node, t *study) { t.s.Purpose = r.bothTexts(n, "`purpose`") }},
		{"from", required, func(r *reader, n *yaml.Node, t *study) { t.s.From = r.date(n) }},
		{"until", required, func(r *reader, n *yaml.Node, t *study) {
			if last := r.date(n); !last.IsZero() {
				t.s.Until, t.until = last.AddDate(0, 0, 1), at(n)
			}
		}},
		{"mode", required, func(r *reader, n *yaml.Node, t *study) { t.s.Panel = r.word(n, "fleet", "panel") == "panel" }},
		{"part_of_day", optional, func(r *reader, n *yaml.Node, t *study) { t.s.PartOfDay = r.word(n, "dropped", "told") == "told" }},
		{"k", required, func(r *reader, n *yaml.Node, t *study) { t.s.K = r.whole(n, minK, maxProfile) }},
		{"cohorts", optional, (*reader).readCohorts},
		{"screens", optional, (*reader).readScreens},
		{"tasks", optional, func(r *reader, n *yaml.Node, t *study) { r.readTasks(n, t, "`tasks`", taskKeys()) }},
		{"cards", optional, func(r *reader, n *yaml.Node, t *study) { r.readTasks(n, t, "`cards`", cardTaskKeys()) }},
		{"feedback", optional, func(r *reader, n *yaml.Node, t *study) { r.readTasks(n, t, "`feedback`", feedbackKeys()) }},
		{"dictionary", optional, (*reader).readDictionary},
	}...)}
}

// resolveDates checks the study's length.
func (t *study) resolveDates() {
	if t.s.From.IsZero() || t.s.Until.IsZero() {
		return // missing or wrong, and noted
	}
	switch days := t.s.Until.Sub(t.s.From).Hours() / 24; {
	case days < 1:
		t.diags.add(t.file, t.until, "`until` is before `from`; correct one of them")
	case days > maxStudyDays:
		t.diags.add(t.file, t.until, "`until` is more than a year after `from`; ask again with another study instead")
	}
}

func (r *reader) readCohorts(n *yaml.Node, t *study) {
	table := object[Cohort]{"a cohort", []key[Cohort]{
		{"id", required, func(r *reader, n *yaml.Node, c *Cohort) { c.ID, c.pos = r.whole(n, 1, maxStudyID), at(n) }},
		{"build", required, func(r *reader, n *yaml.Node, c *Cohort) { c.Build = r.text(n) }},
		{"market", required, func(r *reader, n *yaml.Node, c *Cohort) { c.Market = r.text(n) }},
		{"display", required, func(r *reader, n *yaml.Node, c *Cohort) { c.Display = r.text(n) }},
		{"vehicles", required, func(r *reader, n *yaml.Node, c *Cohort) { c.Vehicles = r.whole(n, 1, maxProfile) }},
	}}
	ids := newIDs(r, "cohort")
	r.atMost(n, maxCohorts)
	r.list(n, "`cohorts`", func(n *yaml.Node) {
		var c Cohort
		if !table.read(r, n, &c) || !ids.fresh(n, c.ID) {
			return
		}
		for _, o := range t.s.Cohorts {
			if o.Build == c.Build && o.Market == c.Market && o.Display == c.Display {
				r.fault(n, "cohorts %d and %d are the same build, market and display; keep one", o.ID, c.ID)
			}
		}
		t.s.Cohorts = append(t.s.Cohorts, c)
	})
}

// ids holds that ids of one kind are given once.
type ids struct {
	r    *reader
	what string
	seen map[int]Pos
}

func newIDs(r *reader, what string) *ids { return &ids{r, what, map[int]Pos{}} }

// fresh notes an id, and an error at n if it was given before.
func (i *ids) fresh(n *yaml.Node, id int) bool {
	if first, twice := i.seen[id]; twice {
		i.r.fault(n, "%s id %d is already used at line %d; give each its own", i.what, id, first.Line)
		return false
	}
	i.seen[id] = at(n)
	return true
}

// atMost holds a list to its bound.
func (r *reader) atMost(n *yaml.Node, most int) {
	if n.Kind == yaml.SequenceNode && len(n.Content) > most {
		r.wrong(n, "has %d entries, at most %d are read; split the study", len(n.Content), most)
	}
}

// ParseStudy reads one study card from text; file is its name in messages. The
// error is Diagnostics.
func ParseStudy(file string, text []byte) (*Study, error) {
	r := &reader{file: file}
	if len(text) > maxStudyBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxStudyBytes))
		return nil, r.diags.err()
	}
	t := &study{reader: r, s: &Study{Head: Head{File: file, SHA256: hash(text)}}}
	if root := r.document(text, maxStudyNodes); root != nil && r.mapping(root, "the study card") {
		studyKeys().read(r, root, t)
		t.resolve()
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return t.s, nil
}

// resolve checks what several keys must agree on.
func (t *study) resolve() {
	t.resolveDates()
	if len(t.diags) > 0 {
		return // what is named may be among what is wrong
	}
	if len(t.tasks) == 0 {
		t.diags.add(t.file, t.s.pos, "the study has nothing to record; add `tasks`, `cards` or `feedback`")
	}
	t.resolveTasks()
	t.resolveDictionary()
	if len(t.diags) == 0 {
		t.checkOffered()
	}
	if t.s.Panel && len(t.dictionary) > 0 {
		t.diags.add(t.file, t.s.pos, "a panel makes a dictionary, it has none; leave `dictionary` out, or write `mode: fleet`")
	}
}

// studyCards are study cards as signed cards.
var studyCards = signable[*Study]{"study", maxStudyBytes, maxStudies, ParseStudy}

// LoadStudy reads a study card without asking for its signature: for desks.
func LoadStudy(path string) (*Study, error) { return studyCards.load(path, nil) }

// LoadSignedStudy reads a study card if its signature, the file path.minisig
// beside it, is one of keys'.
func LoadSignedStudy(path string, keys []sign.PublicKey) (*Study, error) {
	return studyCards.load(path, asked(keys))
}

// LoadStudies reads study cards from files and from the *.yaml, *.yml and *.json
// of directories, which may be empty, with read: LoadStudy or one that checks
// signatures. They are returned by id, each once.
func LoadStudies(paths []string, read func(path string) (*Study, error)) ([]*Study, error) {
	list, err := studyCards.loadAll(paths, read)
	if err != nil {
		return nil, err
	}
	return list, nil
}
