package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Adoption is what studies told of the cards that they watched, each number with
// at least K cars behind it. vignette cocreate writes it.
type Adoption struct {
	Adoption int           `json:"adoption"` // version of this form: 1
	K        int           `json:"k"`        // the least of the studies'
	Cards    []AdoptedCard `json:"cards"`    // by id
}

// AdoptedCard is a card that at least K cars ran. A study names a card by its id
// alone: whose card of that id a car has, and which version, nobody is told.
type AdoptedCard struct {
	Card    string `json:"card"`
	Cars    int    `json:"cars_at_least"` // in the study that saw most
	Studies int    `json:"studies"`       // that saw it in K cars or more
	Until   string `json:"until"`         // last day of the last of them
}

// AdoptedPack is what is known of a pack's cards together.
type AdoptedPack struct {
	Cars  int    `json:"cars_at_least"` // of the card that most cars ran
	Until string `json:"until"`
}

// leastK is the least k that a study may have.
const leastK = 5

// ReadAdoption reads what Adoption's Write wrote.
func ReadAdoption(r io.Reader) (*Adoption, error) {
	text, err := io.ReadAll(io.LimitReader(r, 16<<20))
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	a := &Adoption{}
	if err := dec.Decode(a); err != nil {
		return nil, fmt.Errorf("is not what vignette cocreate --adoption writes: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("has something after its end")
	}
	return a, a.check()
}

func (a *Adoption) check() error {
	if a.Adoption != 1 {
		return fmt.Errorf("is of version %d; this program reads version 1", a.Adoption)
	}
	if a.K < leastK {
		return fmt.Errorf("has k = %d; no study has a k below %d", a.K, leastK)
	}
	for i, c := range a.Cards {
		switch {
		case c.Card == "" || i > 0 && a.Cards[i-1].Card >= c.Card:
			return fmt.Errorf("card %q is out of order, twice or has no name", c.Card)
		case c.Cars < a.K:
			return fmt.Errorf("card %q has %d cars behind it, fewer than k = %d: that must not be shown", c.Card, c.Cars, a.K)
		}
		if _, err := time.Parse(time.DateOnly, c.Until); err != nil {
			return fmt.Errorf("card %q: `until` is no day: %w", c.Card, err)
		}
	}
	return nil
}

// Write writes it as JSON.
func (a *Adoption) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(a)
}

// of is what is known of a pack's cards.
func (a *Adoption) of(cards []Member) (p *AdoptedPack) {
	if a == nil {
		return nil
	}
	for _, m := range cards {
		for _, c := range a.Cards {
			if c.Card == m.ID && (p == nil || c.Cars > p.Cars) {
				p = &AdoptedPack{c.Cars, c.Until}
			}
		}
	}
	return p
}
