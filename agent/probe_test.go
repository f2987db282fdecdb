package agent

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// probeBus names, in a process's environment, the bus on which this test binary
// is a program of another user instead: see beProbe.
const probeBus = "VIGNETTE_TEST_PROBE"

// beProbe does on a bus what its standard input says, a line each, and answers
// with a line each: "ok", with what was asked for, or the name of an error.
func beProbe(address string) error {
	conn, err := dbus.Connect(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	p := &probe{conn: conn, heard: make(chan *dbus.Signal, 1024)}
	conn.Signal(p.heard)
	lines := bufio.NewScanner(os.Stdin)
	fmt.Println("ok " + conn.Names()[0])
	for lines.Scan() {
		answer, err := p.do(strings.Fields(lines.Text()))
		var named dbus.Error
		switch {
		case errors.As(err, &named):
			answer = named.Name
		case err != nil:
			answer = err.Error()
		default:
			answer = "ok " + answer
		}
		fmt.Println(strings.TrimSpace(answer))
	}
	return lines.Err()
}

type probe struct {
	conn  *dbus.Conn
	heard chan *dbus.Signal
}

func (p *probe) do(words []string) (string, error) {
	bus := p.conn.BusObject()
	agent := p.conn.Object(uibridge.AgentName, uibridge.AgentPath)
	switch words[0] {
	case "call": // a method of the agent, without arguments
		return "", agent.Call(words[1], 0).Err
	case "watch": // a path
		return "", agent.Call(uibridge.AgentInterface+".Watch", 0, words[1:]).Err
	case "ping": // a connection
		return "", p.conn.Object(words[1], "/").Call("org.freedesktop.DBus.Peer.Ping", 0).Err
	case "await": // a name that somebody owns
		return "", p.await(words[1])
	case "own": // a name
		return "", bus.Call("org.freedesktop.DBus.RequestName", 0, words[1], uint32(dbus.NameFlagReplaceExisting)).Err
	case "activatable": // names
		var names []string
		err := bus.Call("org.freedesktop.DBus.ListActivatableNames", 0).Store(&names)
		return strings.Join(names, " "), err
	case "match": // a rule
		return "", bus.Call("org.freedesktop.DBus.AddMatch", 0, words[1]).Err
	case "monitor":
		return "", bus.Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err
	case "emit": // a signal, to a connection or to all
		m := &dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(uibridge.AgentPath)), dbus.FieldInterface: dbus.MakeVariant(uibridge.AgentInterface), dbus.FieldMember: dbus.MakeVariant(words[1])}}
		if len(words) > 2 {
			m.Headers[dbus.FieldDestination] = dbus.MakeVariant(words[2])
		}
		return "", p.conn.Send(m, nil).Err
	case "heard": // the signals of the agent that have come; what was sent before is there
		if err := bus.Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
			return "", err
		}
		return p.signals(), nil
	}
	return "", errors.New("no such command: " + words[0])
}

// await returns when a name has an owner.
func (p *probe) await(name string) error {
	if err := p.conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		return err
	}
	var owned bool
	if err := p.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned); err != nil || owned {
		return err
	}
	for s := range p.heard {
		if s.Name == "org.freedesktop.DBus.NameOwnerChanged" && s.Body[2] != "" {
			return nil
		}
	}
	return errors.New("the bus is gone")
}

// signals lists the members of the agent's signals.
func (p *probe) signals() string {
	var list []string
	for {
		select {
		case s := <-p.heard:
			if s.Path == uibridge.AgentPath {
				list = append(list, s.Name[strings.LastIndex(s.Name, ".")+1:])
			}
		default:
			return strings.Join(list, " ")
		}
	}
}

// user is a process of some user on the bus.
type user struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Scanner
	name string // unique, of its connection
}

// startUser starts this test binary, a copy that everybody may run, as a user.
func startUser(t *testing.T, program, address string, as *syscall.Credential) *user {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), probeBus+"="+address)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("a user's process:", err)
		}
	})
	u := &user{t: t, in: in, out: bufio.NewScanner(out)}
	u.name = u.answer()
	return u
}

// do has it do something and wants it to succeed.
func (u *user) do(command ...string) string {
	u.t.Helper()
	said := u.try(command...)
	text, ok := strings.CutPrefix(said, "ok")
	if !ok {
		u.t.Errorf("%s: %s", strings.Join(command, " "), said)
	}
	return strings.TrimSpace(text)
}

// try has it do something and returns its answer.
func (u *user) try(command ...string) string {
	u.t.Helper()
	if _, err := fmt.Fprintln(u.in, strings.Join(command, " ")); err != nil {
		u.t.Fatal(err)
	}
	if !u.out.Scan() {
		u.t.Fatalf("%s: the process has ended: %v", strings.Join(command, " "), u.out.Err())
	}
	return u.out.Text()
}

// answer reads the line that it begins with.
func (u *user) answer() string {
	u.t.Helper()
	if !u.out.Scan() {
		u.t.Fatal("a user's process ended at its start; may that user run it and reach the bus?")
	}
	return strings.TrimPrefix(u.out.Text(), "ok ")
}
