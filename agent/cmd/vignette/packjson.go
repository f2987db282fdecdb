package main

import (
	"time"

	"vignette/scenes"
)

// shownPack is a pack as programs read it.
type shownPack struct {
	File      string        `json:"file"`
	ID        string        `json:"id"`
	Version   string        `json:"version"`
	Title     scenes.Texts  `json:"title"`
	Author    string        `json:"author"`
	Standing  string        `json:"standing"` // unsigned, unknown, lapsed or trusted
	Key       string        `json:"key,omitempty"`
	Licence   string        `json:"licence"`
	Engine    string        `json:"engine,omitempty"`
	Expires   string        `json:"expires,omitempty"`
	Lineage   []shownParent `json:"lineage,omitempty"` // the parent first
	Cards     []string      `json:"cards"`             // id@version
	Scenarios int           `json:"scenarios,omitempty"`
	Reads     []string      `json:"reads,omitempty"`
	Touches   []string      `json:"touches,omitempty"`
	Needs     []string      `json:"needs,omitempty"`
	SHA256    string        `json:"sha256"`
}

type shownParent struct {
	Pack   string `json:"pack"`
	Author string `json:"author"`
	SHA256 string `json:"sha256"`
}

func packObject(file string, p *scenes.Pack, of scenes.Standing) shownPack {
	m := p.Manifest
	o := shownPack{File: file, ID: m.ID, Version: m.Version, Title: m.Title, Author: m.Author, Standing: of.String(), Licence: m.Licence, Engine: m.Engine,
		Scenarios: len(p.Scenarios), Reads: m.Reads, Touches: m.Touches, Needs: m.Needs, SHA256: p.SHA256}
	if p.Signed {
		o.Key = p.Key.Line()
	}
	if !m.Expires.IsZero() {
		o.Expires = m.Expires.Format(time.DateOnly)
	}
	for _, a := range m.Ancestors() {
		o.Lineage = append(o.Lineage, shownParent{a.Pack, a.Author, a.SHA256})
	}
	for _, c := range p.Cards {
		o.Cards = append(o.Cards, c.ID+"@"+c.Version)
	}
	return o
}
