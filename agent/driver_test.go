package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// driverCard is started by a button or by hand, and its lamp asks first.
const driverCard = `schema: 1
id: star
version: 1.0.0
title: {en: Star}
when:
  - {button: star}
then:
  - {set: Private.Lamp, to: true, lease: 1m, at_end: leave}
manual: true
`

const driverVehicle = `schema: 1
id: small
version: 1
buses:
  pt: {dbc: [car.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: pt.M.S, unit: km/h}
actuators:
  Private.Lamp: {type: boolean, min_interval: 0s, max_lease: 1h, states: [moving], manual_holdoff: 1m, confirm: true,
     call: {bus: session, service: org.example.Lamp1, path: /org/example/Lamp1, interface: org.example.Lamp1, member: Set, signature: b, args: ["{value}"], within: 500ms}}
events:
  button: {names: [star], hmi: true}
  phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}
`

const driverDBC = "VERSION \"\"\nBO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,0) [0|300] \"km/h\" Y\n"

// TestDriverOverTheLoop tells the agent of the driver as the HMI does, and
// holds what the decision log and its replay say of it.
func TestDriverOverTheLoop(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"star.yaml": driverCard, "vehicle.yaml": driverVehicle, "car.dbc": driverDBC} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := newLiveBenchOf(t, &Config{Unsigned: true, Vehicle: filepath.Join(dir, "vehicle.yaml"), Cards: []string{filepath.Join(dir, "star.yaml")}})
	b.face = newFace()
	b.session, b.tasks, b.ended = 1, make(chan task), make(chan struct{})
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		for t := range b.tasks {
			_ = b.run(t) // the caller gets it too
		}
	}()
	for _, c := range []struct {
		what string
		do   func() error
		want error
	}{
		{"an event of the profile", func() error { return b.Occur("button star", true) }, nil},
		{"the driver's yes", func() error { return b.Answer(2, true) }, nil},
		{"an answer to nothing", func() error { return b.Answer(99, true) }, nil},
		{"the service's reply", func() error {
			return b.do(func() error { return b.tell(engine.Event{Kind: engine.EvReply, Session: 1, Ref: 4, OK: true}) })
		}, nil},
		{"by hand", func() error { return b.RunCard("star") }, nil},
		{"disabled", func() error { return b.EnableCard("star", false) }, nil},
		{"free of nothing", func() error { return b.FreeCard("star") }, nil},
		{"another user", func() error { return b.SetUser(5) }, nil},
		{"unknown card", func() error { return b.EnableCard("sun", true) }, uibridge.ErrUnknownCard},
		{"unknown event", func() error { return b.Occur("button sun", true) }, uibridge.ErrUnknownEvent},
		{"an event that is not the HMI's", func() error { return b.Occur("phone near", true) }, uibridge.ErrUnknownEvent},
		{"the driver's hand", func() error { return b.Override("Private.Lamp", engine.Value{Kind: engine.Bool}) }, nil},
	} {
		if err := c.do(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", c.what, err, c.want)
		}
	}
	close(b.tasks)
	<-taken
	log := b.decisions.String()
	for _, want := range []string{`"what":"asked"`, `"what":"confirmed"`, `"what":"acted"`, `"what":"dropped","why":"answer"`, `"why":"manual"`,
		`"what":"user","why":"disabled"`, `"what":"dropped","why":"free"`, `"what":"user","why":"user:5"`, `"what":"override"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the decision log has no %s:\n%s", want, log)
		}
	}
	b.replays(t)
	close(b.ended)
	b.tasks = nil
	if err := b.SetUser(6); !errors.Is(err, uibridge.ErrClosing) {
		t.Errorf("after the end: %v; want ErrClosing", err)
	}
}
