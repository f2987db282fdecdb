package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// deck keeps the running program up with the files that it comes from: cards,
// profile and DBCs, and the recorder with those of studies. Files are read,
// checked and compiled on its own goroutine or a caller's; the loop does no more
// than take the finished program over.
type deck struct {
	a        *agent
	config   *Config
	log      uibridge.Logger
	hints    *hints
	problems atomic.Pointer[[]string] // as file:line:col: what; any goroutine
	newer    atomic.Pointer[[]string] // files of a newer version that the start has found; any goroutine
	taken    chan struct{}            // a profile that waited was taken
	closing  chan struct{}
	done     chan struct{}

	previewing sync.Mutex               // one preview, or look at a pack, at a time
	warrants   atomic.Pointer[warrants] // by whose word packs are here

	mu       sync.Mutex // one at a time looks at files or changes them; guards what follows
	cards    *scenes.Deck
	versions *versions // nil: no journal may need them
	profile  profile
	refusing string // proof of the author whose cards are gone for a moment; empty: nobody's
}

// openDeck loads what the configuration names. A card that does not load is left
// out and told; see openProfile of a profile that does not. On a desk it is an
// error too if no card loads: a car goes on without, and ends its leases.
func openDeck(c *Config, log uibridge.Logger) (*deck, *scenes.Program, error) {
	d := &deck{config: c, log: log, cards: scenes.NewDeck(c.Cards, c.installed()), taken: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	d.problems.Store(&[]string{})
	if c.State != "" && (c.Journal != "" || !c.Unsigned) {
		d.versions = &versions{dir: filepath.Join(c.State, "versions"), log: log}
	}
	if c.State != "" && c.Journal != "" {
		d.cards.Read = d.versions.card
	}
	v, err := d.openProfile()
	if err != nil {
		return nil, nil, err
	}
	for _, dir := range []string{c.installed(), c.State} {
		if err := scenes.ClearStaged(dir); err != nil { // nobody reads them, and each is begun anew when it is written next
			log.Error("what a kill has left half written cannot be removed", "error", err)
		}
	}
	d.readWarrants()
	d.cards.Bars, d.cards.Most = d.bars, uibridge.MaxCards
	d.cards.Scan()
	prog, faults := d.compileFirst(v)
	if prog == nil || c.Unsigned && len(prog.Cards) == 0 && len(faults) > 0 {
		return nil, nil, faults
	}
	d.cards.Took(prog)
	d.show(slices.Concat(texts(faults), d.warrants.Load().faults, d.profile.faults))
	return d, prog, nil
}

// compileFirst compiles what a start runs. Cards that fit each but not together,
// such as under another budget, do not keep a car from starting: the last ones are
// left out, and all are told of until they fit.
func (d *deck) compileFirst(v *scenes.Vehicle) (*scenes.Program, scenes.Diagnostics) {
	prog, faults := d.cards.Compile(v)
	all := faults
	for prog == nil && !d.config.Unsigned && d.cards.Most > 1 {
		d.cards.Most /= 2
		prog, faults = d.cards.Compile(v)
	}
	d.cards.Most = uibridge.MaxCards
	for _, f := range all {
		if !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	return prog, faults
}

// installed is the directory of installed cards; empty: none can be.
func (c *Config) installed() string {
	if c.State == "" {
		return ""
	}
	return filepath.Join(c.State, "cards")
}

// start begins to follow the files. What it finds waits for the loop.
func (d *deck) start(a *agent) {
	d.a = a
	d.hints = newHints(d.log)
	d.hints.watch(d.paths())
	go func() {
		defer close(d.done)
		for {
			select {
			case <-d.closing:
				return
			case <-d.hints.C:
			case <-d.taken:
			}
			if err := d.look(); err != nil {
				return // the agent ends
			}
		}
	}()
}

// Close ends the following; a look that is under way has ended with the loop.
func (d *deck) Close() error {
	if d.hints == nil {
		return nil
	}
	close(d.closing)
	<-d.done
	return d.hints.Close()
}

// look has the program be what the files say. Its error is of a loop that takes
// no more work.
func (d *deck) look() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.update()
}

// update is look; the caller holds mu.
func (d *deck) update() error {
	d.hints.watch(d.paths()) // first, so that nothing changes unseen behind the look
	others := d.readWarrants()
	d.cards.Scan()
	faults, err := d.exchange()
	if err == nil && others {
		err = d.a.do(d.a.announce)
	}
	if err != nil {
		return err
	}
	more, err := d.lookAtProfile()
	if err != nil {
		return err
	}
	d.show(slices.Concat(texts(faults), d.warrants.Load().faults, more, d.a.lookAtStudies()))
	d.hints.watch(d.paths())
	d.versions.prune(append(d.cards.Hashes(), d.profile.contents))
	return nil
}

// exchange has the cards that were scanned last run with the profile that runs.
func (d *deck) exchange() (scenes.Diagnostics, error) {
	for {
		running, err := d.running()
		if err != nil {
			return nil, err
		}
		next, faults := d.cards.Compile(running.Vehicle)
		if next == nil {
			return faults, nil
		}
		if !sameCards(running, next) {
			err = d.a.do(func() error { return d.a.swap(running, next) })
		}
		switch {
		case errors.Is(err, errOvertaken):
			continue
		case err != nil:
			return nil, err
		}
		d.cards.Took(next)
		return faults, nil
	}
}

// running is the program that runs.
func (d *deck) running() (p *scenes.Program, err error) {
	err = d.a.do(func() error { p = d.a.prog; return nil })
	return p, err
}

// sameCards reports whether two programs of one profile have the same cards, by
// content.
func sameCards(p, q *scenes.Program) bool {
	return slices.EqualFunc(p.Cards, q.Cards, func(a, b *scenes.Card) bool {
		return a.ID == b.ID && a.SHA256 == b.SHA256 && a.Off == b.Off
	})
}

// show makes problems the ones that are shown, and logs what is new in them.
func (d *deck) show(now []string) {
	was := *d.problems.Load()
	for _, one := range now {
		if !slices.Contains(was, one) {
			d.log.Error("a file is not taken; what ran before goes on", "problem", one)
		}
	}
	if len(was) > 0 && len(now) == 0 {
		d.log.Info("all files are taken again")
	}
	d.problems.Store(&now)
}

// tellNewer has Problems tell of files that a newer version has written, which the
// start has found. It waits for nobody: a look that is under way waits for the loop.
func (d *deck) tellNewer() {
	if d == nil {
		return
	}
	list := newerFiles(d.config)
	for _, one := range list {
		d.log.Error("a file of a newer version is not taken", "problem", one)
	}
	d.newer.Store(&list)
}

// Problems is what is wrong with files that are not taken, as
// file:line:col: what; none is an empty list.
func (d *deck) Problems() []string {
	list := slices.Clone(*d.problems.Load())
	if newer := d.newer.Load(); newer != nil {
		list = append(list, *newer...)
	}
	return list
}

// count adds the deck's figures to the agent's counters.
func (d *deck) count(counters map[string]uint64) {
	if d == nil {
		return
	}
	counters["problems"] = uint64(len(d.Problems()))
	d.versions.count(counters)
}

// texts are diagnostics as they are shown.
func texts(faults scenes.Diagnostics) []string {
	list := make([]string, len(faults))
	for i, f := range faults {
		list[i] = f.String()
	}
	return list
}

// paths are all files and directories whose change may mean another program.
func (d *deck) paths() []string {
	paths := slices.Concat(d.config.Cards, d.cards.Files(), d.profile.files, d.config.studyPaths(), d.config.warrantPaths())
	if dir := d.config.installed(); dir != "" {
		paths = append(paths, dir)
	}
	return paths
}

// errOvertaken says that another program has taken over meanwhile.
var errOvertaken = errors.New("another program runs by now")

// swap has next take over from was, between two entries of the stream. What ends
// is ended by was, whose bindings its calls have.
func (a *agent) swap(was, next *scenes.Program) error {
	if a.prog != was {
		return errOvertaken
	}
	another := was.Vehicle.Contents() != next.Vehicle.Contents()
	if another {
		if err := a.source.reprofile(next.Vehicle); err != nil {
			return fmt.Errorf("%s is not taken: %w", next.Vehicle.File, err)
		}
	}
	if err := a.pump.Reload(a.stamp(), next); err != nil {
		a.broken = fmt.Errorf("taking other cards or another profile: %w", err)
		return a.broken
	}
	a.prog, a.book = next, newCallBook(next, a.config.Language)
	a.save(&next.Engine, a.pump.State())
	a.log.Info("reloaded", "vehicle", next.Vehicle.ID, "version", next.Vehicle.Version, "cards", len(next.Cards))
	if another {
		a.habits.reprofile(next.Vehicle)
		a.bridge.SetVehicle(next.Vehicle.ID, paths(next.Vehicle))
		a.bridge.SetServices(a.book.services())
		a.broken = errors.Join(a.watch(next.Vehicle), a.listen())
	}
	a.broken = errors.Join(a.broken, a.announce())
	return a.broken
}
