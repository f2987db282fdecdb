package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"vignette/scenes"
	"vignette/scenes/habit"
	uibridge "vignette/ui-bridge"
)

// Names and bounds of the files of habits.
const (
	habitsName    = "habits." // and the user's number
	maxHabitFiles = 64        // users
)

// habitFiles keep what was learnt of each user who has switched that on, a file a
// user that only the agent's user may read: its being there is what says that it is
// on. They are written by a goroutine of their own; a file is the new one or the one
// before, whatever happens meanwhile.
type habitFiles struct {
	dir string
	log uibridge.Logger

	mu      sync.Mutex
	waiting map[uint64]*habitFile // to be written or removed yet, by user
	wake    chan struct{}
	closing chan struct{}
	done    chan struct{}
}

// habitFile is what is to become of a user's file.
type habitFile struct {
	text []byte // nil: it goes
	told []chan error
}

func openHabitFiles(dir string, log uibridge.Logger) *habitFiles {
	f := &habitFiles{dir: dir, log: log, waiting: map[uint64]*habitFile{}, wake: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{})}
	go f.run()
	return f
}

// Close writes what waits and ends.
func (f *habitFiles) Close() error {
	close(f.closing)
	<-f.done
	return nil
}

func (f *habitFiles) run() {
	defer close(f.done)
	for {
		select {
		case <-f.wake:
			f.settle()
		case <-f.closing:
			f.settle()
			return
		}
	}
}

// settle does what waits.
func (f *habitFiles) settle() {
	for {
		user, next, told := f.next()
		if next == nil {
			return
		}
		err := f.write(user, next.text)
		if err != nil {
			f.log.Error("a driver's habits cannot be kept", "error", err)
		}
		for _, waiter := range told {
			waiter <- err
		}
		f.mu.Lock()
		if f.waiting[user] == next {
			delete(f.waiting, user)
		}
		f.mu.Unlock()
	}
}

// next is one of what waits, and who waits for it; nil: nothing does. It is left
// there until it is done, for load.
func (f *habitFiles) next() (user uint64, next *habitFile, told []chan error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for user, next = range f.waiting {
		told, next.told = next.told, nil
		return user, next, told
	}
	return 0, nil, nil
}

func (f *habitFiles) name(user uint64) string {
	return filepath.Join(f.dir, fmt.Sprint(habitsName, user))
}

// put has a user's file written soon.
func (f *habitFiles) put(user uint64, text []byte) { f.change(user, &habitFile{text: text}) }

// remove has a user's file go; the channel tells when it has gone.
func (f *habitFiles) remove(user uint64) <-chan error {
	told := make(chan error, 1)
	f.change(user, &habitFile{told: []chan error{told}})
	return told
}

// add has a user's first file written; the channel tells when it is on the disk.
func (f *habitFiles) add(user uint64, text []byte) (<-chan error, error) {
	files, err := filepath.Glob(filepath.Join(f.dir, habitsName+"*"))
	if err != nil {
		return nil, err
	}
	if len(files) >= maxHabitFiles {
		return nil, fmt.Errorf("%w: the habits of %d drivers are learnt already", uibridge.ErrLimit, maxHabitFiles)
	}
	told := make(chan error, 1)
	f.change(user, &habitFile{text: text, told: []chan error{told}})
	return told, nil
}

// change has a file written or removed, instead of what waits for the same user:
// who waits for that hears of this.
func (f *habitFiles) change(user uint64, to *habitFile) {
	f.mu.Lock()
	if was := f.waiting[user]; was != nil {
		to.told = append(to.told, was.told...)
	}
	f.waiting[user] = to
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// load gives what was kept of a user; not on: the user does not want that.
func (f *habitFiles) load(user uint64) (kept []byte, on bool, err error) {
	f.mu.Lock()
	was := f.waiting[user]
	f.mu.Unlock()
	if was != nil {
		return was.text, was.text != nil, nil
	}
	file, err := scenes.Open(f.name(user))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	} else if err != nil {
		return nil, false, err
	}
	defer file.Close()
	kept, err = io.ReadAll(io.LimitReader(file, habit.MaxKept+1))
	return kept, err == nil, err
}

// write makes a file what it is to be, on the disk.
func (f *habitFiles) write(user uint64, text []byte) error {
	if text == nil {
		if err := os.Remove(f.name(user)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return syncDir(f.dir)
	}
	return replaceFile(f.name(user), string(text))
}
