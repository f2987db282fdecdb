package agent

import (
	"context"
	"fmt"
	"os"
	osuser "os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"
)

// The users that stand for those of the policy: dbus-daemon asks the system for
// a user's groups, so they must be there, and these are on every Debian system
// (and most others), each with a group of its name.
const (
	agentUser = "daemon" // for vignette
	hmiUser   = "games"  // of the group games, for vignette-hmi
	otherUser = "news"
)

const (
	shipped      = "../buildroot/package/vignette-agent/"
	activation   = "org.vignette.Agent1.service"
	accessDenied = "org.freedesktop.DBus.Error.AccessDenied"
)

// policedBus is a dbus-daemon with this machine's own rules for a system bus and
// the shipped policy, and what its users run.
type policedBus struct {
	t             *testing.T
	dir           string // everybody may read it, the agent's user may write to it
	address, self string // self: a copy of this test binary
}

func newPolicedBus(t *testing.T) *policedBus {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test needs root: it runs programs as several users, whom dbus-daemon tells apart")
	}
	dir, err := os.MkdirTemp("", "vignette-policy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	b := &policedBus{t: t, dir: dir, self: filepath.Join(dir, "self")}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.self, readFile(t, self), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "policy.conf"), []byte(shippedPolicy(t)))
	writeFile(t, filepath.Join(dir, activation), readFile(t, shipped+activation))
	writeFile(t, filepath.Join(dir, "system.conf"), []byte(systemBus(t, dir)))
	var stop func()
	if b.address, stop, err = privatebus.StartConfig(context.Background(), filepath.Join(dir, "system.conf")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	owner := credential(t, agentUser)
	if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
		t.Fatal(err)
	}
	return b
}

// shippedPolicy is the shipped file with the names of the users that are here.
func shippedPolicy(t *testing.T) string {
	text := string(readFile(t, shipped+"org.vignette.Agent1.conf"))
	for _, name := range [][2]string{{`user="vignette"`, `user="` + agentUser + `"`}, {`group="vignette-hmi"`, `group="` + hmiUser + `"`}} {
		if strings.Count(text, name[0]) != 1 {
			t.Fatalf("the shipped policy has no %s, or several", name[0])
		}
		text = strings.Replace(text, name[0], name[1], 1)
	}
	return text
}

// credential is a user of this machine with the group of that name.
func credential(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	u, err := osuser.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if uerr != nil || gerr != nil {
		t.Fatal(uerr, gerr)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// systemBus is this machine's configuration of the system bus, without what it
// does as a service and without other policies.
func systemBus(t *testing.T, dir string) string {
	text := string(readFile(t, "/usr/share/dbus-1/system.conf"))
	out := regexp.MustCompile(`(?s)<(fork|syslog|standard_system_servicedirs)/>|<(user|pidfile|servicehelper|include|includedir|listen)( [^>]*)?>[^<]*</(user|pidfile|servicehelper|include|includedir|listen)>`)
	text = out.ReplaceAllString(text, "")
	return strings.Replace(text, "</busconfig>", fmt.Sprintf("<listen>unix:path=%s/bus</listen><servicedir>%[1]s</servicedir><include>policy.conf</include></busconfig>", dir), 1)
}

func (b *policedBus) user(name string) *user {
	b.t.Helper()
	return startUser(b.t, b.self, b.address, credential(b.t, name))
}

// methodsOfAgent are the methods of every interface that is installed, and those
// of every object.
func methodsOfAgent(t *testing.T) (list []string) {
	t.Helper()
	files, err := uibridge.Interfaces.ReadDir("dbus")
	if err != nil {
		t.Fatal(err)
	}
	method := regexp.MustCompile(`<method name="(\w+)"`)
	for _, f := range files {
		text, err := uibridge.Interfaces.ReadFile("dbus/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range method.FindAllStringSubmatch(string(text), -1) {
			list = append(list, strings.TrimSuffix(f.Name(), ".xml")+"."+m[1])
		}
	}
	if len(list) < 12 {
		t.Fatalf("the interfaces have %v only", list)
	}
	return append(list, "org.freedesktop.DBus.Properties.Get", "org.freedesktop.DBus.Properties.GetAll", "org.freedesktop.DBus.Properties.Set",
		"org.freedesktop.DBus.Introspectable.Introspect", "org.freedesktop.DBus.Peer.Ping", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
}

// TestOnlyTheHMIReachesTheAgent runs the agent's own program as its user on a bus
// with the shipped policy: the HMI's user may call it and hears what it watches;
// another user may call nothing, hears nothing, and nobody else owns the name.
func TestOnlyTheHMIReachesTheAgent(t *testing.T) {
	b := newPolicedBus(t)
	program := buildAgent(t, b.dir)
	log, err := os.Create(filepath.Join(b.dir, "busy.log"))
	if err != nil {
		t.Fatal(err)
	}
	busyLog(t, log, busyRate)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	config := deckOf(t, "..", b.dir, b.address, "{log: busy.log, speed: 0.01x, replies: events}")
	agent := startProgramAs(t, program, config, credential(t, agentUser))
	defer agent.end(t)
	hmi, other, root := b.user(hmiUser), b.user(otherUser), b.user("root")
	hmi.do("await", uibridge.AgentName)
	for _, method := range methodsOfAgent(t) {
		for who, u := range map[string]*user{otherUser: other, "root": root} {
			if said := u.try("call", method); said != accessDenied {
				t.Errorf("%s calls %s: %s", who, method, said)
			}
		}
		if said := hmi.try("call", method); said == accessDenied {
			t.Errorf("the HMI's user may not call %s", method)
		}
	}
	if said := root.try("own", uibridge.AgentName); said != accessDenied {
		t.Errorf("root owns the name: %s", said)
	}
	if said := other.try("watch", "Vehicle.Speed"); said != accessDenied {
		t.Errorf("another user watches: %s", said)
	}
	other.do("match", "type='signal'")
	for who, u := range map[string]*user{"another user": other, "the HMI's user": hmi} {
		for _, what := range [][]string{{"own", uibridge.AgentName}, {"match", "type='signal',eavesdrop='true'"}, {"match", "eavesdrop='true'"}, {"monitor"}} {
			if said := u.try(what...); said != accessDenied {
				t.Errorf("%s: %v: %s", who, what, said)
			}
		}
	}
	hmi.do("watch", "Vehicle.Speed")
	hmi.hears(t, "Values")
	if heard := other.do("heard"); heard != "" {
		t.Errorf("another user hears %s", heard)
	}
}

// hears waits until a signal has come.
func (u *user) hears(t *testing.T, member string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if slices.Contains(strings.Fields(u.do("heard")), member) {
			return
		}
	}
	t.Errorf("no signal %s came", member)
}

// TestSignalsReachTheHMIOnly has a program of the agent's user signal to all and
// to each, which the agent itself never does: the HMI's user gets it, another
// does not.
func TestSignalsReachTheHMIOnly(t *testing.T) {
	b := newPolicedBus(t)
	agent, hmi, other := b.user(agentUser), b.user(hmiUser), b.user(otherUser)
	agent.do("own", uibridge.AgentName)
	for _, u := range []*user{hmi, other} {
		u.do("match", "type='signal'")
	}
	if names := other.do("activatable"); !slices.Contains(strings.Fields(names), uibridge.AgentName) {
		t.Errorf("the bus can start %s; the agent is not among them", names)
	}
	agent.do("ping", hmi.name) // whether it reads
	if said := other.try("ping", hmi.name); said != accessDenied {
		t.Errorf("another user pings: %s", said)
	}
	agent.do("emit", "ToAll")
	agent.do("emit", "ToHMI", hmi.name)
	agent.do("emit", "ToOther", other.name)
	agent.do("heard") // the bus has taken them
	if heard := hmi.do("heard"); heard != "ToAll ToHMI" {
		t.Errorf("the HMI's user hears %q", heard)
	}
	if heard := other.do("heard"); heard != "" {
		t.Errorf("another user hears %q", heard)
	}
}

// TestPackagingNamesAgree: the files name the same bus name, unit and user.
func TestPackagingNamesAgree(t *testing.T) {
	for _, c := range [][]string{
		{activation, "Name=" + uibridge.AgentName, "SystemdService=vignette-agent.service", "Exec=/bin/false", "User=vignette"},
		{"vignette-agent.service", "BusName=" + uibridge.AgentName, "User=vignette", "Group=vignette", "Type=notify"},
		{"vignette-agent.sysusers", `u vignette - "Vignette agent" /var/lib/vignette`, "g vignette-hmi -"},
	} {
		lines := strings.Split(string(readFile(t, shipped+c[0])), "\n")
		for _, want := range c[1:] {
			if !slices.Contains(lines, want) {
				t.Errorf("%s has no line %s", c[0], want)
			}
		}
	}
}

// TestUnitBounds holds what the unit grants: Unix and CAN sockets only, no
// capability, a root that cannot be written but for one state directory, and a
// memory limit of which the garbage collector knows.
func TestUnitBounds(t *testing.T) {
	set := map[string][]string{}
	for line := range strings.Lines(string(readFile(t, shipped+"vignette-agent.service"))) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			set[key] = append(set[key], value)
		}
	}
	for key, want := range map[string]string{
		"RestrictAddressFamilies": "AF_UNIX AF_CAN", "CapabilityBoundingSet": "", "AmbientCapabilities": "", "NoNewPrivileges": "yes",
		"ProtectSystem": "strict", "StateDirectory": "vignette", "IPAddressDeny": "any", "PrivateDevices": "yes",
	} {
		if got, ok := set[key]; !ok || len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"ReadWritePaths", "CacheDirectory", "LogsDirectory", "RuntimeDirectory", "ConfigurationDirectory", "BindPaths"} {
		if got, ok := set[key]; ok {
			t.Errorf("%s=%s: more than one directory can be written", key, got)
		}
	}
	var most, soft int
	if _, err := fmt.Sscanf(strings.Join(set["MemoryMax"], ","), "%dM", &most); err != nil {
		t.Error("MemoryMax:", err)
	}
	if _, err := fmt.Sscanf(strings.Join(set["Environment"], ","), "GOMEMLIMIT=%dMiB", &soft); err != nil || soft < mostResident>>20 || soft > most*3/4 {
		t.Errorf("GOMEMLIMIT is %d MiB of %d: %v", soft, most, err)
	}
	if d, err := time.ParseDuration(strings.Join(set["WatchdogSec"], ",")); err != nil || d < 2*quietEvery {
		t.Errorf("the watchdog waits %v, and a quiet agent turns every %v: %v", d, quietEvery, err)
	}
}
