package uibridge

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// TestCardPaths holds the escaping of sd_bus_path_encode(3).
func TestCardPaths(t *testing.T) {
	for id, want := range map[string]string{"hot-cabin": "hot_2dcabin", "9lives": "_39lives", "a9": "a9", "a-": "a_2d", "x\x01é": "x_01_c3_a9"} {
		if got := cardPath(id); string(got) != cardsPath+"/"+want || !got.IsValid() {
			t.Errorf("%q is at %s, want %s", id, got, want)
		}
	}
}

// cardBridge is a bridge that shows two cards, with a watcher and what it hears.
func cardBridge(t *testing.T) (br *Bridge, hmi *dbus.Conn, heard <-chan *dbus.Signal, a *agent) {
	t.Helper()
	address, _ := startBus(t)
	a = newAgent()
	br = connect(t, address, a)
	if err := br.SetCards([]Card{{ID: "hot-cabin", Version: "1.0.0", Title: map[string]string{"en": "Hot"}, Origin: "car", Manual: true}, {ID: "rain"}}); err != nil {
		t.Fatal(err)
	}
	hmi = client(t, address)
	heard = listen(hmi)
	if err := ask(t, hmi, AgentInterface+".Watch", []string{}).Err; err != nil {
		t.Fatal(err)
	}
	return br, hmi, heard, a
}

// asRead is a signature as the library reads it: a struct is a list of variants.
func asRead(signature string) string {
	return regexp.MustCompile(`\([a-z]+\)`).ReplaceAllString(signature, "av")
}

// next is the next signal of a name, whose arguments are as the files say.
func next(t *testing.T, heard <-chan *dbus.Signal, name string) *dbus.Signal {
	t.Helper()
	_, _, signals := described(filesOf(t, append(slices.Clone(agentInterfaces), cardInterfaces...)))
	for {
		s := receive(t, heard, name)
		if got := fmt.Sprintf("%s %q", s.Name, dbus.SignatureOf(s.Body...)); !slices.ContainsFunc(signals, func(one string) bool { return asRead(one) == got }) {
			t.Errorf("signal %s is in no file", got)
		}
		if s.Name == name {
			return s
		}
	}
}

func TestCardsAreObjects(t *testing.T) {
	br, hmi, heard, _ := cardBridge(t)
	now := CardNow{CardView: engine.CardView{State: engine.CardHolding, Why: "trigger[0]", Until: 5e9, Hold: 5e9, Cooldown: 6e9, Asked: 3}, At: 2e9, Enabled: true,
		Leases:  []engine.HeldLease{{Actuator: "Fan", Value: number(60), Until: 4e9, InForce: true}},
		Firings: []Firing{{T: 1e9, N: 7, Why: "manual"}}}
	now.Counts[engine.Fired] = 1
	br.ShowCard(0, &now)
	s := next(t, heard, propertiesOf+".PropertiesChanged")
	changed := s.Body[1].(map[string]dbus.Variant)
	if s.Path != AgentPath+"/card/hot_2dcabin" || s.Body[0] != CardInterface || changed["State"].Value() != "holding" || changed["Title"].Value() != nil {
		t.Errorf("got %v", s)
	}
	want := map[string]string{"Id": `"hot-cabin"`, "Version": `"1.0.0"`, "Title": `{"en": "Hot"}`, "Origin": `"car"`, "Manual": "true", "Enabled": "true",
		"State": `"holding"`, "Why": `"trigger[0]"`, "Counts": `@a{st} {"fired": 1}`, "LastFirings": `@aav [["1.000000000", 7, "manual"]]`}
	var objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant
	if err := ask(t, hmi, objectManager+".GetManagedObjects").Store(&objects); err != nil {
		t.Fatal(err)
	}
	props := objects[AgentPath+"/card/hot_2dcabin"][CardInterface]
	for name, text := range want {
		if got := props[name].String(); got != text {
			t.Errorf("%s is %s, want %s", name, got, text)
		}
	}
	details := props["Details"].Value().(map[string]dbus.Variant)
	if details["until"].Value() != "5.000000000" || details["left"].Value() != 3.0 || details["hold"].Value() != 3.0 || details["cooldown"].Value() != 4.0 || details["asked"].Value() != uint64(3) {
		t.Errorf("Details %v", details)
	}
	lease := props["Leases"].Value().([]map[string]dbus.Variant)[0]
	if lease["actuator"].Value() != "Fan" || lease["value"].Value() != 60.0 || lease["left"].Value() != 2.0 || lease["in_force"].Value() != true {
		t.Errorf("Leases %v", lease)
	}
	if len(objects) != 2 {
		t.Errorf("%d objects, want 2", len(objects))
	}
	var state dbus.Variant
	if err := askAt(t, hmi, AgentPath+"/card/hot_2dcabin", propertiesOf+".Get", CardInterface, "State").Store(&state); err != nil || state.Value() != "holding" {
		t.Errorf("State %v, %v", state, err)
	}
	for path, want := range map[dbus.ObjectPath]string{AgentPath + "/card/none": "UnknownObject", AgentPath + "/card": "UnknownObject", AgentPath + "/card/rain/x": "UnknownObject"} {
		if err := askAt(t, hmi, path, propertiesOf+".GetAll", CardInterface).Err; errorName(err) != "org.freedesktop.DBus.Error."+want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	var above string
	if err := askAt(t, hmi, AgentPath+"/card", introspectable+".Introspect").Store(&above); err != nil || !strings.Contains(above, `<node name="hot_2dcabin"/>`) || !strings.Contains(above, `<node name="rain"/>`) {
		t.Errorf("the cards' node is %s, %v", above, err)
	}
}

// TestCardsComeAndGo reloads: watchers are told of objects that come and go and
// of what has become another version, once, with what it is at last.
func TestCardsComeAndGo(t *testing.T) {
	br, _, heard, _ := cardBridge(t)
	for range 3 { // untold ones leave no trace
		if err := br.SetCards([]Card{{ID: "hot-cabin", Version: "2.0.0"}, {ID: "new"}}); err != nil {
			t.Fatal(err)
		}
	}
	changed, added, removed := 0, 0, 0
	for range 3 {
		switch s := receive(t, heard, "of cards"); s.Name {
		case propertiesOf + ".PropertiesChanged":
			if m := s.Body[1].(map[string]dbus.Variant); m["Version"].Value() == "2.0.0" && m["Title"].Value() != nil && m["Id"].Value() == nil {
				changed++
			}
		case objectManager + ".InterfacesAdded":
			if s.Body[0] == dbus.ObjectPath(AgentPath+"/card/new") && s.Body[1].(map[string]map[string]dbus.Variant)[CardInterface]["Id"].Value() == "new" {
				added++
			}
		case objectManager + ".InterfacesRemoved":
			if s.Body[0] == dbus.ObjectPath(AgentPath+"/card/rain") && slices.Contains(s.Body[1].([]string), CardInterface) {
				removed++
			}
		}
	}
	if changed != 1 || added != 1 || removed != 1 {
		t.Errorf("%d changed, %d added, %d removed; want one each", changed, added, removed)
	}
	if err := br.SetCards(make([]Card, MaxCards+1)); err == nil || !strings.Contains(err.Error(), "at most 512") {
		t.Errorf("too many cards: %v", err)
	}
	br.ShowCard(1, &CardNow{Enabled: true}) // the cards are still the ones before
}

// TestClausesForThoseWhoWatchThem sends the truth of clauses to those who asked
// for that card's only, and only when it has changed.
func TestClausesForThoseWhoWatchThem(t *testing.T) {
	br, hmi, heard, a := cardBridge(t)
	if err := ask(t, hmi, AgentInterface+".WatchCard", "rain").Err; err != nil {
		t.Fatal(err)
	}
	if got := br.WatchedCards(nil); !slices.Equal(got, []int{1}) {
		t.Errorf("watched are %v, want card 1", got)
	}
	list := []ClauseNow{{Name: "when[0]", Truth: engine.TruthYes, Until: 3e9}, {Name: "only_if[0]"}}
	br.ShowCard(1, &CardNow{At: 1e9})
	br.ShowClauses(0, list)
	br.ShowClauses(1, list)
	s := next(t, heard, CardInterface+".Clauses")
	if s.Path != AgentPath+"/card/rain" || fmt.Sprint(s.Body[0]) != "[[when[0] true 2] [only_if[0] unknown 0]]" {
		t.Errorf("got %v", s)
	}
	br.ShowClauses(1, list)
	br.watch.mu.Lock()
	n := len(br.watch.all[0].news)
	br.watch.mu.Unlock()
	if n != 0 {
		t.Errorf("the same again is %d news", n)
	}
	if err := ask(t, hmi, AgentInterface+".UnwatchCard", "rain").Err; err != nil {
		t.Fatal(err)
	}
	if got := br.WatchedCards(nil); len(got) != 0 {
		t.Errorf("watched are %v after UnwatchCard", got)
	}
	a.closing.Store(true) // shows what it last did
	if err := ask(t, hmi, objectManager+".GetManagedObjects").Err; err != nil {
		t.Errorf("an agent that closes: %v", err)
	}
}

func TestWatchCardErrors(t *testing.T) {
	br, hmi, _, _ := cardBridge(t)
	address := br.opt.Address
	other := client(t, address)
	cards := make([]Card, maxWatchedCards+1)
	for i := range cards {
		cards[i].ID = fmt.Sprintf("c%02d", i)
	}
	if err := br.SetCards(cards); err != nil {
		t.Fatal(err)
	}
	if err := ask(t, other, AgentInterface+".WatchCard", "c00").Err; errorName(err) != "org.vignette.Error.NotWatching" {
		t.Errorf("no watcher: %v", err)
	}
	if err := ask(t, hmi, AgentInterface+".WatchCard", "rain").Err; errorName(err) != "org.vignette.Error.UnknownCard" {
		t.Errorf("a card that is gone: %v", err)
	}
	for i := range cards {
		err := ask(t, hmi, AgentInterface+".WatchCard", cards[i].ID).Err
		if i < maxWatchedCards && err != nil || i == maxWatchedCards && errorName(err) != "org.vignette.Error.LimitsExceeded" {
			t.Errorf("card %d: %v", i, err)
		}
	}
	var why []map[string]dbus.Variant
	if err := ask(t, other, AgentInterface+".Why", "c00").Store(&why); err != nil || len(why) != 2 || why[1]["cause"].Value() != uint64(1) {
		t.Errorf("Why: %v, %v", why, err)
	}
	if err := ask(t, other, AgentInterface+".Why", "unknown").Err; errorName(err) != "org.vignette.Error.UnknownCard" {
		t.Errorf("Why of no card: %v", err)
	}
}

func TestAgentShowsItself(t *testing.T) {
	br, hmi, _, _ := cardBridge(t)
	br.ShowAgent(AgentNow{At: 1e9, User: 5, Asks: []engine.Ask{{N: 4, Card: "rain", Actuator: "Roof", Value: number(1), Lease: 60e9, Until: 31e9}},
		Buses: []BusNow{{Name: "pt", Interface: "can0", Link: "up", Lost: 2}, {Name: "body"}}})
	var all map[string]dbus.Variant
	if err := ask(t, hmi, propertiesOf+".GetAll", AgentInterface).Store(&all); err != nil {
		t.Fatal(err)
	}
	asked := all["Asks"].Value().([]map[string]dbus.Variant)[0]
	if asked["n"].Value() != uint64(4) || asked["left"].Value() != 30.0 || asked["lease"].Value() != 60.0 || asked["value"].Value() != 1.0 {
		t.Errorf("Asks %v", asked)
	}
	buses := all["Buses"].Value().(map[string]map[string]dbus.Variant)
	if all["User"].Value() != uint64(5) || buses["pt"]["link"].Value() != "up" || buses["pt"]["frames_lost"].Value() != uint64(2) || len(buses["body"]) != 0 {
		t.Errorf("User %v, Buses %v", all["User"], buses)
	}
}

// TestShowCardAllocatesNothing holds that looking at cards in which nothing
// changes costs no memory.
func TestShowCardAllocatesNothing(t *testing.T) {
	br := &Bridge{watch: newWatchers("", nil)}
	if err := br.SetCards([]Card{{ID: "a"}}); err != nil {
		t.Fatal(err)
	}
	now := CardNow{Leases: []engine.HeldLease{{Actuator: "Fan"}}}
	clauses := []ClauseNow{{Name: "when[0]"}}
	if n := testing.AllocsPerRun(100, func() {
		now.At++
		br.ShowCard(0, &now)
		br.ShowClauses(0, clauses)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
