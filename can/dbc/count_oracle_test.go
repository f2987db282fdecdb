//go:build oracle

package dbc

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vignette/testdata/oracle"
)

// findings are the shared files that are not taken as they stand: how many
// diagnostics each has, and the first one. Every other file has none.
var findings = map[string]struct {
	count int
	first string
}{
	"Model3CAN.dbc":                                   {6, "Model3CAN.dbc:1722:2: signal DI_lashAngle (40|10) runs out of message ID5D5RearDItemps, which has 5 bytes; correct the start bit, the length or the byte order"},
	"bad_message_length.dbc":                          {1, "bad_message_length.dbc:40:2: signal Signal1 (8|1) runs out of message Message1, which has 1 bytes; correct the start bit, the length or the byte order"},
	"issue_199_extended.dbc":                          {1, "issue_199_extended.dbc:45:5: message DriverDoorStatus has the id 4294967295, which no frame can have (29 bits at most, beside bit 31); the message is left out"},
	"FORD_CADS_64.dbc":                                {4, "FORD_CADS_64.dbc:714:4: signal CAN_DET_SUPER_RES_TARGET_22_03 (200|1) runs out of message MRR_Detection_022, which has 24 bytes; correct the start bit, the length or the byte order"},
	"acura_rdx_2020_can_generated.dbc":                {2, "acura_rdx_2020_can_generated.dbc:211:13: expected the signal's name, found the text \"Seems to be platform-agnostic\"; names have letters, digits and _; the comment is left out; decoding does not need it"},
	"chrysler_pacifica_2017_hybrid_generated.dbc":     {1, "chrysler_pacifica_2017_hybrid_generated.dbc:362:1: VAL_ is for signal CRUISE_STATE, which message DAS_4 does not have; correct the name or delete the line"},
	"honda_civic_hatchback_ex_2017_can_generated.dbc": {2, "honda_civic_hatchback_ex_2017_can_generated.dbc:211:13: expected the signal's name, found the text \"Seems to be platform-agnostic\"; names have letters, digits and _; the comment is left out; decoding does not need it"},
	"honda_clarity_hybrid_2018_can_generated.dbc":     {2, "honda_clarity_hybrid_2018_can_generated.dbc:211:13: expected the signal's name, found the text \"Seems to be platform-agnostic\"; names have letters, digits and _; the comment is left out; decoding does not need it"},
	"honda_e_advance_2020_can_generated.dbc":          {2, "honda_e_advance_2020_can_generated.dbc:211:13: expected the signal's name, found the text \"Seems to be platform-agnostic\"; names have letters, digits and _; the comment is left out; decoding does not need it"},
	"honda_odyssey_exl_2018_generated.dbc":            {2, "honda_odyssey_exl_2018_generated.dbc:211:13: expected the signal's name, found the text \"Seems to be platform-agnostic\"; names have letters, digits and _; the comment is left out; decoding does not need it"},
	"hyundai_palisade_2023_generated.dbc":             {9, "hyundai_palisade_2023_generated.dbc:861:2: signal BYTE2 (16|8) runs out of message FRT_RADAR11, which has 2 bytes; correct the start bit, the length or the byte order"},
	"mazda_3_2019.dbc":                                {1, "mazda_3_2019.dbc:310:2: signal NEW_SIGNAL_4 (55|30) runs out of message CAM_KEEP_ALIVE_1, which has 8 bytes; correct the start bit, the length or the byte order"},
	"rivian_primary_actuator.dbc":                     {1, "rivian_primary_actuator.dbc:876:1: VAL_ is for signal ACM_VehicleHoldRequired, which message ACM_longitudinalRequest does not have; correct the name or delete the line"},
	"tesla_can.dbc":                                   {1, "tesla_can.dbc:783:1: VAL_ is for signal UI_mapSpeedLimit, which message UI_driverAssistRoadSign does not have; correct the name or delete the line"},
	"toyota_2017_ref_pt.dbc":                          {32, "toyota_2017_ref_pt.dbc:387:5: message BDB1F01_14 has the id 1075054137, which no frame can have (29 bits at most, beside bit 31); the message is left out"},
}

// left are messages and signals that are not in the database, by file, as the
// file's diagnostics say.
var left = map[string]struct{ messages, signals, values int }{
	"issue_199_extended.dbc": {1, 1, 1},
	"toyota_2017_ref_pt.dbc": {32, 275, 0},
}

// Every shared file is accepted, and what is not taken from it is told.
func TestCorpusFindings(t *testing.T) {
	for _, path := range corpus(t) {
		name := filepath.Base(path)
		want := findings[name]
		db := parseFile(t, path)
		if db == nil || !shared(t, path) {
			continue
		}
		if len(db.Diagnostics) != want.count {
			t.Errorf("%s: %d diagnostics, want %d: %v", name, len(db.Diagnostics), want.count, db.Diagnostics)
		} else if want.count > 0 && db.Diagnostics[0].Error() != want.first {
			t.Errorf("%s: first diagnostic %v\nwant %s", name, db.Diagnostics[0], want.first)
		}
	}
}

func parseFile(t testing.TB, path string) *Database {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := Parse(filepath.Base(path), text)
	if err != nil && *dirs != "" {
		t.Log(err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// counts are definitions of a file.
type counts struct{ messages, signals, values, floats, selected int }

var (
	quoted    = regexp.MustCompile(`"(?:\\"|[^"])*"`)
	comments  = regexp.MustCompile(`//[^\n]*`)
	boLine    = regexp.MustCompile(`^\s*BO_\s+(\d+)\s+(\w+)\s*:`)
	sgLine    = regexp.MustCompile(`^\s*SG_\s+\w+\s*\w*\s*:`)
	valLine   = regexp.MustCompile(`^VAL_\s+(\d+\s+\w+)`)
	floatLine = regexp.MustCompile(`^SIG_VALTYPE_\s+(\d+\s+\w+)\s*:?\s*[12]`)
	mulLine   = regexp.MustCompile(`^SG_MUL_VAL_\s+(\d+\s+\w+)`)
)

// countText counts definitions by regular expressions, without the parser.
func countText(text string) counts {
	text = comments.ReplaceAllString(quoted.ReplaceAllString(text, `""`), "")
	var n counts
	lone := false
	seen := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		if bo := boLine.FindStringSubmatch(line); bo != nil {
			if lone = bo[2] == "VECTOR__INDEPENDENT_SIG_MSG"; !lone {
				n.messages++
			}
		}
		if sgLine.MatchString(line) && !lone {
			n.signals++
		}
		for form, total := range map[*regexp.Regexp]*int{valLine: &n.values, floatLine: &n.floats, mulLine: &n.selected} {
			m := form.FindStringSubmatch(line)
			if m == nil || strings.HasPrefix(m[1], "3221225472") || strings.HasPrefix(m[1], "1073741824") {
				continue
			}
			if key := form.String() + strings.Join(strings.Fields(m[1]), " "); !seen[key] {
				seen[key] = true
				*total++
			}
		}
	}
	return n
}

// countDatabase counts what came out.
func countDatabase(db *Database) counts {
	n := counts{messages: len(db.Messages)}
	for _, m := range db.Messages {
		for _, s := range m.Signals {
			n.signals++
			if s.Values != nil {
				n.values++
			}
			if s.Float {
				n.floats++
			}
		}
	}
	return n
}

func TestCorpusIsCounted(t *testing.T) {
	var total counts
	for _, path := range corpus(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, db := filepath.Base(path), parseFile(t, path)
		if db == nil {
			continue
		}
		want, got := countText(string(text)), countDatabase(db)
		for _, x := range db.Diagnostics {
			if strings.Contains(x.What, "VAL_ is for") {
				want.values--
			}
		}
		want.messages -= left[name].messages
		want.signals -= left[name].signals
		want.values -= left[name].values
		if got.selected = selectedByLine(db, string(text)); got != want && !shared(t, path) && len(db.Diagnostics) > 0 {
			t.Logf("%s: %+v came out of %+v; diagnostics: %v", name, got, want, db.Diagnostics)
		} else if got != want {
			t.Errorf("%s: %+v came out of %+v", name, got, want)
		}
		total.messages += got.messages
		total.signals += got.signals
		total.values += got.values
		total.floats += got.floats
		total.selected += got.selected
	}
	t.Logf("all files: %+v", total)
	if total.messages < 3200 || total.signals < 28000 || total.floats == 0 || total.selected == 0 {
		t.Errorf("counted only %+v", total)
	}
}

// selectedByLine counts the signals of SG_MUL_VAL_ lines that have a multiplexer.
func selectedByLine(db *Database, text string) int {
	found := map[*Signal]bool{}
	for _, line := range strings.Split(text, "\n") {
		m := mulLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		parts := strings.Fields(m[1])
		id, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil {
			continue
		}
		message := db.Lookup(uint32(id&^extendedBit), id&extendedBit != 0)
		if s := message.Signal(parts[1]); s.Selector() != nil && strings.Contains(line, s.Selector().Short) {
			found[s] = true
		}
	}
	return len(found)
}

// BenchmarkModel3 loads a large DBC.
func BenchmarkModel3(b *testing.B) {
	text, err := os.ReadFile(oracle.Data(b, "dbc", "Model3CAN.dbc"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("Model3CAN.dbc", text); err != nil {
			b.Fatal(err)
		}
	}
}
