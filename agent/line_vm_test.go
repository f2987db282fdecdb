//go:build linux && vm

package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/can/socketcan"
	"vignette/scenes/drive"
	"vignette/testdata/vm/cansend"
	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// guestBus is the guest's D-Bus.
const guestBus = "unix:path=/run/bus"

// fdLengths are the lengths that only CAN FD has, and 8.
var fdLengths = []int{8, 12, 16, 20, 24, 32, 48, 64}

// The identifiers of the line's messages: a frame that changes the mode, or one of
// the FD messages lengthID+n of fdLengths[n], brings a call; the load brings a few.
const (
	modeID   = 0x100
	loadID   = 0x101 // on a
	bulkID   = 0x102 // on b, 64 bytes
	lengthID = 0x110
)

// line is the shipped agent in a car of two buses, a (classic frames) and b (CAN
// FD), beside a service that its cards call. What it reads and writes is in a
// directory that the guest brings back: the host replays the journal and holds
// that it decides the same.
type line struct {
	t     *testing.T
	dir   string
	agent *agentProcess
	conn  *dbus.Conn
	calls chan call
	said  string // by the agent, once it has ended
}

// call is a call that arrived.
type call struct {
	text string
	at   int64 // CLOCK_BOOTTIME, ns
}

// newLine starts the agent on interfaces of the two buses.
func newLine(t *testing.T, name, a, b string) *line {
	t.Helper()
	l := &line{t: t, dir: filepath.Join(os.Getenv("VM_RUNS"), name), calls: make(chan call, 1<<16)}
	if err := os.MkdirAll(filepath.Join(l.dir, "deck"), 0o755); err != nil {
		t.Fatal(err)
	}
	l.write("a.dbc", dbcHead+message(modeID, "Mode", 8)+message(loadID, "Load", 8))
	dbc, signals := dbcHead+message(bulkID, "Bulk", 64), ""
	for i, n := range fdLengths {
		name := fmt.Sprint("Long", n)
		dbc += message(lengthID+i, name, n)
		signals += fmt.Sprintf("  Private.Line.%s: {from: b.%[1]s.%[1]s, stale_after: never}\n", name)
		l.write("deck/"+name+".yaml", lineCard(name, "changes: true"))
	}
	l.write("b.dbc", dbc)
	l.write("vehicle.yaml", fmt.Sprintf(lineVehicle, a, b, signals))
	l.write("deck/Mode.yaml", lineCard("Mode", "changes: true"))
	l.write("deck/Load.yaml", lineCard("Load", "rises_above: 200, rearm_below: 100")+"cooldown: 500ms\n")
	l.write("agent.yaml", fmt.Sprintf(lineConfig, guestBus))
	l.serve()
	l.agent = startProgram(t, "vignette-agent", filepath.Join(l.dir, "agent.yaml"))
	t.Cleanup(func() { // end has told it to end already, if all is well
		if l.said == "" {
			l.agent.cmd.Process.Kill()
			l.agent.cmd.Wait()
			t.Logf("the agent said\n%s", &l.agent.said)
		}
	})
	l.await("ready", func() bool { return l.state() == ready })
	return l
}

func (l *line) write(name, text string) { writeFile(l.t, filepath.Join(l.dir, name), []byte(text)) }

const dbcHead = "VERSION \"\"\n\nBS_:\n\nBU_: Car Agent\n\n"

// message has one signal of its own name, its last byte.
func message(id int, name string, length int) string {
	return fmt.Sprintf("BO_ %d %s: %d Car\n SG_ %s : %d|8@1+ (1,0) [0|255] \"\" Agent\n\n", id, name, length, name, 8*(length-1))
}

const lineVehicle = `schema: 1
id: line
version: 1
buses:
  a: {dbc: [a.dbc], interface: %s}
  b: {dbc: [b.dbc], interface: %s, fd: true}
signals:
  Private.Line.Mode: {from: a.Mode.Mode, stale_after: never}
  Private.Line.Load: {from: a.Load.Load, stale_after: 500ms}
  Private.Line.Bulk: {from: b.Bulk.Bulk, stale_after: 500ms}
%sstates:
  parked: {signal: Private.Line.Mode, between: [0, 255]}
actions:
  notify: {params: {text: string}, states: [parked, moving], min_interval: 1ms,
     call: {bus: session, service: org.vignette.Line1, path: /org/vignette/Line1, interface: org.vignette.Line1,
            member: Notify, signature: s, args: ["{text}"], within: 1s}}
`

// lineCard calls with its signal's name.
func lineCard(signal, trigger string) string {
	return fmt.Sprintf(`schema: 1
id: %s
version: 1.0.0
title: {en: %s}
when:
  - {signal: Private.Line.%[2]s, %s}
then:
  - {do: notify, with: {text: %[2]s}}
reentry: restart
`, strings.ToLower(signal), signal, trigger)
}

const lineConfig = `vehicle: vehicle.yaml
cards: [deck]
bus: %s
decisions: {file: decisions.msgp}
journal: journal.msgp
state: state
`

// serve is the service that cards call.
func (l *line) serve() {
	conn, err := dbus.Connect(guestBus)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	l.conn = conn
	notify := func(text string) *dbus.Error {
		l.calls <- call{text, socketcan.Now()}
		return nil
	}
	err = conn.ExportMethodTable(map[string]any{"Notify": notify}, "/org/vignette/Line1", "org.vignette.Line1")
	if err == nil {
		_, err = conn.RequestName("org.vignette.Line1", dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) property(name string, to any) bool { return agentProperty(l.conn, name, to) }

// agentProperty reads a property of the agent; it tells whether there is one.
func agentProperty(conn *dbus.Conn, name string, to any) bool {
	v, err := conn.Object(uibridge.AgentName, uibridge.AgentPath).GetProperty(uibridge.AgentInterface + "." + name)
	return err == nil && v.Store(to) == nil
}

// state is what the property Status says.
func (l *line) state() (state string) {
	var m map[string]dbus.Variant
	l.property("Status", &m)
	state, _ = m["state"].Value().(string) // empty: the agent is not there yet
	return state
}

// link is the state of a bus's link as the property Buses tells it.
func (l *line) link(bus string) (link string) {
	var m map[string]map[string]dbus.Variant
	l.property("Buses", &m)
	link, _ = m[bus]["link"].Value().(string)
	return link
}

func (l *line) counters() (m map[string]uint64) {
	l.property("Counters", &m)
	return m
}

// awaitTime bounds a wait whose length is not what a test is about.
const awaitTime = 15 * time.Second

func (l *line) await(what string, is func() bool) {
	l.t.Helper()
	await(l.t, what, is)
}

// await polls for what no event tells, and fails the test when it does not come.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(awaitTime); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("within %v: not %s", awaitTime, what)
		}
	}
}

// forget forgets the calls that have arrived.
func (l *line) forget() {
	for len(l.calls) > 0 {
		<-l.calls
	}
}

// next waits for a call with a text.
func (l *line) next(text string) call {
	l.t.Helper()
	late := time.After(awaitTime)
	for {
		select {
		case c := <-l.calls:
			if c.text == text {
				return c
			}
		case <-late:
			l.t.Fatalf("no call %q within %v; counters %v", text, awaitTime, l.counters())
		}
	}
}

// end tells the agent to stop and keeps what it said.
func (l *line) end() {
	l.t.Helper()
	l.said = l.agent.end(l.t)
	l.write("agent.out", l.said)
}

// journal reads the entries that the agent has journaled.
func (l *line) journal(each func(*drive.Entry)) {
	l.t.Helper()
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned = filepath.Join(l.dir, "vehicle.yaml"), []string{filepath.Join(l.dir, "deck")}, true
	prog, err := Load(&c)
	if err != nil {
		l.t.Fatal(err)
	}
	j, err := drive.NewJournalReader("journal", bytes.NewReader(readFile(l.t, filepath.Join(l.dir, "journal.msgp"))), prog)
	if err != nil {
		l.t.Fatal(err)
	}
	for {
		var e drive.Entry
		if err := j.Next(&e); err == io.EOF {
			return
		} else if err != nil {
			l.t.Fatal(err)
		}
		each(&e)
	}
}

// interruptProcessor takes the interrupts of the guest's controllers. What puts
// one of them down while its bus is full must run there. Elsewhere the driver can
// turn off an interrupt that is asserted and not yet seen to; QEMU's SJA1000 keeps
// it asserted then until the driver is up again, which takes it for another's
// meanwhile, and Linux turns it off after 100,000 times ("nobody cared") and
// looks for frames ten times a second, when most of them are lost.
const interruptProcessor = 0

// ip runs iproute2 to its end.
func ip(t *testing.T, args string) {
	t.Helper()
	var out []byte
	err := cansend.OnProcessor(interruptProcessor, func() (err error) {
		out, err = exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// senderTo is the interface on which to send what is to arrive on one: that of
// the other controller of its bus, or a virtual one itself.
func senderTo(name string) string {
	peer := strings.Replace(name, "can", "peer", 1)
	if _, err := os.Stat("/sys/class/net/" + peer); !strings.HasPrefix(name, "can") || errors.Is(err, os.ErrNotExist) {
		return name
	}
	return peer
}

// recoveryTime is how soon after a fault a frame must bring its call again.
const recoveryTime = time.Second

// slowest is the longest of some recoveries; all must be in time.
func (l *line) slowest(recoveries []time.Duration) {
	l.t.Helper()
	most := slices.Max(recoveries)
	l.t.Logf("%d times, the slowest recovery took %v", len(recoveries), most.Round(time.Millisecond))
	if most > recoveryTime {
		l.t.Errorf("a frame brought a call %v after the fault was over, at most %v are allowed: %v", most, recoveryTime, recoveries)
	}
}

// lineFrame is a frame of the line's car with a value in its last byte.
func lineFrame(id uint32, length int, value byte) *can.Frame {
	f := &can.Frame{ID: id, Len: uint8(length)}
	if id >= bulkID {
		f.Flags = can.FD
	}
	f.Data[length-1] = value
	return f
}

// What traffic sends, by the value: of bus a and of bus b.
var (
	modeFrame = func(v byte) *can.Frame { return lineFrame(modeID, 8, v) }
	loadFrame = func(v byte) *can.Frame { return lineFrame(loadID, 8, v) }
	longFrame = func(v byte) *can.Frame { return lineFrame(lengthID+uint32(len(fdLengths))-1, 64, v) }
	bulkFrame = func(v byte) *can.Frame { return lineFrame(bulkID, 64, v) }
)

// startTraffic has the kernel send count frames to an interface, rate of them in
// a second. Two of each 256 are calling, so that at 4,000 a second a call is due
// every 32 ms; the others are the load.
func startTraffic(t *testing.T, name string, rate, count int, calling, load func(v byte) *can.Frame) *cansend.Cyclic {
	t.Helper()
	frames := make([]*can.Frame, cansend.MaxCycle)
	for i := range frames {
		frames[i] = load(byte(i))
	}
	frames[len(frames)/2-1], frames[len(frames)-1] = calling(0), calling(1)
	c, err := cansend.StartCyclic(name, rate, count, frames...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// forEver is more frames than any test sends.
const forEver = 1 << 30

func openSender(t *testing.T, name string) *cansend.Socket {
	t.Helper()
	s, err := cansend.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func send(t *testing.T, tx *cansend.Socket, f *can.Frame) {
	t.Helper()
	if err := tx.Send(f); err != nil {
		t.Fatal(err)
	}
}
