package drive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The parts of vehicle.yaml and of the cards that these tests look at; the
// formats themselves are held by package scenes.
type profile struct {
	Buses map[string]struct {
		DBC []struct {
			File   string `yaml:"file"`
			SHA256 string `yaml:"sha256"`
		} `yaml:"dbc"`
		Interface string `yaml:"interface"`
		FD        bool   `yaml:"fd"`
	} `yaml:"buses"`
	Signals map[string]struct {
		From       string        `yaml:"from"`
		Unit       string        `yaml:"unit"`
		StaleAfter string        `yaml:"stale_after"`
		Values     map[int64]any `yaml:"values"`
		Invalid    []int64       `yaml:"invalid"`
		Alive      string        `yaml:"alive"`
	} `yaml:"signals"`
	Actuators map[string]struct {
		Unit string `yaml:"unit"`
	} `yaml:"actuators"`
}

func readProfile(t *testing.T) profile {
	t.Helper()
	text, err := os.ReadFile("vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var p profile
	if err := yaml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfileNamesTheDBCsByHash(t *testing.T) {
	p := readProfile(t)
	if len(p.Buses) != 2 {
		t.Fatalf("%d buses, want 2", len(p.Buses))
	}
	for name, bus := range p.Buses {
		for _, d := range bus.DBC {
			text, err := os.ReadFile(d.File)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != d.SHA256 {
				t.Errorf("bus %s: %s has the sum %x, the profile says %s", name, d.File, sum, d.SHA256)
			}
		}
	}
	if p.Buses["pt"].Interface != "can0" || p.Buses["body"].Interface != "can1" || p.Buses["pt"].FD || !p.Buses["body"].FD {
		t.Errorf("buses: %+v", p.Buses)
	}
}

// TestProfileMapsEverySignal: every signal of both DBCs, and nothing else, has
// exactly one path.
func TestProfileMapsEverySignal(t *testing.T) {
	p := readProfile(t)
	bus := map[string]string{"can0": "pt", "can1": "body"}
	want := map[string]bool{}
	for _, l := range layoutsByID(t) {
		for _, sig := range l.signals {
			want[bus[l.channel]+"."+l.name+"."+string(sig.Name)] = true
		}
	}
	mapped := map[string]string{}
	for path, s := range p.Signals {
		if other := mapped[s.From]; other != "" {
			t.Errorf("%s has two paths, %s and %s", s.From, path, other)
		}
		mapped[s.From] = path
		if !want[s.From] {
			t.Errorf("%s: the DBCs have no %s", path, s.From)
		}
		if s.Alive != "" && !want[s.Alive] {
			t.Errorf("%s: the DBCs have no counter %s", path, s.Alive)
		}
		if s.StaleAfter == "" {
			t.Errorf("%s has no stale_after", path)
		}
	}
	for from := range want {
		if mapped[from] == "" {
			t.Errorf("%s has no path", from)
		}
	}
}

// TestDBCsCoverTheFormat: the DBCs are meant to exercise every layout.
func TestDBCsCoverTheFormat(t *testing.T) {
	has := map[string]bool{}
	for _, l := range layoutsByID(t) {
		has["extended id"] = has["extended id"] || l.extended
		has["64-byte FD"] = has["64-byte FD"] || l.fd && l.size == 64
		has["on change only"] = has["on change only"] || l.onChange && l.cycleMS == 0
		has["on change and cyclic"] = has["on change and cyclic"] || l.onChange && l.cycleMS > 0
		for _, sig := range l.signals {
			has["float"] = has["float"] || l.floats[sig.Name]
			has["big endian"] = has["big endian"] || sig.IsBigEndian && sig.Size > 8
			has["little endian"] = has["little endian"] || !sig.IsBigEndian && sig.Size > 8
			has["signed"] = has["signed"] || sig.IsSigned && !l.floats[sig.Name]
			has["multiplexed"] = has["multiplexed"] || sig.IsMultiplexed
			has["both orders in one message"] = has["both orders in one message"] || sig.IsBigEndian != l.signals[0].IsBigEndian
		}
	}
	for what, found := range has {
		if !found {
			t.Errorf("no message with: %s", what)
		}
	}
}

// TestReadmeListsTheMessages: the table of messages is that of the DBCs.
func TestReadmeListsTheMessages(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	messages := layoutsByID(t)
	for _, l := range messages {
		if row := messageRow(l); !strings.Contains(string(text), row) {
			t.Errorf("README.md lacks the row\n%s", row)
		}
	}
	_, table, _ := strings.Cut(string(text), "## Messages")
	if rows := strings.Count(table, "\n| ") - 1; rows != len(messages) {
		t.Errorf("README.md has %d messages, the DBCs have %d", rows, len(messages))
	}
}

// messageRow is the message's row in README.md.
func messageRow(l *layout) string {
	bus := map[string]string{"can0": "pt", "can1": "body"}[l.channel]
	id := fmt.Sprintf("`%X`", l.id)
	if l.extended {
		id += "x"
	}
	size := fmt.Sprint(l.size)
	if l.fd {
		size += " FD"
	}
	cycle := fmt.Sprintf("%d ms", l.cycleMS)
	if l.cycleMS == 1000 {
		cycle = "1 s"
	}
	switch {
	case l.onChange && l.cycleMS == 0:
		cycle = "on change"
	case l.onChange:
		cycle = "on change, " + cycle
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %d |\n", bus, id, l.name, size, cycle, len(l.signals))
}

// TestCards: each demonstration card is named after its id and speaks English
// and Chinese, and all signals and actuators it names are the profile's.
func TestCards(t *testing.T) {
	p := readProfile(t)
	files, err := filepath.Glob("cards/*.yaml")
	if err != nil || len(files) < 8 || len(files) > 10 {
		t.Fatalf("%d cards, %v; want 8 to 10", len(files), err)
	}
	sort.Strings(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var card map[string]any
		if err := yaml.Unmarshal(text, &card); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if id := card["id"]; filepath.Base(file) != id.(string)+".yaml" {
			t.Errorf("%s has the id %v", file, id)
		}
		walk(card, func(key string, value any) {
			name, _ := value.(string)
			if _, found := p.Signals[name]; key == "signal" && !found {
				t.Errorf("%s: the profile has no signal %s", file, name)
			}
			if _, found := p.Actuators[name]; key == "set" && name != "" && !found {
				t.Errorf("%s: the profile has no actuator %s", file, name)
			}
			if texts, found := value.(map[string]any); found && (key == "title" || key == "text") && (texts["en"] == nil || texts["zh"] == nil) {
				t.Errorf("%s: a %s lacks en or zh", file, key)
			}
		})
		if strings.Contains(string(text), "\t") {
			t.Errorf("%s has a tab", file)
		}
	}
}

// walk calls visit for every key of every map within v.
func walk(v any, visit func(key string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			visit(key, value)
			walk(value, visit)
		}
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	}
}
