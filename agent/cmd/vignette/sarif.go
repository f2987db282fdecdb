package main

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"slices"

	"vignette/scenes/check"
	"vignette/scenes/engine"
)

// The parts of the Static Analysis Results Interchange Format 2.1.0 (OASIS
// Standard, 2020) that a check writes.
type (
	sarifLog struct {
		Version string     `json:"version"`
		Schema  string     `json:"$schema"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		FullDescription  sarifText `json:"fullDescription"`
		Help             sarifHelp `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPlace `json:"physicalLocation"`
	}
	sarifPlace struct {
		ArtifactLocation sarifFile    `json:"artifactLocation"`
		Region           *sarifRegion `json:"region,omitempty"` // absent: the file as a whole
	}
	sarifFile struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// printSARIF writes findings for editors and code hosts. Paths that are not
// absolute stay relative to where the check ran.
func printSARIF(out io.Writer, list []check.Finding) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "vignette", Version: engine.Version}
	names := check.Names()
	for _, p := range check.Passes() {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules,
			sarifRule{p.Name, sarifText{p.What}, sarifText{p.Why}, sarifHelp{p.Doc(), p.Doc()}})
	}
	for _, f := range list {
		place := sarifPlace{ArtifactLocation: sarifFile{fileURI(f.File)}}
		if f.Line > 0 {
			place.Region = &sarifRegion{f.Line, f.Column}
		}
		run.Results = append(run.Results, sarifResult{f.Pass, slices.Index(names, f.Pass), f.Severity.String(), sarifText{f.What},
			[]sarifLocation{{place}}})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"2.1.0", sarifSchema, []sarifRun{run}})
}

// fileURI is a path as a URI reference.
func fileURI(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}
