package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience bounds every wait: the guest is emulated on a desk that does other
// things too.
const patience = time.Minute

const (
	agentName      = "org.vignette.Agent1"
	agentPath      = "/org/vignette/Agent1"
	cardInterface  = "org.vignette.Card1"
	traceInterface = "org.vignette.Trace1"
)

// agent is a process of the shipped agent, and an HMI's connection to it.
type agent struct {
	cmd    *exec.Cmd
	conn   *dbus.Conn
	object dbus.BusObject
	ready  chan struct{}
	ended  chan struct{}

	mu     sync.Mutex
	warned []string
}

// startAgent starts the agent and waits until it runs.
func startAgent() (*agent, error) {
	a := &agent{cmd: exec.Command("/bin/vignette-agent", "--unsigned", "--config", etc+"/agent.yaml"), ready: make(chan struct{}), ended: make(chan struct{})}
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(a.ended)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			a.hear(lines.Text())
		}
		_ = a.cmd.Wait() // its state is looked at by stop
	}()
	select {
	case <-a.ready:
	case <-a.ended:
		return nil, fmt.Errorf("the agent does not start: %s", strings.Join(a.said(), "\n"))
	case <-time.After(patience):
		return nil, errors.New("the agent does not come to run")
	}
	if a.conn, err = dbus.Connect(bus); err != nil {
		return nil, err
	}
	a.object = a.conn.Object(agentName, agentPath)
	return a, nil
}

// hear takes a line that the agent says.
func (a *agent) hear(line string) {
	if strings.Contains(line, "msg=running") {
		close(a.ready)
	}
	if strings.Contains(line, "level=INFO") || strings.Contains(line, "GeoClue2") { // which the guest does without
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.warned = append(a.warned, line)
}

// said is what the agent has warned of.
func (a *agent) said() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.warned...)
}

// kill is kill -9.
func (a *agent) kill() error {
	_ = a.cmd.Process.Kill() // it may have ended by itself, which stop would tell
	<-a.ended
	return a.conn.Close()
}

// stop tells the agent to stop; clean: it ended with 0.
func (a *agent) stop() (clean bool, err error) {
	if err := a.cmd.Process.Signal(sigterm); err != nil {
		return false, err
	}
	select {
	case <-a.ended:
	case <-time.After(patience):
		return false, errors.New("told to stop the agent goes on")
	}
	return a.cmd.ProcessState.ExitCode() == 0, a.conn.Close()
}

// ask calls a method of the agent's object and takes its answer.
func (a *agent) ask(method string, args []any, into ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !strings.Contains(method, ".") {
		method = agentName + "." + method
	}
	call := a.object.CallWithContext(ctx, method, 0, args...)
	if call.Err == nil {
		call.Err = call.Store(into...)
	}
	if call.Err != nil {
		return fmt.Errorf("%s%v: %w", method, args, call.Err)
	}
	return nil
}

// cardProperties are those of a card's object; ids here need no escape but for a
// digit, which stands behind a letter.
func (a *agent) cardProperties(id string) (p map[string]dbus.Variant, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err = a.conn.Object(agentName, dbus.ObjectPath(agentPath+"/card/"+id)).
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.GetAll", 0, cardInterface).Store(&p)
	return p, err
}

// await polls for what no signal tells.
func await(what string, is func() (bool, error)) error {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if ok, err := is(); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		} else if ok {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("it is not so that %s", what)
		}
	}
}
