package agent

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/ui-bridge/privatebus"
)

// recipe is a command of a document and what it shows of its output.
type recipe struct {
	command string
	output  []string
}

// recipesOf reads the console blocks of a document.
func recipesOf(t *testing.T, file string) (list []recipe) {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(page), "```console\n") {
		if i == 0 {
			continue
		}
		block, _, _ = strings.Cut(block, "```")
		for line := range strings.Lines(block) {
			line = strings.TrimSuffix(line, "\n")
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				list = append(list, recipe{command: command})
			} else {
				last := &list[len(list)-1]
				last.output = append(last.output, line)
			}
		}
	}
	return list
}

// shows reports whether an output is what a document shows of it. `…` stands
// for any words, and alone for any lines before. The words of a line are in any
// order: a dictionary has none.
func shows(shown, got []string) bool {
	if len(shown) > 0 && shown[0] == "…" {
		shown = shown[1:]
		got = got[max(0, len(got)-len(shown)):]
	}
	return slices.EqualFunc(shown, got, func(shown, got string) bool {
		words, all := strings.Fields(got), true
		for _, word := range strings.Fields(shown) {
			if word == "…" {
				all = false
				continue
			}
			i := slices.Index(words, word)
			if i < 0 {
				return false
			}
			words = slices.Delete(words, i, i+1)
		}
		return !all || len(words) == 0
	})
}

// awaitRoof waits until the agent has learnt that nobody serves the roof.
func awaitRoof(t *testing.T, address string) {
	t.Helper()
	const get = `until busctl --user get-property org.vignette.Agent1 /org/vignette/Agent1/card/open_2droof org.vignette.Card1 State | grep unavailable; do sleep 0.05; done`
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", get)
	cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// runHMICar runs an agent on the car of testdata/hmi until the test's end, and
// returns its bus.
func runHMICar(t *testing.T) (address string) {
	t.Helper()
	dir := t.TempDir()
	address, stop, err := privatebus.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c, err := LoadConfig("../testdata/hmi/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.Unsigned, c.Bus, c.Traces, c.State = true, address, filepath.Join(dir, "traces"), filepath.Join(dir, "state")
	runHere(t, c)
	awaitRoof(t, address)
	return address
}

// runHere runs an agent in this process until the test's end, and waits until it runs.
func runHere(t *testing.T, c *Config) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, c, slog.New(slog.NewTextHandler(onLine{"msg=running", func() { close(running) }}, nil)))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-running:
	case err := <-ended:
		ended <- err
		t.Fatal("the agent ended at once")
	}
}

// TestRecipes runs the recipes of docs/integrate-hmi.md and after them those of
// docs/answer-your-drivers.md, one after another, on the car of testdata/hmi.
func TestRecipes(t *testing.T) {
	address := runHMICar(t)
	functions, ran := "", 0
	for _, r := range append(recipesOf(t, "../docs/integrate-hmi.md"), recipesOf(t, "../docs/answer-your-drivers.md")...) {
		if strings.Contains(r.command, "() {") {
			functions += r.command + "\n"
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", functions+r.command)
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address, "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput() // a command that fails shows its message
		got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(out) == 0 {
			got = nil
		}
		if !shows(r.output, got) {
			t.Errorf("$ %s\n%s\nthe document shows\n%s\n%v", r.command, out, strings.Join(r.output, "\n"), err)
		}
		ran++
	}
	if ran < 40 {
		t.Errorf("%d recipes ran", ran)
	}
}

// TestShows shows that the comparison of recipes can refuse.
func TestShows(t *testing.T) {
	for _, c := range []struct {
		shown, got string
		want       bool
	}{
		{`s "a"`, `s "a"`, true}, {`s "a"`, `s "b"`, false}, {`s "a"`, `s "a" x`, false}, {`a … c`, `c b a`, true}, {`a … d`, `a b c`, false},
		{"…\nb", "x\ny\nb", true}, {"…\nb", "x\nc", false}, {"a\nb", "a", false}, {"a a …", "a b", false},
	} {
		if got := shows(strings.Split(c.shown, "\n"), strings.Split(c.got, "\n")); got != c.want {
			t.Errorf("%q shows %q: %v", c.got, c.shown, got)
		}
	}
}
