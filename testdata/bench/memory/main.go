// Command memory gives long recordings to vignette and prints the most memory that
// it had resident, for a tenth of the recording and for the whole.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/canlog/candump"
	"vignette/testdata/bench/network"
	"vignette/testdata/bench/process"
	"vignette/testdata/drive"
)

// growth is how much more memory the end may take than a tenth did, in KiB: what
// the collector of Go leaves to chance.
const growth = 4 << 10

func main() {
	vignette := flag.String("vignette", "bin/vignette", "the `program` to run")
	size := flag.Int64("size", 1000, "`MB` of each recording")
	flag.Parse()
	if err := run(*vignette, *size*1e6, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "memory: %v\n", err)
		os.Exit(1)
	}
}

// trial is one run of the program.
type trial struct {
	name string
	args []string
	log  func() io.Reader // from its beginning, without end
	file string           // the recording is to be this file, in args, as the program opens it twice; empty: a pipe
}

func run(vignette string, size int64, out io.Writer) error {
	if size < 10e6 || flag.NArg() > 0 {
		return errors.New("usage: memory [options]; size is 10 or more")
	}
	dir, err := os.MkdirTemp("", "vignette-memory-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	list, err := trials(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| work on a recording of %d MB | resident at most for the first %d MB, KiB | for all, KiB |\n|---|---|---|\n", size/1e6, size/10e6)
	grown := false
	for _, t := range list {
		run := t.fromPipe
		if t.file != "" {
			run = t.fromFiles
		}
		tenth, whole, err := run(vignette, size)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(out, "| %s | %d | %d |\n", t.name, tenth, whole)
		grown = grown || whole > tenth+growth
	}
	if grown {
		return errors.New("memory grows with the recording")
	}
	return nil
}

func trials(dir string) ([]trial, error) {
	const stdin = "/dev/stdin"
	dbc := filepath.Join(dir, "network.dbc")
	if err := os.WriteFile(dbc, network.DBC(), 0o600); err != nil {
		return nil, err
	}
	blf, err := blfLog(dir)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := drive.Generate(&text, drive.Seconds); err != nil {
		return nil, err
	}
	log := filepath.Join(dir, "rounds.log")
	signals := []string{"signals", "--dbc", dbc, "--signal", "Page", stdin}
	return []trial{
		{"candump, `vignette replay`", []string{"replay", "--vehicle", "testdata/drive/vehicle.yaml", "--cards", "testdata/drive/cards", log},
			func() io.Reader { return &rounds{text: text.Bytes()} }, log},
		{"candump, `vignette signals`", signals, newTraffic, ""},
		{"candump, `vignette convert` to BLF", []string{"convert", stdin, filepath.Join(dir, "out.blf")}, newTraffic, ""},
		{"BLF, `vignette signals`", signals, func() io.Reader { return &repeated{text: blf} }, ""},
	}, nil
}

// fromFiles runs the program on a file of a tenth, then on one of all.
func (t *trial) fromFiles(vignette string, size int64) (tenth, whole int64, err error) {
	defer os.Remove(t.file)
	if tenth, err = t.fromFile(vignette, size/10); err != nil {
		return 0, 0, err
	}
	whole, err = t.fromFile(vignette, size)
	return tenth, whole, err
}

// fromFile looks at the program's memory until it has ended; that it grew in
// the last moment cannot be seen.
func (t *trial) fromFile(vignette string, size int64) (most int64, err error) {
	file, err := os.Create(t.file)
	if err != nil {
		return 0, err
	}
	_, err = io.CopyN(file, t.log(), size)
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	cost, err := process.Run(exec.Command(vignette, t.args...))
	if err != nil && !cutShort(err.Error()) {
		return cost.Resident, err
	}
	return cost.Resident, nil
}

// cutShort reports whether a program has said that the recording ends in mid-line
// or in mid-container, which is no failure here.
func cutShort(said string) bool { return strings.Contains(said, "cut") }

// fromPipe feeds size bytes and asks for the memory twice.
func (t *trial) fromPipe(vignette string, size int64) (tenth, whole int64, err error) {
	cmd := exec.Command(vignette, t.args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	log := t.log()
	feed := func() error {
		if _, err := io.CopyN(in, log, size/10); err != nil {
			return err
		}
		if tenth, err = process.Resident(cmd.Process.Pid); err != nil {
			return err
		}
		if _, err := io.CopyN(in, log, size-size/10); err != nil {
			return err
		}
		if whole, err = process.Resident(cmd.Process.Pid); err != nil {
			return err
		}
		return nil
	}
	fed := feed()
	closed := in.Close()
	if err = cmd.Wait(); err != nil && cutShort(errs.String()) {
		err = nil
	} else if err != nil {
		err = fmt.Errorf("%w\n%s", err, errs.String())
	}
	return tenth, whole, errors.Join(fed, closed, err)
}

// traffic is the network's traffic as a candump log without end.
type traffic struct {
	from *network.Traffic
	text bytes.Buffer
}

func newTraffic() io.Reader { return &traffic{from: network.NewTraffic()} }

func (t *traffic) Read(p []byte) (int, error) {
	if t.text.Len() == 0 {
		if err := write(&t.text, t.from, 0); err != nil {
			return 0, err
		}
	}
	return t.text.Read(p)
}

// chunk is how many frames are written at a time.
const chunk = 2000

// write writes the next frames as candump, later by the given time; io.EOF if
// there are none.
func write(text io.Writer, from can.Reader, later int64) error {
	w := candump.NewWriter(text)
	var f can.Frame
	for i := range chunk {
		if err := from.Read(&f); err == io.EOF && i > 0 {
			break
		} else if err != nil {
			return err
		}
		f.Time += later
		if err := w.Write(&f, from.Channels()[f.Bus]); err != nil {
			return err
		}
	}
	return w.Flush()
}

// rounds is our drive again and again, a minute between them.
type rounds struct {
	text   []byte // of the drive
	reader *candump.Reader
	later  int64
	out    bytes.Buffer
}

func (r *rounds) Read(p []byte) (int, error) {
	for r.out.Len() == 0 {
		if r.reader == nil {
			r.reader = candump.NewReader("drive.log", bytes.NewReader(r.text))
		}
		switch err := write(&r.out, r.reader, r.later); err {
		case nil:
		case io.EOF:
			r.reader, r.later = nil, r.later+(drive.Seconds+60)*int64(time.Second)
		default:
			return 0, err
		}
	}
	return r.out.Read(p)
}

// repeated is a BLF log whose containers come again and again.
type repeated struct {
	text []byte
	at   int
}

// header is the length of a BLF file's header.
const header = 144

func (r *repeated) Read(p []byte) (int, error) {
	if r.at == len(r.text) {
		r.at = header
	}
	n := copy(p, r.text[r.at:])
	r.at += n
	return n, nil
}

// blfLog writes a minute of the network's traffic as BLF.
func blfLog(dir string) ([]byte, error) {
	name := filepath.Join(dir, "network.blf")
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w, err := canlog.NewWriter("blf", file)
	if err != nil {
		return nil, err
	}
	from := network.NewTraffic()
	var f can.Frame
	for range 100_000 {
		if err := from.Read(&f); err != nil {
			return nil, err
		}
		if err := w.Write(&f, "1"); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}
