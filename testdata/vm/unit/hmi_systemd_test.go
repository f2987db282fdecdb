//go:build vm

package unit

import (
	"fmt"
	"net"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// The names of the agent and of its HMI on the bus, and what the tests look at.
const (
	agentName = "org.vignette.Agent1"
	agentPath = "/org/vignette/Agent1"
	traceFace = "org.vignette.Trace1"
	hmiName   = "org.vignette.DemoHmi1"
	hmiPath   = "/org/vignette/DemoHmi1"
	fanPath   = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
)

// ids are a user's numbers, and those of the groups that the user database knows.
func ids(name string) (uid, gid uint32, groups []uint32, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, nil, err
	}
	number := func(text string) uint32 {
		n, nerr := strconv.ParseUint(text, 10, 32)
		if nerr != nil {
			err = nerr
		}
		return uint32(n)
	}
	list, err := u.GroupIds()
	for _, g := range list {
		groups = append(groups, number(g))
	}
	return number(u.Uid), number(u.Gid), groups, err
}

// connect connects to the system bus as a user. The daemon asks the kernel who
// connects; of this process that is one thread, which ends then.
func connect(name string, options ...dbus.ConnOption) (*dbus.Conn, error) {
	uid, gid, groups, err := ids(name)
	if err != nil {
		return nil, err
	}
	type dialled struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialled)
	go func() {
		runtime.LockOSThread() // and never unlocked
		_, _, e1 := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(unsafe.SliceData(groups))), 0)
		_, _, e2 := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid))
		_, _, e3 := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid))
		if e1 != 0 || e2 != 0 || e3 != 0 {
			done <- dialled{nil, fmt.Errorf("become %s: %v, %v, %v", name, e1, e2, e3)}
			return
		}
		conn, err := net.Dial("unix", strings.TrimPrefix(busAddress, "unix:path="))
		done <- dialled{conn, err}
	}()
	d := <-done
	if d.err != nil {
		return nil, d.err
	}
	conn, err := dbus.NewConn(d.conn, options...)
	if err == nil {
		err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(int(uid)))})
	}
	if err == nil {
		err = conn.Hello()
	}
	if err != nil {
		d.conn.Close()
	}
	return conn, err
}

// hmi is the head unit's HMI: it takes the calls that the profile binds, as the
// user hmi, and comes back when the bus does.
type hmi struct {
	t   *testing.T
	car *car

	mu    sync.Mutex
	conn  *dbus.Conn
	calls []call
	news  chan struct{} // closed and made anew with each call
	over  bool
}

// call is a call that came in.
type call struct {
	method  string
	about   string // the actuator
	value   byte
	leaseMS uint32
	at      time.Time
}

func newHMI(t *testing.T, c *car) *hmi {
	t.Helper()
	h := &hmi{t: t, car: c, news: make(chan struct{})}
	must(t, h.dial())
	t.Cleanup(func() {
		h.mu.Lock()
		h.over = true
		conn := h.conn
		h.mu.Unlock()
		conn.Close()
	})
	return h
}

// dial connects, owns the name, and follows the connection.
func (h *hmi) dial() error {
	conn, err := connect("hmi", dbus.WithIncomingInterceptor(h.take))
	if err != nil {
		return err
	}
	yes := map[string]any{
		"SetActuator": func(string, dbus.Variant, uint32) *dbus.Error { return nil },
		"Notify":      func(string, string) *dbus.Error { return nil },
		"ShowTip":     func(string, string) *dbus.Error { return nil },
	}
	err = conn.ExportMethodTable(yes, hmiPath, hmiName)
	if err == nil {
		var r dbus.RequestNameReply
		if r, err = conn.RequestName(hmiName, dbus.NameFlagDoNotQueue); err == nil && r != dbus.RequestNameReplyPrimaryOwner {
			err = fmt.Errorf("the HMI does not get its name: %v", r)
		}
	}
	if err != nil {
		conn.Close()
		return err
	}
	h.mu.Lock()
	h.conn = conn
	h.mu.Unlock()
	go h.follow(conn)
	return nil
}

// follow connects again when the bus has gone.
func (h *hmi) follow(conn *dbus.Conn) {
	<-conn.Context().Done()
	for {
		h.mu.Lock()
		over := h.over
		h.mu.Unlock()
		if over || h.dial() == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// take notes a call in the order of the bus; the fan follows at once.
func (h *hmi) take(m *dbus.Message) {
	if face, _ := m.Headers[dbus.FieldInterface].Value().(string); m.Type != dbus.TypeMethodCall || face != hmiName {
		return
	}
	c := call{at: time.Now()}
	c.method, _ = m.Headers[dbus.FieldMember].Value().(string)
	if c.method == "SetActuator" {
		var value dbus.Variant
		if err := dbus.Store(m.Body, &c.about, &value, &c.leaseMS); err != nil {
			h.t.Errorf("SetActuator: %v", err)
		}
		if err := value.Store(&c.value); err != nil {
			h.t.Errorf("SetActuator: %v", err)
		}
		if c.about == fanPath {
			h.car.set(func(car *car) { car.fan = c.value })
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
	close(h.news)
	h.news = make(chan struct{})
}

// count is how many calls came.
func (h *hmi) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.calls)
}

// await waits for a call, of those from the nth on, that is what is wanted.
func (h *hmi) await(what string, n int, within time.Duration, wanted func(c *call) bool) call {
	h.t.Helper()
	limit := time.After(within)
	for {
		h.mu.Lock()
		list, news := h.calls[n:], h.news
		h.mu.Unlock()
		for i := range list {
			if wanted(&list[i]) {
				return list[i]
			}
		}
		select {
		case <-news:
		case <-limit:
			keep(h.t, filepath.Join("/out/failed", h.t.Name()))
			h.t.Fatalf("no %s within %v; it got %+v\n%s", what, within, list, journal(h.t))
		}
	}
}

// ask calls the agent.
func (h *hmi) ask(method string, args ...any) *dbus.Call {
	h.mu.Lock()
	conn := h.conn
	h.mu.Unlock()
	return conn.Object(agentName, agentPath).Call(method, 0, args...)
}

// owners are the owners that the agent's name will have; "" while it has none.
func (h *hmi) owners() <-chan *dbus.Signal {
	h.t.Helper()
	h.mu.Lock()
	conn := h.conn
	h.mu.Unlock()
	owners := make(chan *dbus.Signal, 16)
	conn.Signal(owners)
	must(h.t, conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, agentName)))
	return owners
}

// awaitOwner waits until a name has another owner.
func awaitOwner(t *testing.T, owners <-chan *dbus.Signal, within time.Duration) {
	t.Helper()
	limit := time.After(within)
	for {
		select {
		case s := <-owners:
			if len(s.Body) == 3 && s.Body[0] == agentName && s.Body[2] != "" {
				return
			}
		case <-limit:
			t.Fatalf("within %v: %s has no other owner\n%s", within, agentName, journal(t))
		}
	}
}

// card reads a property of a card's object.
func (h *hmi) card(id, property string) (v dbus.Variant) {
	h.t.Helper()
	h.mu.Lock()
	conn := h.conn
	h.mu.Unlock()
	path := dbus.ObjectPath(agentPath + "/card/" + strings.ReplaceAll(id, "-", "_2d"))
	must(h.t, conn.Object(agentName, path).Call("org.freedesktop.DBus.Properties.Get", 0, "org.vignette.Card1", property).Store(&v))
	return v
}

// replies are how many answers a card's calls have had.
func (h *hmi) replies(id string) uint64 {
	h.t.Helper()
	counts, _ := h.card(id, "Counts").Value().(map[string]uint64)
	return counts["replied"]
}

// awaitArmed waits until cards' triggers are all that they need.
func (h *hmi) awaitArmed(ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		await(h.t, id+" armed", 20*time.Second, func() bool { return h.card(id, "State").Value() == "armed" })
	}
}

// counter reads one of the agent's counters, which it brings up to date each second.
func counter(t testing.TB, conn *dbus.Conn, name string) uint64 {
	t.Helper()
	var all map[string]uint64
	must(t, conn.Object(agentName, agentPath).StoreProperty(agentName+".Counters", &all))
	return all[name]
}

func (h *hmi) counter(name string) uint64 {
	h.t.Helper()
	h.mu.Lock()
	conn := h.conn
	h.mu.Unlock()
	return counter(h.t, conn, name)
}

func isNotify(c *call) bool { return c.method == "Notify" }

func isQuiet(c *call) bool {
	return c.method == "SetActuator" && c.about == fanPath && c.value == 10 && c.leaseMS > 0
}

func isEnd(c *call) bool {
	return c.method == "SetActuator" && c.about == fanPath && c.leaseMS == 0
}
