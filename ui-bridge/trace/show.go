package trace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ShowOptions choose what Show prints.
type ShowOptions struct {
	Hex bool // the exact bytes of each episode too
}

var (
	dtNames    = []string{"first", "<0.5 s", "<1 s", "<2 s", "<5 s", "<15 s", ">=15 s"}
	speedNames = []string{"speed unknown", "parked", "<8 km/h", "<30 km/h", "<60 km/h", "<100 km/h", ">=100 km/h"}
	todNames   = []string{"unknown", "night", "morning", "afternoon", "evening"}
	autoNames  = []string{"not told", "level 0", "level 1", "level 2+"}
	// metricNames follow the Metric constants.
	metricNames = [12]string{"touches", "moving", "speed unknown", "duration", "longest gap", "backs", "errors",
		"blocked", "dead taps", "rage taps", "interruptions", "other"}
)

// Show prints every segment of a directory for people: the same facts as the
// bytes, no more. It returns the number of episodes printed. Damaged segments
// are printed as far as they can be read and named in the error; other files are
// an error too, and so is a directory that does not exist.
func Show(w io.Writer, dir string, o ShowOptions) (n int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s: no such directory; it is made by the first consent, so there are no traces or the path is wrong", dir)
	} else if err != nil {
		return 0, err
	}
	out := &printer{w: w, hex: o.Hex}
	var bad []error
	for _, e := range entries {
		if e.Name() == consentFile || e.Name() == consentFile+".new" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := out.segment(path); err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", path, err))
		}
	}
	out.printf("%d episodes in %d segments\n", out.episodes, out.segments)
	return out.episodes, errors.Join(append(bad, out.err)...)
}

// printer writes episodes and keeps the first write error.
type printer struct {
	w        io.Writer
	hex      bool
	episodes int
	segments int
	err      error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) segment(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	named := false
	err = read(f, func(ep *Episode, raw []byte) error {
		if !named {
			p.printf("segment %s (%s)\n", filepath.Base(path), headerText)
			named = true
		}
		p.episode(ep, raw)
		return p.err
	})
	if !errors.Is(err, ErrNotSegment) {
		p.segments++
	}
	return err
}

func (p *printer) episode(ep *Episode, raw []byte) {
	p.episodes++
	p.printf("  episode %s\n", hex.EncodeToString(ep.EID[:]))
	p.printf("    schema %d, policy %d, cohort %d, week %s, %s, task %d, variant %d, assistance %s\n", ep.V, ep.Policy,
		ep.Cohort, weekName(ep.Week), pick(todNames, ep.TOD), ep.Task, ep.Variant, pick(autoNames, ep.Auto))
	for i := range ep.Ev {
		ev := &ep.Ev[i]
		screen, elem := demo.placeNames(ev.Screen, ev.Elem)
		p.printf("    %d. %s/%s %s -> %s, %s, %s\n", i+1, screen, elem, nameOf(demo.gestures, uint16(ev.Gesture)),
			nameOf(demo.outcomes, uint16(ev.Out)), pick(dtNames, ev.DT), pick(speedNames, ev.Speed))
	}
	p.printf("    metrics: %s\n", metricsText(&ep.M))
	if p.hex {
		p.printf("    bytes (%d): %s\n", len(raw), hex.EncodeToString(raw))
	}
}

// metricsText names each computed figure.
func metricsText(m *Metrics) string {
	var parts []string
	for i, v := range m {
		switch {
		case v == 0:
			parts = append(parts, metricNames[i]+" not computed")
		case i == MetricDuration || i == MetricLongestGap:
			parts = append(parts, metricNames[i]+" "+pick(dtNames, v-1))
		default:
			parts = append(parts, fmt.Sprintf("%s %d", metricNames[i], v-1))
		}
	}
	return strings.Join(parts, ", ")
}

func weekName(w uint16) string {
	if w == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%d-W%02d", 2000+int(w)/100, w%100)
}

// pick names a code; one that is not in the list shows as its number.
func pick(names []string, code uint8) string {
	if int(code) < len(names) {
		return names[code]
	}
	return fmt.Sprintf("code %d?", code)
}
