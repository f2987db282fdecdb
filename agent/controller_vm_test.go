//go:build linux && vm && !arm

package agent

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vignette/testdata/vm/cansend"
)

// controller is what iproute2 tells of a CAN controller.
type controller struct {
	OperState string
	LinkInfo  struct {
		Kind string `json:"info_kind"`
		Data struct {
			State     string
			RestartMS int `json:"restart_ms"`
			Timing    struct {
				Bitrate int
			} `json:"bittiming"`
		} `json:"info_data"`
	}
}

func lookAtController(t *testing.T, name string) controller {
	t.Helper()
	out, err := exec.Command("ip", "-details", "-json", "link", "show", name).Output()
	var list []controller
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil || len(list) != 1 {
		t.Fatalf("ip link show %s: %v\n%s", name, err, out)
	}
	return list[0]
}

// TestControllerSettings has the system set another bitrate while the agent
// reads the bus, and holds what the controller, and the agent, say of it.
func TestControllerSettings(t *testing.T) {
	l := newLine(t, "settings", "can0", "vcan1")
	tx := openSender(t, "peer0")
	value := byte(0)
	for _, step := range []struct {
		set     string // empty: as it is at the start
		bitrate int
		restart int
	}{
		{"", 500_000, 100},
		{"bitrate 250000 restart-ms 0", 250_000, 0},
		{"bitrate 1000000 restart-ms 50", 1_000_000, 50},
		{"bitrate 500000 restart-ms 100", 500_000, 100},
	} {
		if step.set != "" {
			ip(t, "link set can0 down")
			l.await("told to be down", func() bool { return l.link("a") == "down" })
			if c := lookAtController(t, "can0"); c.LinkInfo.Data.State != "STOPPED" {
				t.Errorf("down, the controller is %+v", c)
			}
			ip(t, "link set can0 up type can "+step.set)
		}
		l.await("told to be up", func() bool { return l.link("a") == "up" })
		c := lookAtController(t, "can0")
		if d := c.LinkInfo.Data; c.LinkInfo.Kind != "can" || c.OperState != "UP" || d.State != "ERROR-ACTIVE" || d.Timing.Bitrate != step.bitrate || d.RestartMS != step.restart {
			t.Errorf("set %q, the controller is %+v", step.set, c)
		}
		for range 2 {
			value++
			send(t, tx, modeFrame(value))
		}
		l.next("Mode")
	}
	l.end()
}

// TestControllerTakenAwayAndBack takes a controller from its driver while its bus
// is full, and gives it back.
func TestControllerTakenAwayAndBack(t *testing.T) {
	l := newLine(t, "unplugged", "can1", "vcan1")
	tr := startTraffic(t, "peer1", busyRate, forEver, modeFrame, loadFrame)
	l.next("Mode")
	var recoveries []time.Duration
	device := pciDevice(t, "can1")
	for range 5 {
		unplug(t, device)
		l.await("told to be absent", func() bool { return l.link("a") == "absent" })
		recoveries = append(recoveries, l.over("Mode", func() {
			plug(t, device)
			ip(t, "link set can1 txqueuelen 1000 up type can bitrate 500000 restart-ms 100")
		}))
	}
	tr.Close()
	l.end()
	l.slowest(recoveries)
}

// unplug takes a PCI device from its driver, and plug gives it back.
func unplug(t *testing.T, device string) {
	t.Helper()
	err := cansend.OnProcessor(interruptProcessor, func() error {
		return os.WriteFile("/sys/bus/pci/drivers/kvaser_pci/unbind", []byte(device), 0)
	})
	if err != nil {
		t.Fatal(err)
	}
}
func plug(t *testing.T, device string) {
	writeFile(t, "/sys/bus/pci/drivers/kvaser_pci/bind", []byte(device))
}

// pciDevice is the device of an interface.
func pciDevice(t *testing.T, name string) string {
	t.Helper()
	target, err := os.Readlink("/sys/class/net/" + name + "/device")
	if err != nil {
		t.Fatal(err)
	}
	return target[strings.LastIndex(target, "/")+1:]
}
