package agent

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestTrail follows paths over links: what is watched is the real directory of each
// link and of the end, and of what is not there the directory where the way ends.
func TestTrail(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.MkdirAll(at("data/v1/cards"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("data/v1/cards/a.yaml"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"data/now": "v1", "etc": "data/../data/now/", "abs": at("etc/cards"), "loop": "loop", "gone": "nowhere/x"} {
		if err := os.Symlink(target, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path string
		want trail
	}{
		{"data/v1/cards/a.yaml", trail{"data/v1/cards": {"a.yaml"}}},
		{"data/v1/cards", trail{"data/v1": {"cards"}, "data/v1/cards": {""}}},
		{"etc/cards", trail{"": {"etc"}, "data": {"now"}, "data/v1": {"cards"}, "data/v1/cards": {""}}},
		{"abs/a.yaml", trail{"": {"abs", "etc"}, "data": {"now"}, "data/v1/cards": {"a.yaml"}}},
		{"data/v2/cards", trail{"data": {"v2"}}},
		{"gone", trail{"": {"gone", "nowhere"}}},
		{"loop", trail{"": {"loop"}}},
	} {
		got, want := trail{}, trail{}
		got.follow(at(c.path))
		for name, names := range c.want {
			want[at(name)] = names
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", c.path, got, want)
		}
	}
	watched := trail{"/a": {"cards", ""}, "/b": {"car.dbc"}}
	for path, want := range map[string]bool{"/a/cards": true, "/a/x.yaml": true, "/a/x.log": false, "/b/car.dbc": true, "/b/x.yaml": false, "/c/x.yaml": false} {
		if watched.concerns(path) != want {
			t.Errorf("%s concerns: %v", path, !want)
		}
	}
}

// TestHintsOverflow: when the system has lost events, it is time to look.
func TestHintsOverflow(t *testing.T) {
	h := newHints(quiet())
	defer h.Close()
	h.watcher.Errors <- fsnotify.ErrEventOverflow
	select {
	case <-h.C:
	case <-time.After(patience):
		t.Error("nothing is told")
	}
}

// TestHintsClose: closing ends a watch that waits, too.
func TestHintsClose(t *testing.T) {
	h := newHints(quiet())
	h.watch([]string{t.TempDir()})
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	h.watch([]string{t.TempDir()}) // nobody takes it
}
