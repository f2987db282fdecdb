package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/godbus/dbus/v5"
)

// summary is what the stand-in saw and did, in order.
type summary struct {
	Agent        bool         `json:"agent"` // it was seen
	Calls        []callNote   `json:"calls"`
	Decisions    []decision   `json:"decisions"`
	Values       int          `json:"values"`  // signals
	Answers      []string     `json:"answers"` // ids of those that were shown and dismissed
	Interactions interactions `json:"interactions"`
}

// callNote is a call as the summary tells it.
type callNote struct {
	Method string `json:"method"`
	Args   []any  `json:"args"`
}

type interactions struct {
	Sent     int      `json:"sent"`
	Accepted int      `json:"accepted"`
	Unsent   int      `json:"unsent"` // too many were unanswered
	Errors   []string `json:"errors"`
}

// decision is a record of the decision log; zero fields were absent.
type decision struct {
	T        string  `json:"t"`
	N        uint64  `json:"n"`
	Card     string  `json:"card,omitempty"`
	What     string  `json:"what"`
	Why      string  `json:"why,omitempty"`
	Action   string  `json:"action,omitempty"`
	Actuator string  `json:"actuator,omitempty"`
	Value    any     `json:"value,omitempty"`
	Lease    float64 `json:"lease,omitempty"`
	Cause    uint64  `json:"cause,omitempty"`
}

func newSummary() summary {
	return summary{Calls: []callNote{}, Decisions: []decision{}, Answers: []string{}, Interactions: interactions{Errors: []string{}}}
}

// addCall keeps a call, its variants opened.
func (s *summary) addCall(c received) {
	note := callNote{Method: c.method, Args: []any{}}
	for _, a := range c.args {
		if v, ok := a.(dbus.Variant); ok {
			a = v.Value()
		}
		note.Args = append(note.Args, a)
	}
	s.Calls = append(s.Calls, note)
}

// newDecision reads a record of the Decisions signal.
func newDecision(r map[string]dbus.Variant) decision {
	text := func(key string) string { s, _ := r[key].Value().(string); return s }
	count := func(key string) uint64 { n, _ := r[key].Value().(uint64); return n }
	lease, _ := r["lease"].Value().(float64)
	return decision{T: text("t"), N: count("n"), Card: text("card"), What: text("what"), Why: text("why"), Action: text("action"),
		Actuator: text("actuator"), Value: r["value"].Value(), Lease: lease, Cause: count("cause")}
}

// writeSummary writes the summary to a file.
func (h *hmi) writeSummary(path string) error {
	b, err := json.MarshalIndent(&h.sum, "", "  ")
	if err == nil {
		err = os.WriteFile(path, append(b, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}
