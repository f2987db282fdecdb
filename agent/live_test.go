package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"vignette/can/canlog/candump"
	"vignette/can/socketcan"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	driven "vignette/testdata/drive"
	uibridge "vignette/ui-bridge"
)

// fakeSockets stand in for a kernel with CAN, which `make vm-test` has.
type fakeSockets struct {
	batch chan []socketcan.Item
	given int // batches given back
	err   error

	mu      sync.Mutex
	filters []socketcan.Filter // that were set since
}

func (f *fakeSockets) Batches() <-chan []socketcan.Item { return f.batch }
func (f *fakeSockets) Release([]socketcan.Item)         { f.given++ }
func (f *fakeSockets) Buffer(int) int                   { return 4096 }
func (f *fakeSockets) Filtered(int) bool                { return true }
func (f *fakeSockets) SetFilters(bus int, list []socketcan.Filter) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filters = append(f.filters, list...)
	return nil
}
func (f *fakeSockets) Err() error   { return f.err }
func (f *fakeSockets) Close() error { return nil }

// liveBench is a live source on fake sockets with a pump behind it, and what
// the pump wrote.
type liveBench struct {
	*agent
	live      *live
	fake      *fakeSockets
	options   socketcan.Options
	journal   bytes.Buffer
	decisions bytes.Buffer
}

func newLiveBench(t *testing.T, c SourceConfig) *liveBench {
	t.Helper()
	return newLiveBenchOf(t, &Config{Vehicle: "../testdata/drive/vehicle.yaml", Unsigned: true, Cards: []string{"../testdata/drive/cards"}, Source: c})
}

func newLiveBenchOf(t *testing.T, config *Config) *liveBench {
	t.Helper()
	prog, err := Load(config)
	if err != nil {
		t.Fatal(err)
	}
	b := &liveBench{fake: &fakeSockets{batch: make(chan []socketcan.Item, 64)}}
	open := openSockets
	t.Cleanup(func() { openSockets = open })
	openSockets = func(o socketcan.Options) (sockets, error) { b.options = o; return b.fake, nil }
	if b.live, err = openLive(&config.Source, prog.Vehicle, quiet()); err != nil {
		t.Fatal(err)
	}
	header := drive.NewHeader(prog, 1, drive.BootTime)
	journal, err := drive.NewJournal(&b.journal, &header, true)
	if err != nil {
		t.Fatal(err)
	}
	decisions, err := drive.NewDecisionLog(&b.decisions, drive.JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	b.agent = &agent{ctx: t.Context(), log: slog.New(slog.DiscardHandler), prog: prog, source: b.live}
	b.pump = drive.NewPump(prog, 1, true, drive.Output{Journal: journal, Decisions: decisions})
	if b.monitor, err = drive.NewMonitor(prog.Vehicle, func(int, engine.Value) {}); err != nil {
		t.Fatal(err)
	}
	return b
}

// drivenItems are the frames of our own drive's first seconds, as they would
// have come up to now.
func drivenItems(t *testing.T, seconds int) (items []socketcan.Item) {
	t.Helper()
	var log bytes.Buffer
	if err := driven.Generate(&log, seconds); err != nil {
		t.Fatal(err)
	}
	r := candump.NewReader("drive", &log)
	for {
		item := socketcan.Item{Kind: socketcan.Received}
		if err := r.Read(&item.Frame); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	shift := socketcan.Now() - items[len(items)-1].Frame.Time
	for i := range items {
		items[i].Frame.Time += shift
	}
	return items
}

// TestLiveBuses feeds frames, a loss and a link that goes down as they come
// from sockets, then waits for the tick that makes the speed stale. The
// journal's replay decides the same.
func TestLiveBuses(t *testing.T) {
	b := newLiveBench(t, SourceConfig{})
	items := drivenItems(t, 30)
	items[0].Frame.Time, items[500].Frame.Time = items[1].Frame.Time+5, 0 // below the event before: raised to it
	items = append(items,
		socketcan.Item{Kind: socketcan.Lost, Count: 7, Frame: items[len(items)-1].Frame},
		socketcan.Item{Kind: socketcan.Link, State: socketcan.Down, Frame: items[len(items)-1].Frame})
	if err := b.live.take(b.agent, items, true); err != nil {
		t.Fatal(err)
	}
	for range 100 { // deadlines of the drive, until the one that tells
		if bytes.Contains(b.decisions.Bytes(), []byte(`"stale:Vehicle.Speed"`)) {
			break
		}
		b.live.settle(b.agent)
		<-b.live.due()
		if err := b.live.wake(b.agent); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`"time_base":"boottime"`, `"what":"fired"`, `"why":"frames:pt","value":7}`, `"why":"asleep:`, `"stale:Vehicle.Speed"`} {
		if !strings.Contains(b.decisions.String(), want) {
			t.Errorf("the decision log has no %s:\n%s", want, b.decisions.String())
		}
	}
	if b.fake.given != 1 || b.live.lost[0] != 7 {
		t.Errorf("%d batches given back and %d frames lost; want 1 and 7", b.fake.given, b.live.lost[0])
	}
	b.replays(t)
}

// replays holds that the journal gives the decision log again.
func (b *liveBench) replays(t *testing.T) {
	t.Helper()
	j, err := drive.NewJournalReader("j", &b.journal, b.prog)
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	log, err := drive.NewDecisionLog(&again, drive.JSONLines, &j.Header)
	if err != nil {
		t.Fatal(err)
	}
	if err := drive.Run(j, drive.NewPump(b.prog, j.Header.Session, j.Judged, drive.Output{Decisions: log})); err != nil {
		t.Fatal(err)
	}
	if again.String() != b.decisions.String() {
		t.Errorf("the journal's replay decides otherwise:\n%s\nwant\n%s", again.String(), b.decisions.String())
	}
}

// TestWaitingFramesComeBeforeTheTick holds that a deadline that passed while
// frames waited does not make stale what they renew.
func TestWaitingFramesComeBeforeTheTick(t *testing.T) {
	b := newLiveBench(t, SourceConfig{})
	items := drivenItems(t, 3)
	for i := range items {
		items[i].Frame.Time -= 2e9 // every deadline of the first part has passed by now
	}
	half := len(items) / 2
	for i := half; i < len(items); i++ {
		items[i].Frame.Time += 2e9
	}
	if err := b.live.take(b.agent, items[:half], true); err != nil {
		t.Fatal(err)
	}
	b.fake.batch <- items[half:]
	before := b.pump.Stats.Frames
	if err := b.live.wake(b.agent); err != nil {
		t.Fatal(err)
	}
	if took := b.pump.Stats.Frames - before; took != uint64(len(items)-half) || b.pump.Stats.Events > 1 {
		t.Errorf("%d frames and %d ticks; want %d frames, and a tick at most after them", took, b.pump.Stats.Events, len(items)-half)
	}
}

func TestLiveOptions(t *testing.T) {
	b := newLiveBench(t, SourceConfig{Map: []string{"vcan7=body"}})
	o := b.options
	if len(o.Buses) != 2 || o.Buses[0].Interface != "can0" || o.Buses[1].Interface != "vcan7" || o.Buses[0].FD || !o.Buses[1].FD {
		t.Errorf("opened %+v; want can0 and, as mapped, vcan7 with FD", o.Buses)
	}
	for i, bus := range o.Buses {
		if want := len(b.prog.Vehicle.Messages(i)); len(bus.Filters) != want || want == 0 {
			t.Errorf("%s: %d filters; want one for each of %d messages", bus.Interface, len(bus.Filters), want)
		}
	}
}

func TestLiveEnds(t *testing.T) {
	b := newLiveBench(t, SourceConfig{})
	b.fake.err = errors.New("no more sockets")
	if err := b.live.take(b.agent, nil, false); !errors.Is(err, b.fake.err) {
		t.Errorf("closed buses: %v; want their reason", err)
	}
	openSockets = func(socketcan.Options) (sockets, error) { return nil, b.fake.err }
	config := &Config{Vehicle: "../testdata/drive/vehicle.yaml", Unsigned: true, Cards: []string{"../testdata/drive/cards"}}
	if err := Run(context.Background(), config, b.log); !errors.Is(err, b.fake.err) {
		t.Errorf("no sockets: %v; want their reason", err)
	}
}

func TestLiveNeedsInterfaces(t *testing.T) {
	prog, err := Load(&Config{Vehicle: "../testdata/drive/vehicle.yaml", Unsigned: true, Cards: []string{"../testdata/drive/cards"}})
	if err != nil {
		t.Fatal(err)
	}
	prog.Vehicle.Buses[1].Interface = ""
	if _, err := openLive(&SourceConfig{}, prog.Vehicle, quiet()); err == nil || !strings.Contains(err.Error(), "no interface for bus body") {
		t.Errorf("got %v; want the bus without an interface named", err)
	}
}

// TestLateCallsAreNotSent holds that a call whose time is over, because the
// frames that brought it waited, does not reach the bus, and that one that is
// nearly over is not given its whole limit anew.
func TestLateCallsAreNotSent(t *testing.T) {
	b := newLiveBench(t, SourceConfig{})
	b.judged = true
	b.send([]engine.Call{{N: 1, Kind: engine.CallSet, NotAfter: socketcan.Now() - 1}}) // there is no bridge to take it
	if b.late != 1 {
		t.Errorf("%d late calls counted, want 1", b.late)
	}
	whole := &uibridge.Binding{Member: "Set", Within: 500 * time.Millisecond}
	if h := hurried(whole, 100*time.Millisecond); h.Within != 100*time.Millisecond || h.Member != "Set" || whole.Within != 500*time.Millisecond {
		t.Errorf("hurried to %+v, the binding is %+v", h, whole)
	}
	if h := hurried(whole, time.Second); h != whole {
		t.Errorf("a call in time has %+v", h)
	}
}
