package agent

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	uibridge "vignette/ui-bridge"
)

// manager is the service manager that started the agent and wants to hear how
// it is: systemd, or one that speaks its protocol (sd_notify(3)): datagrams of
// NAME=VALUE lines to the socket that NOTIFY_SOCKET names.
type manager struct {
	log      uibridge.Logger
	conn     net.Conn      // nil: nobody wants to hear
	watchdog time.Duration // 0: none; else the agent is killed if it says nothing for so long
	told     time.Time     // when the watchdog heard last
}

// hearing bounds the wait for a manager that does not read.
const hearing = 100 * time.Millisecond

// openManager reads the environment.
func openManager(log uibridge.Logger) (*manager, error) {
	m := &manager{log: log}
	name := os.Getenv("NOTIFY_SOCKET") // an abstract one begins with @, as net names it
	if name == "" {
		return m, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("NOTIFY_SOCKET: %w", err)
	}
	m.conn = conn
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return m, nil // another process is watched
	}
	if text := os.Getenv("WATCHDOG_USEC"); text != "" {
		us, err := strconv.ParseInt(text, 10, 64)
		if err != nil || us <= 0 {
			conn.Close()
			return nil, fmt.Errorf("WATCHDOG_USEC: %q is no number of microseconds", text)
		}
		m.watchdog = time.Duration(us) * time.Microsecond
	}
	return m, nil
}

// tell sends lines. A manager that does not take them is logged.
func (m *manager) tell(lines string) {
	if m.conn == nil {
		return
	}
	m.conn.SetWriteDeadline(time.Now().Add(hearing))
	if _, err := m.conn.Write([]byte(lines)); err != nil {
		m.log.Warn("the service manager does not hear", "error", err)
	}
}

// pet tells the watchdog that the caller turns, not more often than it needs.
func (m *manager) pet() {
	if now := time.Now(); m.watchdog > 0 && now.Sub(m.told) >= m.watchdog/4 {
		m.told = now
		m.tell("WATCHDOG=1")
	}
}

// Close closes the socket.
func (m *manager) Close() error {
	if m.conn == nil {
		return nil
	}
	return m.conn.Close()
}
