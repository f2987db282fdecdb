package agent

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// The times of watching files: a change is looked at when it has been quiet for
// quietTime since, but no later than rainTime after the first; without any hint
// files are looked at every pollTime.
const (
	quietTime = 250 * time.Millisecond
	rainTime  = 2 * time.Second
	pollTime  = time.Minute
)

// maxLinks bounds the symbolic links that are followed from one path.
const maxLinks = 40

// hints tells that watched files may have changed. It watches directories, not
// files: those of the files and of every link on the way to them, since a rename
// over a file, or a link that is swapped, loses a watch of the file itself. A hint
// that is lost costs time, not a change: there is a poll.
type hints struct {
	// C has something when it is time to look.
	C chan struct{}

	log     uibridge.Logger
	watcher *fsnotify.Watcher // nil: the system gives none; polls alone
	want    chan wish
	end     chan struct{}
	done    chan struct{}
}

func newHints(log uibridge.Logger) *hints {
	h := &hints{C: make(chan struct{}, 1), log: log, want: make(chan wish), end: make(chan struct{}), done: make(chan struct{})}
	var err error
	if h.watcher, err = fsnotify.NewWatcher(); err != nil {
		log.Warn("changes of files are seen once a minute only", "error", err)
		h.watcher = nil
	}
	go h.run()
	return h
}

// watch follows these files and directories, and the card files and packs in those
// directories, instead of what was followed before. What changes after it has
// returned is told.
func (h *hints) watch(paths []string) {
	t := trail{}
	for _, path := range paths {
		t.follow(path)
	}
	w := wish{t, make(chan struct{})}
	select {
	case h.want <- w:
		<-w.done
	case <-h.done:
	}
}

// wish is what is to be watched from now on.
type wish struct {
	trail
	done chan struct{} // closed when it is
}

// trail is what to watch: names by directory, which are real paths. The name ""
// stands for every card file and pack.
type trail map[string][]string

func (t trail) add(dir, name string) {
	if !slices.Contains(t[dir], name) {
		t[dir] = append(t[dir], name)
	}
}

// follow adds a path, every link on the way to it, and where the way ends.
func (t trail) follow(path string) {
	path, err := filepath.Abs(path)
	if err != nil {
		return
	}
	at, rest := "/", strings.Split(strings.Trim(path, "/"), "/")
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		next := filepath.Join(at, name)
		target, err := os.Readlink(next)
		if _, there := os.Lstat(next); err == nil || there != nil || len(rest) == 0 {
			t.add(at, name)
			if there != nil {
				return
			}
		}
		if err != nil {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(strings.Trim(filepath.Clean(target), "/"), "/"), rest...)
	}
	if info, err := os.Stat(at); err == nil && info.IsDir() {
		t.add(at, "")
	}
}

// concerns reports whether a change of a path is one of what is watched.
func (t trail) concerns(path string) bool {
	names := t[filepath.Dir(path)]
	return slices.Contains(names, filepath.Base(path)) || slices.Contains(names, "") && (scenes.IsCardFile(path) || scenes.IsPackFile(path))
}

// run waits for events, and for quiet after them.
func (h *hints) run() {
	defer close(h.done)
	poll := time.NewTicker(pollTime)
	defer poll.Stop()
	var events chan fsnotify.Event
	var faults chan error
	if h.watcher != nil {
		events, faults = h.watcher.Events, h.watcher.Errors
	}
	var where trail
	var quiet, rain <-chan time.Time // nil: nothing has changed
	for {
		select {
		case <-h.end:
			return
		case want := <-h.want:
			if h.turn(where, want.trail) {
				quiet = time.After(quietTime) // what came into it before may not be known yet
			}
			where = want.trail
			close(want.done)
			continue
		case e := <-events:
			if !where.concerns(e.Name) {
				continue
			}
			if quiet = time.After(quietTime); rain == nil {
				rain = time.After(rainTime)
			}
			continue
		case err := <-faults:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				h.log.Warn("watching files", "error", err)
			}
		case <-quiet:
		case <-rain:
		case <-poll.C:
		}
		quiet, rain = nil, nil
		select {
		case h.C <- struct{}{}:
		default: // told already
		}
	}
}

// turn watches other directories. One that has gone meanwhile is found by the
// next look, since the one above it is watched as well. It reports whether there
// are more than before.
func (h *hints) turn(was, want trail) (more bool) {
	if h.watcher == nil {
		return false
	}
	for dir := range was {
		if _, still := want[dir]; !still {
			_ = h.watcher.Remove(dir) // gone with the directory, most likely
		}
	}
	for dir := range want {
		_, known := was[dir]
		more = more || !known
		// Adding what is watched already changes nothing, but for a directory
		// that is another one under the same name by now.
		if err := h.watcher.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			h.log.Warn("changes in a directory are seen once a minute only", "dir", dir, "error", err)
		}
	}
	return more
}

// Close ends the watching.
func (h *hints) Close() error {
	close(h.end)
	<-h.done
	if h.watcher == nil {
		return nil
	}
	return h.watcher.Close()
}
