package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vignette/scenes"
	"vignette/scenes/sign"
	"vignette/ui-bridge/trace"
)

// tampering changes what a car is told to record.
var tampering = attack{
	id: "tampering", name: "Change the study card or its dictionary",
	does: "Signs the dataset's study card with a key of its own, flips a bit in a byte of it or of its signature, a byte at a time, and opens a real recorder with what comes out, as the car does.",
	mark: "The card is refused, the recorder is stopped, takes no consent and writes nothing. Only what leaves every byte of the card as it was signed may pass.",
	run:  runTampering,
}

// tamperBytes is how many bytes of a long card are tried.
const tamperBytes = 4096

// tamperer has a signed card and a car to try changed ones on.
type tamperer struct {
	card      string // file of the card, its signature beside it
	traces    string // directory of the recorder
	keys      []sign.PublicKey
	text, sig []byte
	id        string
	now       trace.Context
}

func runTampering(d *Dataset, o Options) (list []Figure, err error) {
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	t, err := newTamperer(dir, d)
	if err != nil {
		return nil, err
	}
	var cards, sigs []int
	for i := range t.text {
		cards = append(cards, i)
	}
	for i := range t.sig {
		sigs = append(sigs, i)
	}
	cards = sample(cards, min(tamperBytes, o.Queries), o.Seed)
	for _, part := range []struct {
		name  string
		bytes []int
		flip  func(i int) (text, sig []byte)
	}{
		{"changed cards that the recorder takes", cards, func(i int) ([]byte, []byte) { return flipped(t.text, i), t.sig }},
		{"cards that it takes other than they were signed, by changed signatures", sigs, func(i int) ([]byte, []byte) { return t.text, flipped(t.sig, i) }},
	} {
		taken := 0
		for _, i := range part.bytes {
			bad, err := t.taken(part.flip(i))
			if err != nil {
				return nil, err
			}
			if bad {
				taken++
			}
		}
		list = append(list, none(part.name, "cards", taken, len(part.bytes), ""))
	}
	return list, nil
}

// newTamperer signs the dataset's card, which must then be taken: a recorder that
// refuses everything shows nothing.
func newTamperer(dir string, d *Dataset) (*tamperer, error) {
	text, err := os.ReadFile(filepath.Join(d.Dirs[0].path, studyFile))
	if err != nil {
		return nil, err
	}
	key, err := sign.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(text, "study "+d.Study.ID)
	if err != nil {
		return nil, err
	}
	noon := d.Study.From.Add(12 * time.Hour)
	t := &tamperer{card: filepath.Join(dir, studyFile), traces: filepath.Join(dir, "traces"), keys: []sign.PublicKey{key.Public()}, text: text, sig: sig,
		id: d.Study.ID, now: trace.Context{Now: noon, Wall: noon, Parked: true, SpeedKnown: true}}
	problem, consent, err := t.open(text, sig)
	if err == nil && (problem != nil || consent != nil) {
		err = fmt.Errorf("the recorder does not take the card as it is: %w", errors.Join(problem, consent))
	}
	return t, errors.Join(err, os.RemoveAll(t.traces))
}

// flipped is text with a bit of a byte changed, another one in each.
func flipped(text []byte, i int) []byte {
	b := bytes.Clone(text)
	b[i] ^= 1 << (i % 8)
	return b
}

// open opens a recorder on a card as the car's agent does. It returns what the
// recorder says is wrong, and what it answers to consent.
func (t *tamperer) open(text, sig []byte) (problem, consent, err error) {
	err = errors.Join(os.WriteFile(t.card, text, 0o600), os.WriteFile(t.card+".minisig", sig, 0o600))
	if err != nil {
		return nil, nil, err
	}
	list, stopped := scenes.LoadStudies([]string{t.card}, func(path string) (*scenes.Study, error) { return scenes.LoadSignedStudy(path, t.keys) })
	r, err := trace.Open(t.traces, trace.Options{Studies: list, Stopped: stopped})
	if err != nil {
		return nil, nil, err
	}
	r.SetUser(1)
	problem, consent = r.Problem(), r.GiveConsent(t.id, t.now)
	_, recordErr := r.Record([]trace.Interaction{tap("home", "anything")}, t.now)
	return problem, consent, errors.Join(recordErr, r.Tick(t.now), r.Close())
}

// taken reports whether the recorder takes a card that is not the signed one, or
// writes anything.
func (t *tamperer) taken(text, sig []byte) (bool, error) {
	problem, consent, err := t.open(text, sig)
	if err != nil {
		return false, err
	}
	if bytes.Equal(text, t.text) && problem == nil { // a signature's own comment is not signed
		return false, os.RemoveAll(t.traces)
	}
	_, err = os.Stat(t.traces)
	wrote := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return problem == nil || consent == nil || wrote, os.RemoveAll(t.traces)
}
