package agent_test

import (
	"debug/elf"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxAgentSize is the most that the stripped agent may take, in bytes.
const maxAgentSize = 6 << 20

// linkable is every package outside the standard library and this module that
// vignette-agent may link.
var linkable = []string{
	"github.com/fsnotify/fsnotify",
	"github.com/fsnotify/fsnotify/internal",
	"github.com/godbus/dbus/v5",
	"github.com/philhofer/fwd",
	"github.com/tinylib/msgp/msgp",
	"go.einride.tech/can/internal/identifiers", // pkg/dbc needs it
	"go.einride.tech/can/pkg/dbc",
	"golang.org/x/crypto/blake2b",
	"golang.org/x/sys/cpu", // blake2b needs it
	"golang.org/x/sys/unix",
}

// deskOnly are the parts of the standard library and of this module that only
// a desk needs. A name stands for what lies below it too. What the agent does
// link of the standard library's heavier parts comes with godbus: net for its
// Unix socket, os/exec and os/user for finding a session bus, encoding/xml not.
var deskOnly = []string{
	"archive", "compress", "crypto/tls", "crypto/x509", "database/sql", "debug", "encoding/csv", "encoding/gob", "encoding/xml", "expvar", "flag",
	"go/ast", "go/build", "go/parser", "go/token", "go/types", "html", "html/template", "image", "log", "net/http", "net/mail", "net/rpc", "net/smtp",
	"net/textproto", "plugin", "regexp", "runtime/pprof", "runtime/trace", "testing", "text/template", "time/tzdata",
	"vignette/agent/cmd/vignette", "vignette/scenes/bench", "vignette/scenes/catalog", "vignette/scenes/pack/qr", "vignette/scenes/remix", "vignette/testdata",
	"vignette/ui-bridge/audit", "vignette/ui-bridge/cmd", "vignette/ui-bridge/cocreate", "vignette/ui-bridge/fleet", "vignette/ui-bridge/panel", "vignette/ui-bridge/privatebus",
	"vignette/ui-bridge/review", "vignette/ui-bridge/shape",
}

// owners names who alone may import a package from outside; see the table of
// rooms in ARCHITECTURE.md.
var owners = map[string][]string{
	"github.com/fsnotify/fsnotify":  {"vignette/agent"},
	"github.com/godbus/dbus/v5":     {"vignette/ui-bridge"},
	"go.einride.tech/can":           {"vignette/can/dbc"},
	"github.com/tinylib/msgp/msgp":  {"vignette/scenes/drive", "vignette/ui-bridge/trace"},
	"golang.org/x/crypto":           {"vignette/scenes/sign"},
	"golang.org/x/sys":              {"vignette/can/socketcan", "vignette/agent/cmd/vignette"},
	"github.com/makiuchi-d/gozxing": {"vignette/scenes/pack/qr"},
	"go.yaml.in/yaml/v3":            nil, // tests hold scenes/yaml against it
}

// floors are the four floors of the house, the lowest first.
var floors = []string{"vignette/can", "vignette/scenes", "vignette/ui-bridge", "vignette/agent"}

// goPackage is what these tests read of `go list -json`.
type goPackage struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
}

// below reports whether a package is base or lies below it.
func below(path, base string) bool { return path == base || strings.HasPrefix(path, base+"/") }

// moduleRoot is the directory of go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
}

// goTool runs the go command in the module's root for linux/goarch and returns
// its output.
func goTool(t testing.TB, goarch string, args ...string) []byte {
	t.Helper()
	return goToolWith(t, goarch, "", args...)
}

// goToolWith does so with flags.
func goToolWith(t testing.TB, goarch, flags string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = moduleRoot(t)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "GOARM=7", "CGO_ENABLED=0", "GOFLAGS="+flags)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return out
}

// listPackages runs go list.
func listPackages(t *testing.T, goarch string, args ...string) (list []goPackage) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(goTool(t, goarch, append([]string{"list", "-json"}, args...)...))))
	for {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// TestAgentLinks holds the allow-list of what goes into the car.
func TestAgentLinks(t *testing.T) {
	for _, goarch := range []string{"arm", "arm64", "amd64"} {
		linked := listPackages(t, goarch, "-deps", "./agent/cmd/vignette-agent")
		if len(linked) < 20 {
			t.Fatalf("%s: go list names %d packages", goarch, len(linked))
		}
		for _, p := range linked {
			if fault := unwelcome(p); fault != "" {
				t.Errorf("%s: vignette-agent links %s, %s", goarch, p.ImportPath, fault)
			}
		}
	}
}

// unwelcome says why a package has no place in the agent; empty: it has.
func unwelcome(p goPackage) string {
	if !p.Standard && !below(p.ImportPath, "vignette") && !slices.Contains(linkable, p.ImportPath) {
		return "which is not on the allow-list"
	}
	if p.ImportPath == "vignette/agent/cmd/vignette-agent" {
		return ""
	}
	if p.ImportPath == "vignette/can/canlog" {
		return "which is for desks; the agent reads candump alone"
	}
	for _, base := range deskOnly {
		if below(p.ImportPath, base) {
			return "which is for desks"
		}
	}
	return ""
}

// TestUnwelcome shows that the list can refuse.
func TestUnwelcome(t *testing.T) {
	for path, want := range map[string]bool{
		"net/http": true, "net/http/pprof": true, "testing": true, "encoding/xml": true, "net": false,
		"regexp": true, "regexp/syntax": true, "go.yaml.in/yaml/v3": true, "vignette/can/canlog": true, "vignette/can/canlog/candump": false, "vignette/ui-bridge/review": true, "vignette/scenes": false,
		"github.com/godbus/dbus/v5": false, "github.com/godbus/dbus/v5/introspect": true, "go.einride.tech/can": true,
		"go.einride.tech/can/pkg/dbc": false, "golang.org/x/net/ipv4": true,
	} {
		p := goPackage{ImportPath: path, Standard: !strings.Contains(path, ".") && !below(path, "vignette")}
		if got := unwelcome(p) != ""; got != want {
			t.Errorf("%s: refused %v, want %v (%s)", path, got, want, unwelcome(p))
		}
	}
}

// TestImportsGoDown holds the direction of imports and the owners of what comes
// from outside.
func TestImportsGoDown(t *testing.T) {
	packages := listPackages(t, "amd64", "./...")
	for _, p := range packages {
		for _, imported := range p.Imports {
			if fault := upward(p.ImportPath, imported); fault != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, fault)
			}
		}
	}
	for i, base := range floors {
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return below(p.ImportPath, base) }) {
			t.Errorf("floor %d, %s, has no package", i, base)
		}
	}
}

// upward says what is wrong with an import; empty: nothing.
func upward(from, to string) string {
	for base, allowed := range owners {
		if below(to, base) && !slices.ContainsFunc(allowed, func(o string) bool { return owns(o, from) }) {
			if allowed == nil {
				return "only tests may"
			}
			return "only " + strings.Join(allowed, " and ") + " may"
		}
	}
	if !below(to, "vignette") {
		return ""
	}
	a, b := floorOf(from), floorOf(to)
	switch {
	case a < 0 || b < 0:
		return "a package of the product lies on one of the four floors"
	case b > a:
		return "imports go down"
	case below(to, "vignette/agent") && !below(from, "vignette/agent/cmd"):
		return "nothing but a main imports agent"
	}
	return ""
}

// owns reports whether a package belongs to an owner: to ui-bridge with all
// below it, to others by name.
func owns(owner, pkg string) bool {
	if owner == "vignette/ui-bridge" {
		return below(pkg, owner)
	}
	return pkg == owner
}

// floorOf is the floor that a package lies on, -1 for none.
func floorOf(path string) int {
	return slices.IndexFunc(floors, func(base string) bool { return below(path, base) })
}

// TestUpward shows that the directions can be broken.
func TestUpward(t *testing.T) {
	for _, c := range []struct {
		from, to string
		bad      bool
	}{
		{"vignette/can", "vignette/scenes", true},
		{"vignette/scenes/drive", "vignette/can/dbc", false},
		{"vignette/scenes/engine", "vignette/ui-bridge/trace", true},
		{"vignette/ui-bridge", "vignette/agent", true},
		{"vignette/agent/cmd/vignette", "vignette/agent", false},
		{"vignette/agent", "vignette/testdata/drive", true},
		{"vignette/agent", "github.com/godbus/dbus/v5", true},
		{"vignette/ui-bridge/privatebus", "github.com/godbus/dbus/v5", false},
		{"vignette/scenes/engine", "go.yaml.in/yaml/v3", true},
		{"vignette/can/canlog", "go.einride.tech/can/pkg/dbc", true},
	} {
		if got := upward(c.from, c.to); (got != "") != c.bad {
			t.Errorf("%s imports %s: %q, want a fault %v", c.from, c.to, got, c.bad)
		}
	}
}

// impure are the standard packages by which time, chance, other goroutines or
// the machine could reach a decision.
var impure = []string{
	"bufio", "context", "crypto", "io", "log", "maps", "math/rand", "net", "os", "reflect", "runtime", "sync", "syscall", "time", "unsafe",
}

// TestEngineIsPure: the engine is a function of its program, state and events.
func TestEngineIsPure(t *testing.T) {
	list := listPackages(t, "amd64", "./scenes/engine")
	if len(list) != 1 || len(list[0].GoFiles) == 0 {
		t.Fatalf("go list: %+v", list)
	}
	for _, imported := range list[0].Imports {
		first, _, _ := strings.Cut(imported, "/")
		if strings.Contains(first, ".") || below(imported, "vignette") {
			t.Errorf("scenes/engine imports %s; it may import the standard library only", imported)
		}
		for _, base := range impure {
			if below(imported, base) {
				t.Errorf("scenes/engine imports %s", imported)
			}
		}
	}
	for _, name := range list[0].GoFiles {
		noConcurrency(t, filepath.Join(list[0].Dir, name))
	}
}

// noConcurrency reports goroutines, channels and selects of a file, and maps,
// whose order of iteration is chance.
func noConcurrency(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType, *ast.MapType:
			t.Errorf("%s: %T in the engine", files.Position(n.Pos()), n)
		}
		return true
	})
}

// TestAgentSizeAndStatic holds the size of the stripped agent, and that it runs
// without a dynamic linker or a C library.
func TestAgentSizeAndStatic(t *testing.T) {
	for _, goarch := range []string{"arm", "arm64"} {
		t.Run(goarch, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "vignette-agent")
			flags, err := os.ReadFile("cmd/vignette-agent/goflags")
			if err != nil {
				t.Fatal(err)
			}
			goToolWith(t, goarch, strings.TrimSpace(string(flags)), "build", "-o", path, "./agent/cmd/vignette-agent")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Size() > maxAgentSize {
				t.Errorf("%d bytes, at most %d are allowed", info.Size(), maxAgentSize)
			}
			t.Logf("%d bytes of %d", info.Size(), maxAgentSize)
			checkStatic(t, path)
		})
	}
}

// checkStatic reports a program that needs a dynamic linker or libraries.
func checkStatic(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s: it has a segment %v, so it is not static", path, p.Type)
		}
	}
	if libraries, err := f.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("%s needs %v", path, libraries)
	}
}

// TestAgentCannotBeWeakened: recorders that lack a protection exist for audits
// only; what would make one is not in the agent.
func TestAgentCannotBeWeakened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vignette-agent")
	goTool(t, "amd64", "build", "-o", path, "./agent/cmd/vignette-agent")
	symbols := string(goTool(t, "amd64", "tool", "nm", path))
	if !strings.Contains(symbols, "vignette/ui-bridge/trace.Open\n") {
		t.Fatal("the agent's symbols do not name trace.Open")
	}
	if strings.Contains(symbols, "vignette/ui-bridge/trace.OpenWeakened") {
		t.Error("vignette-agent links trace.OpenWeakened")
	}
}
