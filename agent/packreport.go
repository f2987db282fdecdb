package agent

import (
	"maps"
	"slices"
	"time"

	"vignette/scenes"
	"vignette/scenes/explain"
	uibridge "vignette/ui-bridge"
)

// packHead is what a pack says of itself, and what is known of who made it.
func (d *deck) packHead(p *scenes.Pack, day time.Time) uibridge.Report {
	m := p.Manifest
	r := uibridge.Report{"pack": m.ID, "version": m.Version, "title": map[string]string(maps.Clone(m.Title)), "author": m.Author, "licence": m.Licence,
		"trust": d.warrants.Load().standing(p, day), "key": proof(p), "parent": "", "parent_author": ""}
	if m.DerivedFrom != nil {
		r["parent"], r["parent_author"] = m.DerivedFrom.Pack, m.DerivedFrom.Author
	}
	return r
}

// packReport tells all of a pack that was looked at.
func (d *deck) packReport(running *scenes.Program, p *scenes.Pack, j *judged, day time.Time) uibridge.Report {
	l := d.language()
	r := d.packHead(p, day)
	r["imported"], r["diagnostics"] = false, rows(j.findings)
	parent := d.parentHere(running, p)
	had := ""
	if parent != nil {
		had = parent.Manifest.Version
	}
	r["parent_installed"] = had
	r["warnings"] = explain.PackWarnings(p, r["trust"].(string), had, l)
	r["missing"] = missing(j, l)
	if j.next == nil {
		return r
	}
	var cards []uibridge.Report
	for _, c := range p.Cards {
		cards = append(cards, d.cardReport(running, j.next, c))
	}
	r["cards"] = cards
	if parent != nil {
		r["parent_changes"] = d.againstParent(running, j.next, parent, p)
	}
	scenarios := []uibridge.Report{}
	for i := range j.results {
		res := &j.results[i]
		scenarios = append(scenarios, uibridge.Report{"title": res.Scenario.Title.In(l.Tag()), "outcome": res.Outcome.String(), "text": lines(explain.Rehearsal(res, l))})
	}
	r["scenarios"] = scenarios
	return r
}

// missing says in plain words what a pack that does not fit asks for and this car
// does not have, each once.
func missing(j *judged, l explain.Language) []string {
	text := []string{}
	for i := range j.findings {
		if what := explain.Missing(&j.findings[i].Diagnostic, l); what != "" && !slices.Contains(text, what) {
			text = append(text, what)
		}
	}
	return text
}

// parentHere is the pack that another is a remix of, in any version, if its cards
// run here; nil: they do not.
func (d *deck) parentHere(running *scenes.Program, p *scenes.Pack) *scenes.Pack {
	for _, c := range running.Cards {
		if c.From != nil && c.From.IsParentOf(p) {
			return c.From
		}
	}
	return nil
}

// againstParent compares each card with the parent's card of the same place: the
// one that it says it is derived from, else the only one.
func (d *deck) againstParent(running, next *scenes.Program, parent, p *scenes.Pack) []string {
	l := d.language()
	text := []string{}
	for _, c := range p.Cards {
		for _, o := range parent.Cards {
			if !c.Remixes(o) && (len(p.Cards) > 1 || len(parent.Cards) > 1) {
				continue
			}
			was, now := reachOf(running, o.ID), reachOf(next, c.ID)
			text = append(text, lines(explain.CompareText(was, explain.Compare(was, now), l))...)
		}
	}
	return text
}
