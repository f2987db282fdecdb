package agent

import (
	"strings"

	"vignette/scenes"
	"vignette/scenes/check"
	"vignette/scenes/explain"
	uibridge "vignette/ui-bridge"
)

// report tells what a card can do that was installed, in plain words and in rows,
// and what is different from its version in the program before.
func (d *deck) report(before, now *scenes.Program, c *scenes.Card, findings []check.Finding) uibridge.Report {
	r := d.cardReport(before, now, c)
	r["installed"], r["diagnostics"] = true, rows(findings)
	return r
}

// cardReport is the part of a report about a card that fits.
func (d *deck) cardReport(before, now *scenes.Program, c *scenes.Card) uibridge.Report {
	language := d.language()
	reach := reachOf(now, c.ID)
	r := uibridge.Report{"card": c.ID, "version": c.Version, "text": lines(reach.Text(language)), "touches": touches(reach), "reads": reach.Reads,
		"before": "", "changes": []string{}, "wider": len(reach.Touches) > 0}
	if was := reachOf(before, c.ID); was != nil {
		changes := explain.Compare(was, reach)
		r["before"], r["changes"], r["wider"] = was.Version, lines(explain.CompareText(was, changes, language)), false
		for i := range changes {
			if changes[i].Wider {
				r["wider"] = true
			}
		}
	}
	return r
}

// language is the agent's for plain words, English where there are none in it.
func (d *deck) language() explain.Language {
	l, err := explain.ParseLanguage(d.config.Language)
	if err != nil {
		return explain.English
	}
	return l
}

// reachOf finds the reach of a card; nil: the program does not have it.
func reachOf(p *scenes.Program, id string) *explain.Reach {
	list := explain.ReachOf(p)
	for i := range list {
		if list[i].Card == id {
			return &list[i]
		}
	}
	return nil
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// touches are the rows of a reach; what a row does not have is left out.
func touches(r *explain.Reach) []uibridge.Report {
	list := []uibridge.Report{}
	for i := range r.Touches {
		t := &r.Touches[i]
		row := uibridge.Report{"states": t.States, "always": t.Always, "confirm": t.Confirm, "hourly": uint32(t.Hourly)}
		for key, text := range map[string]string{"actuator": t.Actuator, "action": t.Action, "min": t.Min, "max": t.Max, "unit": t.Unit, "lease": t.Lease} {
			if text != "" {
				row[key] = text
			}
		}
		for key, texts := range map[string][]string{"values": t.Values, "ends": t.Ends} {
			if texts != nil {
				row[key] = texts
			}
		}
		list = append(list, row)
	}
	return list
}

// rows are findings as rows.
func rows(findings []check.Finding) []uibridge.Report {
	list := []uibridge.Report{}
	for _, f := range findings {
		list = append(list, uibridge.Report{"file": f.File, "line": int32(f.Line), "col": int32(f.Column), "severity": f.Severity.String(),
			"pass": f.Pass, "text": f.What})
	}
	return list
}
