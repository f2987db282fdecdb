package agent

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// stampingBus names, in a process's environment, the bus on which this test
// binary is the HMI of a benchmark instead: see stampingHMI.
const stampingBus = "VIGNETTE_TEST_STAMPING_HMI"

// The names that the demonstration car's profile binds.
const (
	demoHMI     = "org.vignette.DemoHmi1"
	demoHMIPath = "/org/vignette/DemoHmi1"
)

func TestMain(m *testing.M) {
	for name, be := range map[string]func(string) error{stampingBus: beStampingHMI, probeBus: beProbe} {
		if address := os.Getenv(name); address != "" {
			if err := be(address); err != nil {
				fmt.Fprintln(os.Stderr, name+":", err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// monotonic is CLOCK_MONOTONIC in ns, the same for all processes.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

// beStampingHMI is the HMI in a process of its own, with the same D-Bus library
// as the agent: Notify tells on standard output when it was called, Echo does
// nothing. It ends with its standard input.
func beStampingHMI(address string) error {
	conn, err := dbus.Connect(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	stamps := make(chan int64, 1024)
	methods := map[string]any{
		"Notify": func(lang, text string) *dbus.Error { stamps <- monotonic(); return nil },
		"Echo":   func(lang, text string) *dbus.Error { return nil },
	}
	if err := conn.ExportMethodTable(methods, demoHMIPath, demoHMI); err != nil {
		return err
	}
	if r, err := conn.RequestName(demoHMI, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("the name %s: reply %d, %v", demoHMI, r, err)
	}
	go func() {
		for at := range stamps {
			binary.Write(os.Stdout, binary.NativeEndian, at)
		}
	}()
	binary.Write(os.Stdout, binary.NativeEndian, monotonic()) // the name is owned
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// stampingHMI is that process as its parent sees it.
type stampingHMI struct{ out *bufio.Reader }

// startStampingHMI starts it and waits until its name is on the bus.
func startStampingHMI(tb testing.TB, address string) *stampingHMI {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stampingBus+"="+address)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error("the HMI's process:", err)
		}
	})
	h := &stampingHMI{bufio.NewReader(out)}
	h.next(tb)
	return h
}

// next waits for the next call of Notify and tells when it came, in ns of
// CLOCK_MONOTONIC.
func (h *stampingHMI) next(tb testing.TB) (at int64) {
	tb.Helper()
	if err := binary.Read(h.out, binary.NativeEndian, &at); err != nil {
		tb.Fatal("the HMI's process:", err)
	}
	return at
}
