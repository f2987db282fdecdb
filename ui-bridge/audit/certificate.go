package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/sign"
)

// CertificateSchema is Certificate.Schema as this package writes it.
const CertificateSchema = 1

// Certificate says which attacks were run on which dataset, and what came out. Its
// JSON has the schema docs/schema/audit.schema.json; it is signed as all that
// Vignette signs, by a minisign file beside it.
type Certificate struct {
	Schema  int       `json:"schema"`
	Tool    string    `json:"tool"` // vignette and the version of its engine
	Made    time.Time `json:"made"`
	Seed    uint64    `json:"seed"`
	Queries int       `json:"queries"` // cases an attack is tried on at most
	Verdict Verdict   `json:"verdict"` // pass only if every attack's is
	Study   Studied   `json:"study"`
	Dataset Facts     `json:"dataset"`
	Attacks []Attack  `json:"attacks"`
}

// Studied is the study that a dataset answers.
type Studied struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	SHA256  string `json:"sha256"` // of the card's bytes
	K       int    `json:"k"`
}

// Facts say which dataset it was.
type Facts struct {
	SHA256      string     `json:"sha256"` // see Hash
	Files       int        `json:"files"`  // segments
	Bytes       int64      `json:"bytes"`  // of segments
	Damaged     int        `json:"damaged"`
	Episodes    int        `json:"episodes"`
	Repeated    int        `json:"repeated"`               // records delivered again; they count once
	Weeks       []string   `json:"weeks"`                  // such as 2026-W10
	Vehicles    int        `json:"vehicles"`               // with episodes; 0: nobody knows whose they are
	TruthSHA256 string     `json:"truth_sha256,omitempty"` // absent: there is none
	Simulated   *FleetFile `json:"simulated,omitempty"`    // absent: nobody says that the fleet is simulated
}

// Certify puts what came out of an audit into a certificate.
func Certify(d *Dataset, o Options, attacks []Attack, made time.Time) *Certificate {
	s := d.Study
	c := &Certificate{Schema: CertificateSchema, Tool: "vignette " + engine.Version, Made: made.UTC().Truncate(time.Second), Seed: o.Seed, Queries: o.queries(),
		Verdict: Overall(attacks), Study: Studied{s.ID, s.Version, s.SHA256, s.K}, Attacks: attacks,
		Dataset: Facts{SHA256: d.SHA256, Files: len(d.Files), Bytes: d.Bytes, Episodes: len(d.Episodes), Repeated: d.Repeated, Weeks: []string{},
			Vehicles: d.Cars, TruthSHA256: d.TruthSHA}}
	for i := range d.Files {
		if d.Files[i].Damage != "" {
			c.Dataset.Damaged++
		}
	}
	for _, w := range d.Weeks {
		c.Dataset.Weeks = append(c.Dataset.Weeks, fmt.Sprintf("%d-W%02d", 2000+int(w)/100, w%100))
	}
	if d.Fleet.Cars > 0 {
		c.Dataset.Simulated = &d.Fleet
	}
	return c
}

// JSON is the certificate's text, which is what is signed.
func (c *Certificate) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	return append(text, '\n'), err
}

// Sign signs a certificate's text; the comment names the study and the verdict.
func (c *Certificate) Sign(text []byte, key sign.SecretKey) ([]byte, error) {
	return key.Sign(text, fmt.Sprintf("audit of study %s, version %d: %s", c.Study.ID, c.Study.Version, c.Verdict))
}

// Verify reads a certificate whose signature is one of keys'.
func Verify(text, signature []byte, keys []sign.PublicKey) (*Certificate, error) {
	s, err := sign.ParseSignature(signature)
	if err != nil {
		return nil, fmt.Errorf("its signature %w", err)
	}
	if err := s.Verify(keys, text); err != nil {
		return nil, err
	}
	return ParseCertificate(text)
}

// ParseCertificate reads a certificate's text, which must be whole: its verdicts
// follow from its figures.
func ParseCertificate(text []byte) (*Certificate, error) {
	var c Certificate
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("is not a certificate of vignette audit: %w", err)
	}
	if c.Schema != CertificateSchema {
		return nil, fmt.Errorf("is a certificate of schema %d, this program reads %d", c.Schema, CertificateSchema)
	}
	for _, a := range c.Attacks {
		if a.Verdict != worst(a.Figures) {
			return nil, fmt.Errorf("says %q of the attack %s, whose figures say %q", a.Verdict, a.ID, worst(a.Figures))
		}
	}
	if c.Verdict != Overall(c.Attacks) {
		return nil, errors.New("its verdict is not that of its attacks")
	}
	return &c, nil
}
