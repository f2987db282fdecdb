package scenes

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vignette/scenes/sign"
)

// packOf makes a pack of one card by an author.
func packOf(t testing.TB, author, id, version string, key *sign.SecretKey, more ...string) *Pack {
	t.Helper()
	source := "schema: 1\nid: " + id + "\nversion: " + version + "\ntitle: {en: A pack}\nauthor: " + author + "\nlicence: MIT\ncards: [a.yaml]\n" + strings.Join(more, "\n")
	card := strings.NewReplacer("cool-evening", id, "version: 1.1.0", "version: "+version).Replace(eveningCard)
	data, err := MakePack("src", fstest.MapFS{"pack.yaml": {Data: []byte(source)}, "a.yaml": {Data: []byte(card)}}, key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := OpenPack(id+".vpack", data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func day(t testing.TB, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTrust judges packs by a list of a manufacturer and one of a driver.
func TestTrust(t *testing.T) {
	mei, other, jo := packKey(t, 1), packKey(t, 2), packKey(t, 3)
	list := Trust{Authors: []TrustedAuthor{{"mei-lin", mei.Public(), day(t, "2027-01-01")}}}.With(
		Trust{Authors: []TrustedAuthor{{"bo", other.Public(), time.Time{}}, {"bo", jo.Public(), time.Time{}}}})
	for name, c := range map[string]struct {
		author string
		key    *sign.SecretKey
		day    string
		want   Standing
		fault  bool
	}{
		"trusted":                {"mei-lin", mei, "2026-12-31", Trusted, false},
		"no clock":               {"mei-lin", mei, "", Trusted, false},
		"until is past":          {"mei-lin", mei, "2027-01-01", Lapsed, false},
		"unknown":                {"ada", packKey(t, 4), "", Unknown, false},
		"unsigned":               {"ada", nil, "", Unsigned, false},
		"his second key":         {"bo", jo, "", Trusted, false},
		"another key":            {"mei-lin", other, "", 0, true},
		"unsigned in his name":   {"mei-lin", nil, "", 0, true},
		"without hyphen":         {"meilin", packKey(t, 4), "", 0, true},
		"1 for l":                {"mei-1in", packKey(t, 4), "", 0, true},
		"rn for m":               {"rnei-lin", packKey(t, 4), "", 0, true},
		"r-n for m":              {"r-nei-lin", packKey(t, 4), "", 0, true},
		"0 for o":                {"b0", packKey(t, 4), "", 0, true},
		"unsigned, 0 for o":      {"b0", nil, "", 0, true},
		"after it has lapsed":    {"mei-lin", other, "2028-01-01", 0, true},
		"his key, another name":  {"ada", mei, "", 0, true},
		"a name that is longer":  {"mei-lina", packKey(t, 4), "", Unknown, false},
		"a name that is similar": {"mei-ling", nil, "", Unsigned, false},
	} {
		var on time.Time
		if c.day != "" {
			on = day(t, c.day)
		}
		got, err := list.Judge(packOf(t, c.author, "x", "1.0.0", c.key), on)
		if errors.Is(err, ErrImpostor) != c.fault || err == nil && got != c.want {
			t.Errorf("%s: %v, %v; want %v, impostor %v", name, got, err, c.want, c.fault)
		}
	}
	again, err := ParseTrust("trust.yaml", list.Text())
	if err != nil || !bytes.Equal(again.Text(), list.Text()) {
		t.Errorf("written and read: %v\n%s", err, list.Text())
	}
}

func TestRefusedTrust(t *testing.T) {
	a, b := packKey(t, 1).Public().Line(), packKey(t, 2).Public().Line()
	for name, c := range map[string]struct{ text, want string }{
		"twice":       {"{author: mei, key: " + a + "}, {author: mei, key: " + a + "}", "listed with this key already"},
		"two handles": {"{author: mei, key: " + a + "}, {author: jo, key: " + a + "}", "is that of `mei` already"},
		"alike":       {"{author: mei, key: " + a + "}, {author: me1, key: " + b + "}", "looks like `mei`"},
		"no key":      {"{author: mei}", "has no `key`"},
		"bad key":     {"{author: mei, key: RWxx}", "is not a minisign public key"},
		"key's file":  {"{author: mei, key: \"untrusted comment: x\\n" + a + "\"}", "is not a minisign public key"},
		"homoglyph":   {"{author: mеi, key: " + a + "}", "is not a handle"},
		"bad day":     {"{author: mei, key: " + a + ", until: 2026-02-31}", "no day of the calendar"},
		"none":        {"", "is empty"},
	} {
		_, err := ParseTrust("trust.yaml", []byte("schema: 1\nauthors: ["+c.text+"]\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "trust.yaml:") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	list := Trust{Authors: []TrustedAuthor{{"mei", packKey(t, 1).Public(), time.Time{}}}}
	if err := list.Fault(TrustedAuthor{"mei", packKey(t, 2).Public(), time.Time{}}); err == nil || !strings.Contains(err.Error(), "another key already") {
		t.Errorf("another key of an author: %v", err)
	}
}

// TestAdmit holds each reason for which a pack is not installed.
func TestAdmit(t *testing.T) {
	mei, jo := packKey(t, 1), packKey(t, 2)
	v := func(version string) *Pack { return packOf(t, "mei", "cool", version, mei) }
	installed := &Shelf{Installed: []*Pack{v("1.1.0")}, Ledger: Ledger{}}
	past := &Shelf{}
	past.Ledger.Note(v("1.2.0"))
	full := &Shelf{}
	for i := range maxShelf {
		full.Installed = append(full.Installed, packOf(t, "mei", "p"+string(rune('a'+i/26))+string(rune('a'+i%26)), "1.0.0", nil))
	}
	revoked := func(l Revocations) *Shelf { return &Shelf{Revoked: l} }
	for name, c := range map[string]struct {
		shelf *Shelf
		p     *Pack
		want  error
	}{
		"first":                       {&Shelf{}, v("1.0.0"), nil},
		"newer":                       {installed, v("1.2.0"), nil},
		"the same":                    {installed, v("1.1.0"), nil},
		"older":                       {installed, v("1.0.9"), ErrPackOlder},
		"a release candidate of it":   {installed, v("1.1.0-rc.1"), ErrPackOlder},
		"same version, other bytes":   {installed, packOf(t, "mei", "cool", "1.1.0", mei, "expires: 2030-01-01"), ErrPackOlder},
		"older, the newer is gone":    {past, v("1.1.0"), ErrPackOlder},
		"the newest again":            {past, v("1.2.0"), nil},
		"another's card, it is gone":  {past, packOf(t, "jo", "cool", "9.0.0", jo), ErrCardTaken},
		"another's pack":              {installed, packOf(t, "jo", "cool", "9.0.0", jo), ErrPackTaken},
		"unsigned over signed":        {installed, packOf(t, "mei", "cool", "9.0.0", nil), ErrPackTaken},
		"a card of the car":           {&Shelf{Cards: map[string]string{"cool": "cards/cool.yaml"}}, v("1.0.0"), ErrCardTaken},
		"no room":                     {full, v("1.0.0"), ErrShelfFull},
		"in a full shelf, its update": {full, packOf(t, "mei", "paa", "1.0.1", nil), nil},
		"expired":                     {&Shelf{Day: day(t, "2026-05-01")}, packOf(t, "mei", "cool", "1.0.0", mei, "expires: 2026-05-01"), ErrPackExpired},
		"not expired":                 {&Shelf{Day: day(t, "2026-04-30")}, packOf(t, "mei", "cool", "1.0.0", mei, "expires: 2026-05-01"), nil},
		"no clock":                    {&Shelf{}, packOf(t, "mei", "cool", "1.0.0", mei, "expires: 2026-05-01"), nil},
		"its key is called back":      {revoked(Revocations{Keys: []sign.PublicKey{mei.Public()}}), v("1.0.0"), ErrPackRevoked},
		"another key is":              {revoked(Revocations{Keys: []sign.PublicKey{jo.Public()}}), v("1.0.0"), nil},
		"it is called back":           {revoked(Revocations{Packs: []RevokedPack{{"cool", mei.Public(), "1.0.0"}}}), v("1.0.0"), ErrPackRevoked},
		"an older one is":             {revoked(Revocations{Packs: []RevokedPack{{"cool", mei.Public(), "1.0.0"}}}), v("1.0.1"), nil},
		"another's of its name is":    {revoked(Revocations{Packs: []RevokedPack{{"cool", jo.Public(), "1.0.0"}}}), v("1.0.0"), nil},
		"an impostor":                 {&Shelf{Trust: Trust{Authors: []TrustedAuthor{{"mei", jo.Public(), time.Time{}}}}}, v("1.0.0"), ErrImpostor},
	} {
		if _, err := c.shelf.Admit(c.p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v; want %v", name, err, c.want)
		}
	}
}

// TestRenamedKey holds that a key is the same under another id: who holds a key
// that is called back may call it otherwise.
func TestRenamedKey(t *testing.T) {
	mei := packKey(t, 1)
	renamed := *mei
	renamed.ID = sign.KeyID{1, 2, 3}
	p := packOf(t, "mei", "cool", "1.0.0", &renamed)
	s := &Shelf{Revoked: Revocations{Keys: []sign.PublicKey{mei.Public()}}}
	if _, err := s.Admit(p); !errors.Is(err, ErrPackRevoked) {
		t.Errorf("a renamed key: %v", err)
	}
}

func TestLedger(t *testing.T) {
	mei := packKey(t, 1)
	var l Ledger
	if l.Note(packOf(t, "mei", "cool", "1.0.0", nil)) || l.Packs != nil {
		t.Error("an unsigned pack is remembered")
	}
	for i, c := range []struct {
		version, want string
		changed       bool
	}{{"1.0.0", "1.0.0", true}, {"1.0.0", "1.0.0", false}, {"1.2.0", "1.2.0", true}, {"1.1.0", "1.2.0", false}} {
		if changed := l.Note(packOf(t, "mei", "cool", c.version, mei)); changed != c.changed || len(l.Packs) != 1 || l.Packs[0].Version != c.want {
			t.Errorf("%d: changed %v, %+v; want %v, %s", i, changed, l.Packs, c.changed, c.want)
		}
	}
	again, err := ParseLedger("packs.ledger", l.Text())
	if err != nil || !bytes.Equal(again.Text(), l.Text()) {
		t.Errorf("written and read: %v\n%s", err, l.Text())
	}
	for range maxLedger {
		l.Packs = append(l.Packs, LedgerPack{ID: "x", Version: "1.0.0", Key: packKey(t, 2).Public()})
	}
	l.Note(packOf(t, "mei", "warm", "1.0.0", mei))
	if len(l.Packs) != maxLedger || l.Packs[maxLedger-1].ID != "warm" || l.Packs[0].ID != "x" {
		t.Errorf("%d packs are remembered, the first %s", len(l.Packs), l.Packs[0].ID)
	}
}
