package network

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/can/dbc"
)

// TestNetwork: the database has every message and nothing to complain of; its
// signals are of every kind that the benchmark is to decode.
func TestNetwork(t *testing.T) {
	db, err := dbc.Parse("network.dbc", DBC())
	if err != nil {
		t.Fatal(err)
	}
	if len(db.Messages) != Messages || len(db.Diagnostics) > 0 {
		t.Fatalf("%d messages, want %d; %v", len(db.Messages), Messages, db.Diagnostics)
	}
	signals, big, signed, multiplexed, extended, fd := 0, 0, 0, 0, 0, 0
	count := func(n *int, is bool) {
		if is {
			*n++
		}
	}
	for _, m := range db.Messages {
		count(&extended, m.Extended)
		count(&fd, m.FD)
		for _, s := range m.Signals {
			signals++
			count(&big, s.BigEndian)
			count(&signed, s.Signed)
			count(&multiplexed, s.Multiplexed)
		}
	}
	t.Logf("%d signals: %d big-endian, %d signed, %d multiplexed; %d messages extended, %d CAN FD", signals, big, signed, multiplexed, extended, fd)
	if signals < 1000 || big < 300 || signed < 100 || multiplexed < 100 || extended != 15 || fd != 6 {
		t.Error("the network is not what it is to be")
	}
}

// TestSameEverywhere: the bytes are those that docs/BENCHMARKS.md was measured with.
func TestSameEverywhere(t *testing.T) {
	var log bytes.Buffer
	if err := Log(&log, 10000); err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	sum.Write(DBC())
	sum.Write(log.Bytes())
	const want = "eb415e4f6e9ccda72382378115443c64bd7c94f699cc96df4eb7eca8014306a7"
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		t.Errorf("DBC and log have the sum %s, want %s", got, want)
	}
}

// TestNoAllocationFromTextToSignals: reading a log and decoding every signal of
// its frames allocates nothing.
func TestNoAllocationFromTextToSignals(t *testing.T) {
	db, err := dbc.Parse("network.dbc", DBC())
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(db)
	if err != nil {
		t.Fatal(err)
	}
	const warm, counted = 20000, 50000
	var log bytes.Buffer
	if err := Log(&log, warm+counted+1); err != nil {
		t.Fatal(err)
	}
	reader := candump.NewReader("network.log", &log)
	samples := 0
	read := func(n int) {
		var f can.Frame
		for range n {
			if err := reader.Read(&f); err != nil {
				t.Fatal(err)
			}
			samples += len(d.Decode(&f))
		}
	}
	read(warm)
	allocs := testing.AllocsPerRun(1, func() { read(counted / 2) })
	if allocs != 0 || samples < 5*counted {
		t.Errorf("%v allocations in %d frames, want 0; %d samples", allocs, counted/2, samples)
	}
}

// BenchmarkTextToSignals reads a candump log in memory and decodes every signal;
// an operation is a frame.
func BenchmarkTextToSignals(b *testing.B) {
	db, err := dbc.Parse("network.dbc", DBC())
	if err != nil {
		b.Fatal(err)
	}
	d, err := NewDecoder(db)
	if err != nil {
		b.Fatal(err)
	}
	const frames = 100_000
	var log bytes.Buffer
	if err := Log(&log, frames); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var f can.Frame
	samples, left := 0, 0
	var reader *candump.Reader
	for b.Loop() {
		if left == 0 {
			reader, left = candump.NewReader("network.log", bytes.NewReader(log.Bytes())), frames
		}
		if err := reader.Read(&f); err != nil {
			b.Fatal(err)
		}
		samples += len(d.Decode(&f))
		left--
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
	b.ReportMetric(float64(samples)/float64(b.N), "signals/frame")
}
