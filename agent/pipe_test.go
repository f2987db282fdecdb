package agent

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vignette/can/socketcan"
	"vignette/scenes"
)

// TestPipe reads candump lines as they come: what waited is dropped, the times
// are those of reading, and a line that is no frame is told as lost on every bus
// and does not end it.
func TestPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "frames")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	writer, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	write := func(text string) {
		if _, err := writer.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	v := pipeVehicle(t)
	write("(1.000000) can0 100#00\n(1.000000) can0 10")
	var told bytes.Buffer
	before := socketcan.Now()
	p, err := openPipe(&SourceConfig{Pipe: name, Map: []string{"x=body"}}, v, slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write("0#00\n(1.000000) can0 101#0102\n(7.000000) other 102#\n(2.000000) x 103#\n")
	for i, want := range []struct {
		kind      socketcan.Kind
		buses, id int
	}{{socketcan.Lost, 2, 0}, {socketcan.Received, 1, 0x101}, {socketcan.Received, 1, 0x103}} {
		batch := <-p.Batches()
		if len(batch) != want.buses || batch[0].Kind != want.kind || int(batch[0].Frame.ID) != want.id {
			t.Errorf("batch %d is %+v, want %+v", i, batch, want)
		}
		if want.id == 0x103 && batch[0].Frame.Bus != 1 {
			t.Errorf("the mapped channel's bus is %d", batch[0].Frame.Bus)
		}
		if at := batch[0].Frame.Time; at < before || at > socketcan.Now() {
			t.Errorf("stamped %d, it was read from %d on", at, before)
		}
		p.Release(batch)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"bytes_of_unknown_age=41", "a line of the pipe is no frame", "channel=other"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("no %s in\n%s", want, told.String())
		}
	}
}

// pipeVehicle is the demo car, with its two buses.
func pipeVehicle(t *testing.T) *scenes.Vehicle {
	t.Helper()
	v, err := scenes.LoadVehicle("../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestPipeIsNone names what is no named pipe.
func TestPipeIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "is no named pipe; make one with mkfifo", file + "x": "no such file"} {
		if _, err := openPipe(&SourceConfig{Pipe: name}, pipeVehicle(t), quiet()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
