// Command catalog makes thousands of signed packs and times vignette catalog on
// them: build with a vehicle profile, with what the packs' files need read from the
// disk anew where that may be asked for, and check.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"vignette/testdata/bench/packs"
	"vignette/testdata/bench/process"
)

// The most that a build of 10,000 packs may take. Other programs on the machine
// make the time longer, so the processor's is held: that of both cores together is
// longer than the time on a machine with two cores and nothing else to do.
const (
	mostTime   = 60 * time.Second
	mostMemory = 512 << 10 // KiB
)

func main() {
	vignette := flag.String("vignette", "bin/vignette", "the `program` to time")
	n := flag.Int("packs", 10_000, "make `N` packs")
	keep := flag.String("keep", "", "make packs and site in `DIR`, and leave them there")
	flag.Parse()
	if err := run(*vignette, *n, *keep, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "catalog: %v\n", err)
		os.Exit(1)
	}
}

func run(vignette string, n int, dir string, out io.Writer) (err error) {
	if n < 1 || flag.NArg() > 0 {
		return errors.New("usage: catalog [options]; packs is 1 or more")
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "vignette-catalog-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	from, site := filepath.Join(dir, "packs"), filepath.Join(dir, "site")
	if err := os.MkdirAll(from, 0o755); err != nil {
		return err
	}
	if err := packs.Write(from, n, 1); err != nil {
		return err
	}
	how := "warm"
	syscall.Sync()
	if os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0) == nil { // for root
		how = "cold"
	}
	took, err := timed(out, how, exec.Command(vignette, "catalog", "build", "--vehicle", "testdata/drive/vehicle.yaml", "--out", site, from))
	if err == nil {
		_, err = timed(out, "warm", exec.Command(vignette, "catalog", "check", site))
	}
	if err == nil && n <= 10_000 && took > mostTime {
		err = fmt.Errorf("the build took %v of processor time; at most %v are allowed", took, mostTime)
	}
	return err
}

// timed runs a command and tells what it took.
func timed(out io.Writer, how string, cmd *exec.Cmd) (processor time.Duration, err error) {
	cmd.Stdout = out
	cost, err := process.Run(cmd)
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "%s %s (%s): %.1f s, %.1f s of processor time, %d MiB\n", cmd.Args[1], cmd.Args[2], how, cost.Time.Seconds(), cost.Processor.Seconds(), cost.Resident>>10)
	if cost.Resident > mostMemory {
		return cost.Processor, fmt.Errorf("%d KiB of memory; at most %d are allowed", cost.Resident, mostMemory)
	}
	return cost.Processor, nil
}
