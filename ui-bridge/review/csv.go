package review

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// csvHead are the columns of WriteCSV.
var csvHead = []string{"task", "table", "item", "group", "count", "of", "share", "low", "high", "withheld"}

// WriteCSV writes all of the report's numbers, one a line: shares and intervals
// from 0 to 1, rates an hour, klm in s. A line with a 1 in withheld has no numbers.
func (r *Report) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	w.Write(csvHead)
	for i := range r.Tasks {
		k := &r.Tasks[i]
		w.Write(countRow(k.Name, "episodes", "", "all", k.Episodes, nil))
		for _, b := range k.Builds {
			w.Write(countRow(k.Name, "episodes", "", b.Name, b.Episodes, nil))
		}
		if k.Risk != nil {
			w.Write([]string{k.Name, "risk", least(k.Risk), "all", float(k.Risk.Score), "", "", "", "", ""})
		}
		for _, f := range k.Figures {
			r.figureRows(w, k, &f)
		}
		for _, t := range k.Tables {
			for _, b := range t.Buckets {
				w.Write(countRow(k.Name, t.Name, b.Label, "all", b.Count, t.Sum))
			}
		}
		writePace(w, k)
		for _, y := range k.Ways {
			w.Write(countRow(k.Name, "way", strings.TrimSpace(y.Text()), "all", y.Count, k.Episodes))
		}
	}
	w.Flush()
	return w.Error()
}

// writePace writes a task's rate, its ends in low and high, and its model.
func writePace(w *csv.Writer, k *Task) {
	if k.Rate != nil {
		row := []string{k.Name, "rate", k.Rate.Name, "all", "", "", "", "", "", "1"}
		if r := k.Rate.All; r != nil {
			row[7], row[9] = float(r.Low), ""
			if r.High != nil {
				row[8] = float(*r.High)
			}
		}
		w.Write(row)
	}
	if k.KLM != nil {
		s := float(k.KLM.Seconds)
		w.Write([]string{k.Name, "klm", strings.Join(k.KLM.Path, " → "), "all", "", "", "", s, s, ""})
	}
}

func (r *Report) figureRows(w *csv.Writer, k *Task, f *Figure) {
	w.Write(shareRow(k.Name, f.Name, "all", f.All))
	if !r.compares(k) {
		return
	}
	w.Write(shareRow(k.Name, f.Name, r.A, f.A))
	w.Write(shareRow(k.Name, f.Name, r.B, f.B))
	row := []string{k.Name, "figure", f.Name, "b_minus_a", "", "", "", "", "", "1"}
	if f.Diff != nil {
		row = []string{k.Name, "figure", f.Name, "b_minus_a", "", "", float(f.B.Share - f.A.Share), float(f.Diff.Low), float(f.Diff.High), ""}
	}
	w.Write(row)
}

func shareRow(task, name, group string, s *Share) []string {
	if s == nil {
		return []string{task, "figure", name, group, "", "", "", "", "", "1"}
	}
	return []string{task, "figure", name, group, strconv.Itoa(s.Count), strconv.Itoa(s.Of), float(s.Share), float(s.Low), float(s.High), ""}
}

func countRow(task, table, item, group string, n, of *int) []string {
	row := []string{task, table, item, group, "", "", "", "", "", "1"}
	if n != nil {
		row[4], row[9] = strconv.Itoa(*n), ""
		if of != nil && *of > 0 {
			row[5], row[6] = strconv.Itoa(*of), float(float64(*n)/float64(*of))
		}
	}
	return row
}

func least(r *Risk) string {
	if r.AtLeast {
		return "at least"
	}
	return ""
}

func float(x float64) string { return strconv.FormatFloat(x, 'f', 5, 64) }

// WriteJSON writes the report as JSON; docs/schema/review.schema.json says what
// is in it.
func (r *Report) WriteJSON(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
