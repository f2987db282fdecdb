// Command powered is the init of the guests of the test of power losses. Told
// `power=work` it has the shipped agent work on a disk of which every write is
// logged, and marks on that disk what the agent has promised; told `power=look` it
// looks at what power losses have left of it. See package powercut.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The names of disks, by their serial numbers.
const (
	dataDisk   = "data"   // a file system and marks, or several of them one behind the other
	resultDisk = "result" // its first bytes become a length and JSON
)

func main() {
	result, err := run()
	if err != nil {
		fmt.Println("init:", err)
	} else if err = bring(result); err != nil {
		fmt.Println("init: bring the result:", err)
	} else {
		fmt.Println("vm: end")
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// run readies the guest and does what the kernel's command line says.
func run() (result any, err error) {
	if err := ready(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, err
	}
	told := map[string]string{}
	for _, word := range strings.Fields(string(text)) {
		key, value, _ := strings.Cut(word, "=")
		told[key] = value
	}
	number := func(key string) uint64 {
		n, bad := strconv.ParseUint(told[key], 10, 32)
		if bad != nil && err == nil {
			err = fmt.Errorf("%s=%s: %w", key, told[key], bad)
		}
		return n
	}
	switch told["power"] {
	case "work":
		if seed, seconds := number("seed"), number("seconds"); err == nil {
			return work(seed, time.Duration(seconds)*time.Second)
		}
	case "look":
		if images := number("images"); err == nil {
			return look(int(images))
		}
	default:
		err = fmt.Errorf("power=%s is not work or look", told["power"])
	}
	return nil, err
}

// ready mounts what the kernel offers, loads modules, sets the clock and starts
// the bus.
func ready() error {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"}, {"tmpfs", "/tmp"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	list, err := os.ReadFile("/modules.list")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(list)) {
		if err := load(name); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	day := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC).Unix() // within the demo's study
	if err := unix.Settimeofday(&unix.Timeval{Sec: day}); err != nil {
		return err
	}
	if err := exec.Command("/usr/bin/dbus-daemon", "--config-file=/etc/bus.conf", "--fork", "--nopidfile").Run(); err != nil {
		return fmt.Errorf("dbus-daemon: %w", err)
	}
	return nil
}

// load loads a module.
func load(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// disk finds a disk by its serial number; it may take the kernel a moment.
func disk(serial string) (string, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		list, err := filepath.Glob("/sys/block/vd*/serial")
		if err != nil {
			return "", err
		}
		for _, file := range list {
			if text, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(text)) == serial {
				return filepath.Join("/dev", filepath.Base(filepath.Dir(file))), nil
			}
		}
	}
	return "", fmt.Errorf("there is no disk %s", serial)
}

// bring writes a result onto the disk for it.
func bring(result any) error {
	name, err := disk(resultDisk)
	if err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = binary.Write(w, binary.LittleEndian, uint64(len(text)))
	if err == nil {
		_, err = w.Write(text)
	}
	return errors.Join(err, w.Flush(), f.Sync(), f.Close())
}

// say tells the host how far the guest is.
func say(format string, args ...any) { fmt.Printf("vm: "+format+"\n", args...) }

// sigterm tells a process to stop.
const sigterm = syscall.SIGTERM
