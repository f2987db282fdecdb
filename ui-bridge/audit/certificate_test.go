package audit

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"vignette/scenes/sign"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// certificate is that of an audit of a planted dataset.
func certificate(t *testing.T, p planted) (*Certificate, []byte) {
	t.Helper()
	d := load(t, p)
	o := Options{Seed: 1, Queries: 60, Canaries: DefaultCanaries}
	c, err := Run([]*Dataset{d}, o, noon)
	must(t, err)
	text, err := c.JSON()
	must(t, err)
	return c, text
}

// TestCertificate: it says of each attack what was found, fits its published schema,
// and no changed byte of it is taken.
func TestCertificate(t *testing.T) {
	c, text := certificate(t, planted{cars: 20, weeks: 2})
	if len(c.Datasets) != 1 || len(c.Datasets[0].Attacks) != 8 || c.Verdict != Fail || c.Datasets[0].Dataset.Episodes != 40 || c.Datasets[0].Dataset.Vehicles != 20 {
		t.Errorf("%s, %+v", c.Verdict, c.Datasets)
	}
	published, err := os.ReadFile("../../docs/schema/audit.schema.json")
	must(t, err)
	if !bytes.Equal(published, Schema()) {
		t.Error("docs/schema/audit.schema.json is out of date; run vignette schema audit > docs/schema/audit.schema.json")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	must(t, err)
	compiler := jsonschema.NewCompiler()
	must(t, compiler.AddResource("audit", doc))
	schema, err := compiler.Compile("audit")
	must(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	must(t, schema.Validate(value))

	key, err := sign.GenerateKey(nil)
	must(t, err)
	sig, err := c.Sign(text, key)
	must(t, err)
	keys := []sign.PublicKey{key.Public()}
	again, err := Verify(text, sig, keys)
	must(t, err)
	if again.Verdict != c.Verdict || len(again.Datasets[0].Attacks) != len(c.Datasets[0].Attacks) {
		t.Errorf("read again: %+v", again)
	}
	for i := 0; i < len(text); i += 11 {
		if _, err := Verify(flipped(text, i), sig, keys); err == nil {
			t.Fatalf("a changed byte %d is taken", i)
		}
	}
}

// TestCertificatesFollowFromFigures: one whose verdicts do not is refused, even if
// somebody signs it.
func TestCertificatesFollowFromFigures(t *testing.T) {
	_, text := certificate(t, planted{cars: 20, weeks: 2})
	for from, to := range map[string]string{
		"\n  \"verdict\": \"fail\"":         "\n  \"verdict\": \"pass\"",
		"\n          \"verdict\": \"fail\"": "\n          \"verdict\": \"pass\"",
		"\"schema\": 2":                     "\"schema\": 1",
		"\"seed\":":                         "\"seeds\":",
	} {
		if _, err := ParseCertificate(bytes.Replace(text, []byte(from), []byte(to), 1)); err == nil {
			t.Errorf("%q is taken", to)
		}
	}
}

// TestPage: it has every figure and text, and asks nothing of the network.
func TestPage(t *testing.T) {
	c, _ := certificate(t, planted{cars: 20, weeks: 2})
	c.Datasets[0].Study.ID = "<script>alert(1)</script>"
	var b bytes.Buffer
	must(t, Page(&b, c))
	for _, a := range c.Datasets[0].Attacks {
		for _, f := range a.Figures {
			if !strings.Contains(b.String(), strings.ReplaceAll(f.Name, "'", "&#39;")) {
				t.Errorf("the page lacks %q", f.Name)
			}
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "src=", "@import", "url("} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}
