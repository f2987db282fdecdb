package dbc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What editors write beside the format description is read without loss.
func TestDialectsAreRead(t *testing.T) {
	const bo = "BO_ 1 M: 8 X\n"
	plain := sg("A : 0|8@1+ (1,0)")
	tests := []struct{ name, text, signals string }{
		{"line comments", "// BO_ 3 No: 8 X \"\n" + bo + plain + "// SG_ B \"\n" + sg("C : 8|8@1+ (1,0)"), "A C"},
		{"comment behind a signal", bo + " SG_ A : 0|8@1+ (1,0) [0|0] \"//m\" X // \"it's\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"byte order mark", "\uFEFF" + bo + plain, "A"},
		{"carriage returns", strings.ReplaceAll("NS_ :\n\tCM_\n"+bo+plain, "\n", "\r\n"), "A"},
		{"only carriage returns in NS_", "NS_ :\r\n\tNS_DESC_\r\n\tCM_\r\n\r\nBS_:\r\n" + bo + plain, "A"},
		{"numbers of many forms", "BO_ 001 M: 08 X\n SG_ A : 00|+8@1+ (+1.,.0) [-0|+007e+01] \"\" X\n", "A"},
		{"no spaces", "BO_ 1 M:8 X\nSG_ A:0|8@1+(1,0)[0|0]\"\"X\n", "A"},
		{"wide spaces", "BO_\t1  M  :  8\tX\n\n  SG_\tA  :  0 | 8 @ 1 + ( 1 , 0 ) [ 0 | 0 ]  \"\"  X , Y\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"no receivers", bo + " SG_ A : 0|8@1+ (1,0) [0|0] \"\"\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"no receivers at the end", bo + " SG_ A : 0|8@1+ (1,0) [0|0] \"\"", "A"},
		{"receivers over lines", bo + " SG_ A : 0|8@1+ (1,0) [0|0] \"\" X,\n  Y,\n  Z\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"receivers with spaces", bo + " SG_ A : 0|8@1+ (1,0) [0|0] \"\" X Y Z\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"no transmitter", "BO_ 1 M: 8\n" + plain, "A"},
		{"transmitter with a digit", "BO_ 1 M: 8 4WD\n" + plain, "A"},
		{"name with a digit first", bo + sg("4WD : 0|8@1+ (1,0)") + sg("1 : 8|8@1+ (1,0)") + "VAL_ 1 4WD 0 \"off\";\n", "4WD 1"},
		{"name beyond ASCII", bo + sg("T\xFCr : 0|8@1+ (1,0)") + "VAL_ 1 T\xFCr 0 \"zu\" ;\n", "Tür"},
		{"name like an alias", bo + sg("alias0 : 0|8@1+ (1,0)") + sg("1st : 8|8@1+ (1,0)"), "alias0 1st"},
		{"name over 128", bo + sg(strings.Repeat("n", 200)+" : 0|8@1+ (1,0)"), strings.Repeat("n", 200)},
		{"VAL_ without semicolon", bo + plain + "VAL_ 1 A 0 \"x\"\nVAL_ 1 A 1 \"y\"\nCM_ SG_ 1 A \"c\"\nBO_ 2 N: 8 X\n", "A"},
		{"VAL_ of a variable", bo + plain + "VAL_ Env 0 \"x\" ;\nEV_ Env: 0 [0|1] \"\" 0 2 DUMMY_NODE_VECTOR8000 X;\n", "A"},
		{"VAL_ that names a table", bo + plain + "VAL_ 1 A Tab ;\nVAL_TABLE_ Tab 0 \"off\" ;\n", "A"},
		{"attribute before its definition", bo + plain + "BA_ \"Some-Attr x\" BO_ 1 5;\nBA_DEF_DEF_ \"Some-Attr x\" 1;\nBA_DEF_ BO_ \"Some-Attr x\" INT 0 9;\n", "A"},
		{"relations", bo + plain + "BA_DEF_REL_ BU_SG_REL_ \"r\" INT 0 9;\nBA_REL_ \"r\" BU_SG_REL_ X\nSG_ 1 A 5;\nBU_SG_REL_ 1;\nBU_BO_REL_ 1;\n" + "BO_ 2 N: 8 X\n", "A"},
		{"signal group without semicolon", bo + plain + "SIG_GROUP_ 1 G 1 : A\nVAL_ 1 A 0 \"x\" ;\n", "A"},
		{"nodes over lines", "BU_: A\n B C_D\n 3E\n" + bo + plain, "A"},
		{"NS_ in one line", "NS_ : CM_ BA_DEF_ VAL_ FILTER\nBS_: 500000 : 1,2\nBU_:\n" + bo + plain, "A"},
		{"NS_ before a definition", "NS_ :\nCM_ \"bus\";\n" + bo + plain, "A"},
		{"statements in one line", "VERSION \"\" BO_ 1 M: 8 X SG_ A : 0|8@1+ (1,0) [0|0] \"\" X SG_ B : 8|8@1+ (1,0) [0|0] \"\" X VAL_ 1 A 0 \"x\" ;", "A B"},
		{"keywords in a text", bo + plain + "CM_ \"first\nBO_ 9 No: 8 X\n SG_ No : 0|1@1+ (1,0) [0|0] \\\" X\";\n", "A"},
		{"semicolon in a text", bo + plain + "CM_ SG_ 1 A \"a;\nBO_ 9 No: 8 X\nb\";\n", "A"},
		{"semicolons behind messages", "BO_ 1 M: 8 X;\n SG_ A : 0|8@1+ (1,0) [0|0] \"\" X;\n" + sg("B : 8|8@1+ (1,0)"), "A B"},
		{"control-Z at the end", bo + plain + "\x1a", "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, err := Parse("t.dbc", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range db.Messages[0].Signals {
				names = append(names, s.Name)
				if _, err := db.Messages[0].Field(s); err != nil {
					t.Error(err)
				}
			}
			if got := strings.Join(names, " "); got != tt.signals || len(db.Diagnostics) > 0 {
				t.Errorf("signals %q, want %q; diagnostics %v", got, tt.signals, db.Diagnostics)
			}
		})
	}
}

func TestNormalisedValues(t *testing.T) {
	const dbc = `VAL_TABLE_ OnOff 0 "off" 1 "say \"on\"" ;
BO_ 2048 1Wide: 8 X
 SG_ A : 0|8@1- (+00.5,-.25) [-1e1|+10.] "°" X
BA_ "GenMsgCycleTime" BO_ 2048 20;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 1000;
BA_DEF_DEF_ "GenMsgCycleTime" 100;
BA_DEF_ BO_ "VFrameFormat" ENUM "a","b","StandardCAN_FD";
BA_ "VFrameFormat" BO_ 2048 2;
VAL_ 2048 A OnOff
CM_ BO_ 2048 "a \"message\"";
`
	db, err := Parse("t.dbc", []byte(dbc))
	if err != nil || len(db.Diagnostics) > 0 {
		t.Fatal(err, db)
	}
	m := db.Lookup(2048, true)
	if m == nil || m != db.Message("1Wide") || m.Pos.Line != 2 || m.Comment != `a "message"` || !m.FD || m.Cycle != 20*time.Millisecond || db.ValueTables != 1 {
		t.Fatalf("message %+v", m)
	}
	s := m.Signal("A")
	if s.Factor != 0.5 || s.Offset != -0.25 || s.Min != -10 || s.Max != 10 || s.Unit != "°" || s.Values[1] != `say "on"` || s.Pos.Column != 2 {
		t.Errorf("signal %+v", s)
	}
}

const muxed = `BO_ 1 M: 8 X
 SG_ Root M : 0|4@1+ (1,0) [0|0] "" X
 SG_ Side M : 4|4@1+ (1,0) [0|0] "" X
 SG_ Inner m2M : 8|8@1+ (1,0) [0|0] "" X
 SG_ Deep m : 16|8@1+ (1,0) [0|0] "" X
 SG_ Beside m0 : 24|8@1+ (1,0) [0|0] "" X
 SG_ Late M : 32|8@1+ (1,0) [0|0] "" X
SG_MUL_VAL_ 1 Inner Root 2 - 2, 5-6;
SG_MUL_VAL_ 1 Deep Inner 3-3,10-200;
SG_MUL_VAL_ 1 Deep Inner 250-255;
SG_MUL_VAL_ 1 Beside Side 0-18446744073709551615;
SG_MUL_VAL_ 1 Late Side 1-1
`

// Cascaded multiplexers, several of them side by side, ranges.
func TestExtendedMultiplexing(t *testing.T) {
	db, err := Parse("t.dbc", []byte(muxed))
	if err != nil || len(db.Diagnostics) > 0 {
		t.Fatal(err, db)
	}
	m := db.Message("M")
	tests := []struct {
		data    []byte
		present string
	}{
		{[]byte{0x00, 3, 7, 8, 9, 0, 0, 0}, "Root Side Beside"},
		{[]byte{0x02, 3, 7, 8, 9, 0, 0, 0}, "Root Side Inner Deep Beside"},
		{[]byte{0x15, 9, 7, 8, 9, 0, 0, 0}, "Root Side Inner Beside Late"},
		{[]byte{0x06, 10, 7, 8, 9, 0, 0, 0}, "Root Side Inner Deep Beside"},
		{[]byte{0x06, 201, 7, 8, 9, 0, 0, 0}, "Root Side Inner Beside"},
		{[]byte{0x06, 250, 7, 8, 9, 0, 0, 0}, "Root Side Inner Deep Beside"},
		{[]byte{0x07, 250, 7, 8, 9, 0, 0, 0}, "Root Side Beside"},
		{[]byte{0x16, 250, 7}, "Root Side Inner Deep"},
		{nil, ""},
	}
	for _, tt := range tests {
		var present []string
		for _, s := range m.Signals {
			f := mustField(t, m, s)
			if _, ok := f.Raw(tt.data); ok {
				present = append(present, s.Name)
			}
		}
		if got := strings.Join(present, " "); got != tt.present {
			t.Errorf("%x: present %q, want %q", tt.data, got, tt.present)
		}
	}
	deep := mustField(t, m, m.Signal("Deep"))
	data := tests[1].data
	if n := testing.AllocsPerRun(100, func() { deep.Raw(data) }); n != 0 {
		t.Errorf("%v allocations for a cascaded signal", n)
	}
	if m.Signal("Deep").Selector() != m.Signal("Inner") || m.Signal("Root").Selector() != nil {
		t.Error("selectors")
	}
}

// A signal with a bare m that SG_MUL_VAL_ lines name is their multiplexer,
// whether it is multiplexed itself or not, and whichever line comes first.
func TestBareMultiplexer(t *testing.T) {
	const upper, lower = "SG_MUL_VAL_ 1 Inner Top 1-1;\n", "SG_MUL_VAL_ 1 Leaf Inner 2-2;\n"
	for _, lines := range []string{upper + lower, lower + upper} {
		db, err := Parse("t.dbc", []byte("BO_ 1 M: 8 X\n"+sg("Top m : 0|4@1+ (1,0)")+sg("Inner m : 4|4@1+ (1,0)")+sg("Leaf m2 : 8|8@1+ (1,0)")+lines))
		if err != nil || len(db.Diagnostics) > 0 {
			t.Fatal(err, db)
		}
		m := db.Message("M")
		for _, tt := range []struct {
			first   byte
			present string
		}{{0x21, "Top Inner Leaf"}, {0x11, "Top Inner"}, {0x20, "Top"}} {
			var present []string
			for _, s := range m.Signals {
				field := mustField(t, m, s)
				if _, ok := field.Raw([]byte{tt.first, 7, 0, 0, 0, 0, 0, 0}); ok {
					present = append(present, s.Name)
				}
			}
			if got := strings.Join(present, " "); got != tt.present {
				t.Errorf("%x: present %q, want %q", tt.first, got, tt.present)
			}
		}
	}
}

// Every statement of a file may be cut at any byte: no cut loses a message or a
// signal that is whole in the text without an error or a diagnostic.
func TestCutsAreNotSilent(t *testing.T) {
	const whole = sample + muxed2
	for i := range len(whole) {
		db, err := Parse("t.dbc", []byte(whole[:i]))
		if err != nil {
			continue
		}
		want := 0
		for _, line := range strings.Split(whole[:i], "\n") {
			if strings.HasPrefix(line, "BO_ ") && strings.Contains(line, "8 ") && !strings.Contains(line, "VECTOR__") && !strings.Contains(line, "two lines") {
				want++
			}
		}
		if len(db.Messages) < want-1 && len(db.Diagnostics) == 0 {
			t.Errorf("cut at %d: %d of %d messages and no diagnostic", i, len(db.Messages), want)
		}
	}
}

// processorTime is what this process has used of its processors: other
// programs on the machine do not count.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// A megabyte of anything is read, or refused, in bounded time.
func TestLargeTextsInBoundedTime(t *testing.T) {
	repeat := func(s string) string { return strings.Repeat(s, 1<<20/len(s)) }
	var messages strings.Builder
	for i := 0; messages.Len() < 1<<20; i++ {
		fmt.Fprintf(&messages, "BO_ %d M%d: 8 X SG_ 1A : 0|8@1+ (1,0) [0|0] \"\" X VAL_ %d 1A 0 \"x\" ; ", i|extendedBit, i, i|extendedBit)
	}
	var signals strings.Builder
	signals.WriteString("BO_ 1 M: 8 X\n")
	for i := 0; signals.Len() < 1<<20; i++ {
		fmt.Fprintf(&signals, "SG_ %dS : 0|8@1+ (1,0) [0|0] \"\" X\n", i)
	}
	texts := map[string]string{
		"many signals":         signals.String(),
		"names like aliases":   "BO_ 1 alias" + repeat("_") + ": 8 X\n",
		"one line of messages": messages.String(),
		"unknown sections":     repeat("FOO_\n"),
		"keywords":             repeat("VAL_\n"),
		"keywords in one line": repeat("CM_ "),
		"signals of one":       "BO_ 1 M: 8 X\n" + repeat("SG_ A m0M : 0|8@1+ (1,0) [0|0] \"\" X\n"),
		"ranges":               muxed + "SG_MUL_VAL_ 1 Late Side " + repeat("1-1,") + "1-1;\n",
		"quotes":               "VERSION " + repeat(`\"`),
		"open quotes":          repeat(`VAL_ "`),
		"symbols":              "NS_ :" + repeat(" A_"),
		"comments":             repeat("CM_ // x\n"),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			start := processorTime(t)
			db, err := Parse("t.dbc", []byte(text))
			if took := processorTime(t) - start; took > 2*time.Second {
				t.Errorf("%v for %d bytes", took, len(text))
			}
			if db == nil && err == nil {
				t.Error("neither database nor error")
			}
		})
	}
}

const muxed2 = "BO_ 77 Mux: 8 X\n SG_ S M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ T m1 : 8|8@1+ (1,0) [0|0] \"\" X\nSG_MUL_VAL_ 77 T S 1-3;\n"
