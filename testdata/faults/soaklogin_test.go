package faults

import (
	"os"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	loginName    = "org.freedesktop.login1"
	loginPath    = "/org/freedesktop/login1"
	loginManager = "org.freedesktop.login1.Manager"
)

// login is login1 as far as the agent knows it, by its real names: it tells of
// sleep, and waits for who has asked it to.
type login struct {
	r    *rig
	conn *dbus.Conn

	mu    sync.Mutex
	locks []*os.File // our ends of what is held
}

func newLogin(r *rig) *login {
	l := &login{r: r}
	l.connect()
	r.t.Cleanup(func() { l.conn.Close(); l.drop() })
	return l
}

// connect offers login1 on the rig's bus.
func (l *login) connect() {
	l.r.t.Helper()
	conn, err := dbus.Connect(l.r.address)
	l.r.must(err)
	l.conn = conn
	l.r.must(conn.ExportMethodTable(map[string]any{"Inhibit": l.inhibit}, loginPath, loginManager))
	get := func(face, name string) (dbus.Variant, *dbus.Error) {
		return dbus.MakeVariant(uint64(5 * time.Second / time.Microsecond)), nil
	}
	l.r.must(conn.ExportMethodTable(map[string]any{"Get": get}, loginPath, "org.freedesktop.DBus.Properties"))
	if reply, err := conn.RequestName(loginName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		l.r.t.Fatal(reply, err)
	}
}

// inhibit gives an end of a pipe; the other one tells when it is given back.
func (l *login) inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	ours, theirs, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.locks = append(l.locks, ours)
	fd := dbus.UnixFD(theirs.Fd())
	time.AfterFunc(time.Second, func() { theirs.Close() }) // the message has long had its own
	return fd, nil
}

// sleep tells that the car is about to sleep, and waits until whoever holds it
// back has given that up.
func (l *login) sleep() {
	l.r.t.Helper()
	l.mu.Lock()
	held := l.locks
	l.locks = nil
	l.mu.Unlock()
	l.r.must(l.conn.Emit(loginPath, loginManager+".PrepareForSleep", true))
	for _, lock := range held {
		l.r.must(lock.SetReadDeadline(time.Now().Add(30 * time.Second)))
		if n, err := lock.Read(make([]byte, 1)); n > 0 || os.IsTimeout(err) {
			l.r.t.Fatalf("sleep is held back: %d, %v", n, err)
		}
		lock.Close()
	}
}

// wake tells that the car is awake, and waits until it is held back again.
func (l *login) wake() {
	l.r.t.Helper()
	l.r.must(l.conn.Emit(loginPath, loginManager+".PrepareForSleep", false))
	l.holds()
}

// holds waits until somebody holds sleep back.
func (l *login) holds() {
	l.r.t.Helper()
	l.r.await("held back from sleep", 30*time.Second, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.locks) > 0
	})
}

// drop forgets what is held, since who held it is gone.
func (l *login) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lock := range l.locks {
		lock.Close()
	}
	l.locks = nil
}
