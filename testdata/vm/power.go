package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/testdata/vm/powercut"
)

// powerTest cuts the power of an arm64 guest while the shipped agent works on an
// ext4 file system, which most head units have. One guest works, on a disk of which
// QEMU logs every write and flush; from that log come any number of disks as a
// power loss leaves them, and a second guest starts the agent on each.
type powerTest struct {
	*guest        // its own directory and initramfs, and the arm64 guest's programs
	cuts   int    // power losses
	seed   uint64 // of what is done and of the power losses
	length time.Duration

	log    *writeLog
	marks  []marked
	drawn  []cut
	looked error // of the look at what is left
	found  string
}

// marked is a mark, and the entry of the log that wrote it.
type marked struct {
	powercut.Mark
	entry int
}

// newPowerTest has a guest lose power so often; seed 0 stands for another one each
// time.
func newPowerTest(g *guest, cuts int, seed uint64) *powerTest {
	for seed == 0 {
		seed = rand.Uint64() >> 32
	}
	return &powerTest{guest: g, cuts: cuts, seed: seed, length: 12*time.Second + time.Duration(cuts)*300*time.Millisecond}
}

// run is the test: work, power losses, and a look at each.
func (p *powerTest) run(ctx context.Context) {
	if p.ended = p.build(ctx); p.ended == nil {
		p.ended = p.work(ctx)
	}
	if p.ended == nil {
		p.found, p.looked = p.look(ctx)
	}
}

func (p *powerTest) verdict(_ context.Context, v *verdict) {
	v.check(p.name, fmt.Sprintf("the agent worked for %v on a disk of which each write was logged", p.length), p.worked(), p.ended)
	if p.ended == nil {
		v.check(p.name, fmt.Sprintf("after %d power losses (seed %d) everything promised was there", p.cuts, p.seed), p.found, p.looked)
	}
	if p.ended != nil || p.looked != nil {
		p.showConsole(os.Stdout)
	}
}

// build makes the initramfs, of which powered is init.
func (p *powerTest) build(ctx context.Context) error {
	if err := errors.Join(os.RemoveAll(p.dir), os.MkdirAll(p.dir, 0o755)); err != nil {
		return err
	}
	if err := p.goTool(ctx, "build", "-trimpath", "-o", p.path("powered"), "./testdata/vm/powered"); err != nil {
		return err
	}
	f, err := os.Create(p.path("initramfs"))
	if err != nil {
		return err
	}
	a := newArchive(f)
	for _, d := range []string{"proc", "sys", "dev", "tmp", "run", "disk"} {
		a.directory(d)
	}
	a.device("dev/console", 5, 1)
	a.copyFile("init", p.path("powered"), 0o755)
	a.file("etc/bus.conf", 0o644, busConfig)
	a.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	a.file("etc/group", 0o644, []byte("root:x:0:\n"))
	a.copyFile("bin/vignette-agent", p.agent(), 0o755)
	a.copyFile("car/bench.dbc", filepath.Join(p.root, "testdata/meaning/bench.dbc"), 0o644)
	a.copyFile("car/study.yaml", filepath.Join(p.root, "testdata/drive/studies/demo.yaml"), 0o644)
	s := &sysroot{p.unpacked("root"), p.libraries}
	return errors.Join(s.addProgram(a, "/usr/bin/dbus-daemon"), addModules(a, p.unpacked("root/lib/modules"), "virtio-mmio", "virtio-blk", "loop", "crc32c-generic", "ext4"), a.close(), f.Close())
}

// work has the agent work, and reads what was logged and marked.
func (p *powerTest) work(ctx context.Context) (err error) {
	base := p.path("base.img")
	if err := errors.Join(os.WriteFile(base, nil, 0o644), os.Truncate(base, powercut.DiskBytes)); err != nil {
		return err
	}
	if err := tool(ctx, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard",
		base, fmt.Sprint(powercut.FileSystemBytes/4096)); err != nil {
		return err
	}
	if err := errors.Join(copyBlocks(p.path("data.img"), base), os.WriteFile(p.path("data.log"), nil, 0o644)); err != nil {
		return err
	}
	var worked map[string]int
	err = p.boot(ctx, fmt.Sprintf("power=work seed=%d seconds=%d", p.seed, int(p.length.Seconds())), &worked,
		"-blockdev", "driver=file,cache.no-flush=on,node-name=base,filename="+p.path("data.img"), "-blockdev", "driver=file,cache.no-flush=on,node-name=log,filename="+p.path("data.log"),
		"-blockdev", "driver=blklogwrites,node-name=data,file=base,log=log,log-sector-size=512")
	if err != nil {
		return err
	}
	if p.log, err = openWriteLog(p.path("data.log")); err != nil {
		return err
	}
	return p.readMarks()
}

// boot runs a guest with a disk of data and one for its result.
func (p *powerTest) boot(ctx context.Context, told string, result any, data ...string) error {
	kernel, err := filepath.Glob(p.unpacked("root/boot/vmlinuz-*"))
	if err != nil || len(kernel) != 1 {
		return fmt.Errorf("%d kernels in %s, want one", len(kernel), p.unpacked("root/boot"))
	}
	disk := p.path("result.img")
	if err := errors.Join(os.WriteFile(disk, nil, 0o644), os.Truncate(disk, 16<<20)); err != nil {
		return err
	}
	limit := bootTime + p.length + time.Duration(p.cuts)*time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	// Here the clock does not count instructions: a disk would seem slow to it.
	cmd := exec.CommandContext(ctx, p.qemu[0], append(append(p.qemu[1:],
		"-accel", "tcg,thread=multi,tb-size=256", "-m", "512", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-kernel", kernel[0], "-initrd", p.path("initramfs"), "-append", "console=ttyAMA0 quiet panic=-1 mitigations=off "+told,
		"-drive", "if=none,format=raw,id=result,file="+disk, "-device", "virtio-blk-device,drive=result,serial=result"),
		append(data, "-device", "virtio-blk-device,drive=data,serial=data")...)...)
	p.say("boot, %s", told)
	if err := p.watch(ctx, cmd, limit); err != nil {
		return err
	}
	return readResult(disk, result)
}

// readResult reads what powered has brought.
func readResult(disk string, into any) error {
	f, err := os.Open(disk)
	if err != nil {
		return err
	}
	defer f.Close()
	var n uint64
	if err := binary.Read(f, binary.LittleEndian, &n); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(n)))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// readMarks finds the marks among the writes.
func (p *powerTest) readMarks() error {
	for i := range p.log.entries {
		w := &p.log.entries[i]
		if w.offset < powercut.FileSystemBytes || w.size == 0 {
			continue
		}
		data, err := p.log.data(w)
		if err != nil {
			return err
		}
		m, err := powercut.ParseMark(data)
		if err != nil {
			return fmt.Errorf("entry %d is no mark: %w", i, err)
		}
		p.marks = append(p.marks, marked{m, i})
	}
	if !slices.ContainsFunc(p.marks, func(m marked) bool { return m.Left }) {
		return fmt.Errorf("of %d marks none is of what was left to the agent's own time", len(p.marks))
	}
	return nil
}

// worked says what the log has.
func (p *powerTest) worked() string {
	if p.log == nil {
		return ""
	}
	bytes, flushes := p.log.volume()
	return fmt.Sprintf("%d promises, %d writes of %.1f MiB, %d flushes", len(p.marks)/2, len(p.log.entries)-flushes, float64(bytes)/(1<<20), flushes)
}

// look loses power at random, and starts the agent on what is left each time.
func (p *powerTest) look(ctx context.Context) (figure string, err error) {
	if err := p.lose(); err != nil {
		return "", err
	}
	images := p.path("images.img")
	var facts []*powercut.Facts
	err = p.boot(ctx, fmt.Sprintf("power=look images=%d", p.cuts), &facts, "-drive", "if=none,format=raw,id=data,cache=unsafe,file="+images)
	if err != nil {
		return "", err
	}
	if len(facts) != p.cuts {
		return "", fmt.Errorf("%d of %d power losses were looked at", len(facts), p.cuts)
	}
	seen := map[string]int{}
	for i, f := range facts {
		wrong, bad := p.judgeCut(ctx, i, f)
		if bad != nil {
			return "", bad
		}
		for _, w := range wrong {
			err = errors.Join(err, fmt.Errorf("power loss %d, before write %d (%+v): %s", i, p.drawn[i].at, p.drawn[i], w))
		}
		for _, what := range []string{"lease", "hold", "consent 1", "consent 2"} {
			if word := f.Found[what]; word != "none" && word != "off" {
				seen[what]++
			}
		}
	}
	return fmt.Sprintf("with a lease %d, holds %d, a consent %d and %d", seen["lease"], seen["hold"], seen["consent 1"], seen["consent 2"]), err
}

// lose draws the power losses and writes a disk of each. None is before the car
// was made.
func (p *powerTest) lose() error {
	random := rand.New(rand.NewPCG(p.seed, 2))
	images, err := os.Create(p.path("images.img"))
	if err != nil {
		return err
	}
	for i := range p.cuts {
		first := p.marks[1].entry + 1
		at := first + random.IntN(len(p.log.entries)+1-first)
		if i%2 == 0 { // or just after something was answered
			at = min(len(p.log.entries), p.marks[1+random.IntN(len(p.marks)-1)].entry+1+random.IntN(3))
		}
		p.drawn = append(p.drawn, drawCut(at, random))
		if i == 0 { // what the agent alone has synced, and nothing else
			p.drawn[0] = cut{at: 1 + p.marks[slices.IndexFunc(p.marks, func(m marked) bool { return m.Left })].entry}
		}
		err = errors.Join(err, p.loseAt(images, i, random))
	}
	return errors.Join(err, images.Truncate(int64(p.cuts)*powercut.DiskBytes), images.Close())
}

// loseAt writes the disk of one power loss behind those before it.
func (p *powerTest) loseAt(images io.WriterAt, i int, random *rand.Rand) error {
	base, err := os.Open(p.path("base.img"))
	if err != nil {
		return err
	}
	defer base.Close()
	disk := io.NewOffsetWriter(images, int64(i)*powercut.DiskBytes)
	if err := copySparse(disk, 0, base); err != nil {
		return err
	}
	return p.log.replay(disk, p.drawn[i], random)
}

// judgeCut judges what was found after a power loss; the file system itself must
// be whole too, once its journal is taken up.
func (p *powerTest) judgeCut(ctx context.Context, i int, f *powercut.Facts) (wrong []string, err error) {
	last := slices.IndexFunc(p.marks, func(m marked) bool { return m.entry >= p.drawn[i].at })
	if last < 0 {
		last = len(p.marks)
	}
	var before []powercut.Mark
	for _, m := range p.marks[:last] {
		before = append(before, m.Mark)
	}
	promised, err := powercut.Promised(before)
	if err != nil {
		return nil, err
	}
	wrong = powercut.Judge(f, promised)
	if err := tool(ctx, "e2fsck", "-f", "-n", fmt.Sprintf("%s?offset=%d", p.path("images.img"), int64(i)*powercut.DiskBytes)); err != nil {
		wrong = append(wrong, err.Error())
	}
	return wrong, nil
}

// copyBlocks copies a file, leaving holes.
func copyBlocks(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	return errors.Join(copySparse(out, 0, in), out.Truncate(info.Size()), out.Close())
}

// tool runs a program of e2fsprogs, which may stand where root finds it only.
func tool(ctx context.Context, name string, args ...string) error {
	file, err := exec.LookPath(name)
	if err != nil {
		file = filepath.Join("/usr/sbin", name)
	}
	if out, err := exec.CommandContext(ctx, file, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
