package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/sign"
)

// CertificateSchema is Certificate.Schema as this package writes it.
const CertificateSchema = 2

// Certificate says which attacks were run on which datasets, and what came out. Its
// JSON has the schema docs/schema/audit.schema.json; it is signed as all that
// Vignette signs, by a minisign file beside it.
type Certificate struct {
	Schema   int       `json:"schema"`
	Tool     string    `json:"tool"` // vignette and the version of its engine
	Made     time.Time `json:"made"`
	Seed     uint64    `json:"seed"`
	Queries  int       `json:"queries"` // cases an attack is tried on at most
	Verdict  Verdict   `json:"verdict"` // pass only if every attack's is
	Datasets []Audited `json:"datasets"`
	Across   []Attack  `json:"across,omitempty"` // from one dataset to another; absent: there is one only
}

// Audited is a dataset with the attacks on it.
type Audited struct {
	Study   Studied  `json:"study"`
	Dataset Facts    `json:"dataset"`
	Attacks []Attack `json:"attacks"`
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
	Directories []Directory `json:"directories"`
	Files       int         `json:"files"` // segments
	Bytes       int64       `json:"bytes"` // of segments
	Damaged     int         `json:"damaged"`
	Episodes    int         `json:"episodes"`
	Repeated    int         `json:"repeated"` // records delivered again; they count once
	Weeks       []string    `json:"weeks"`    // such as 2026-W10
	Vehicles    int         `json:"vehicles"` // with episodes; 0: nobody knows whose they are
}

// newCertificate is one before anything was run.
func newCertificate(o Options, made time.Time) *Certificate {
	return &Certificate{Schema: CertificateSchema, Tool: "vignette " + engine.Version, Made: made.UTC().Truncate(time.Second), Seed: o.Seed, Queries: o.queries()}
}

// audited is what a certificate says of a dataset before anything was run.
func audited(d *Dataset) Audited {
	s := d.Study
	a := Audited{Study: Studied{s.ID, s.Version, s.SHA256, s.K}, Dataset: Facts{Directories: d.Dirs, Files: len(d.Files), Bytes: d.Bytes,
		Episodes: len(d.Episodes), Repeated: d.Repeated, Weeks: []string{}, Vehicles: d.Cars}}
	for i := range d.Files {
		if d.Files[i].Damage != "" {
			a.Dataset.Damaged++
		}
	}
	for _, w := range d.Weeks {
		a.Dataset.Weeks = append(a.Dataset.Weeks, fmt.Sprintf("%d-W%02d", 2000+int(w)/100, w%100))
	}
	return a
}

// overall is the verdict over all attacks.
func (c *Certificate) overall() Verdict {
	var figures []Figure
	for _, list := range c.lists() {
		for _, a := range list {
			figures = append(figures, Figure{Verdict: a.Verdict})
		}
		if len(list) == 0 {
			return NotRun
		}
	}
	return worst(figures)
}

// lists are the attacks on each dataset, and those across them.
func (c *Certificate) lists() (lists [][]Attack) {
	for _, d := range c.Datasets {
		lists = append(lists, d.Attacks)
	}
	if len(c.Datasets) > 1 {
		lists = append(lists, c.Across)
	}
	return lists
}

// Studies names the studies whose datasets were attacked.
func (c *Certificate) Studies() string {
	var names []string
	for _, d := range c.Datasets {
		names = append(names, fmt.Sprintf("%s, version %d", d.Study.ID, d.Study.Version))
	}
	if len(names) == 1 {
		return "study " + names[0]
	}
	return "studies " + strings.Join(names, "; ")
}

// Is reports what speaks against a certificate's being of these directories, all of
// them and no others.
func (c *Certificate) Is(dirs []string) error {
	var left []Directory
	for _, d := range c.Datasets {
		left = append(left, d.Dataset.Directories...)
	}
	for _, dir := range dirs {
		hash, err := Hash(dir)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(left, func(d Directory) bool { return d.SHA256 == hash })
		if i < 0 {
			return fmt.Errorf("is of another dataset than %s, or that was changed: its hash is %s", dir, hash)
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return fmt.Errorf("is of %d more directories, one called %s; name each with --dataset", len(left), left[0].Name)
	}
	return nil
}

// JSON is the certificate's text, which is what is signed.
func (c *Certificate) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	return append(text, '\n'), err
}

// Sign signs a certificate's text; the comment names the study and the verdict.
func (c *Certificate) Sign(text []byte, key sign.SecretKey) ([]byte, error) {
	return key.Sign(text, fmt.Sprintf("audit of %s: %s", c.Studies(), c.Verdict))
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
	for _, list := range c.lists() {
		for _, a := range list {
			if a.Verdict != worst(a.Figures) {
				return nil, fmt.Errorf("says %q of the attack %s, whose figures say %q", a.Verdict, a.ID, worst(a.Figures))
			}
		}
	}
	if len(c.Datasets) == 0 || c.Verdict != c.overall() {
		return nil, errors.New("its verdict is not that of its attacks")
	}
	return &c, nil
}
