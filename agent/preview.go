package agent

import (
	"fmt"
	"io"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// maxPreview bounds the records of a preview; further ones are counted.
const maxPreview = 1024

// mostPreviewMiB bounds what is kept for previews.
const mostPreviewMiB = 64

// Preview tells what a card would have done in the last minutes.
func (a *agent) Preview(text []byte) (uibridge.Report, error) { return a.deck.preview(text) }

// preview plays the recent frames and events to a card that is alone in the car,
// from a fresh state and with every call answered at once, on the caller's
// goroutine. One preview is made at a time.
func (d *deck) preview(text []byte) (uibridge.Report, error) {
	if d.config.PreviewMiB == 0 {
		return nil, fmt.Errorf("%w: the configuration keeps nothing for previews (preview_mib: 0)", uibridge.ErrUnsupported)
	}
	if !d.previewing.TryLock() {
		return nil, fmt.Errorf("%w: another preview is being made", uibridge.ErrBusy)
	}
	defer d.previewing.Unlock()
	var recent *drive.Recent
	var v *scenes.Vehicle
	if err := d.a.do(func() error { recent, v = d.a.ring.Recent(), d.a.prog.Vehicle; return nil }); err != nil {
		return nil, err
	}
	c, err := scenes.ParseCard(newCard, text)
	var alone *scenes.Program
	if err == nil {
		alone, err = scenes.Compile(v, []*scenes.Card{c})
	}
	if err != nil {
		return uibridge.Report{"previewed": false, "diagnostics": rows(refusal(err))}, nil
	}
	return d.play(alone, recent)
}

// play feeds a stream to a program, and reports its card's records.
func (d *deck) play(p *scenes.Program, s *drive.Recent) (uibridge.Report, error) {
	records, more := []engine.Record{}, uint32(0)
	pump := drive.NewPump(p, 0, false, drive.Output{Records: func(list []engine.Record) {
		for _, r := range list {
			switch {
			case r.Card == "":
			case len(records) < maxPreview:
				records = append(records, r)
			default:
				more++
			}
		}
	}})
	var e drive.Entry
	for n := 0; ; n++ {
		if err := s.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if err := pump.Feed(&e); err != nil {
			return nil, err
		}
		if n%4096 == 0 && d.a.stopped() {
			return nil, uibridge.ErrClosing
		}
	}
	return uibridge.Report{"previewed": true, "diagnostics": rows(nil), "card": p.Cards[0].ID, "records": records, "more": more,
		"covered": float64(s.Last-s.First) / 1e9, "frames": pump.Stats.Frames, "now": string(drive.AppendSeconds(nil, s.Last))}, nil
}

// stopped reports whether the loop has ended.
func (a *agent) stopped() bool {
	select {
	case <-a.ended:
		return true
	default:
		return false
	}
}
