package dbc

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const sample = `VERSION "1"

NS_ :
	CM_
	BA_DEF_
	VAL_
	SG_MUL_VAL_

BS_:

BU_: ECU

BO_ 256 Speed: 8 ECU
 SG_ VehicleSpeed : 0|16@1+ (0.01,0) [0|300] "km/h" ECU,Vector__XXX
 SG_ Gear : 23|4@0- (1,-1) [0|0] "" Vector__XXX

BO_ 2566844672 Long: 12 ECU
 SG_ Temp : 0|32@1- (1,0) [0|0] "degC" Vector__XXX

BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX
 SG_ Loose : 0|8@1+ (1,0) [0|0] "" Vector__XXX

CM_ SG_ 256 Gear "text over
BO_ 5 two lines; \"VAL_ 1 X";
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","StandardCAN_FD","ExtendedCAN_FD";
BA_DEF_DEF_ "GenMsgCycleTime" 100;
BA_DEF_DEF_ "VFrameFormat" "StandardCAN";
BA_ "GenMsgCycleTime" BO_ 256 20;
BA_ "VFrameFormat" BO_ 256 "StandardCAN_FD";
VAL_ 256 Gear 1 "P" -1 "R" ;
SIG_VALTYPE_ 2566844672 Temp : 1;
`

func TestParse(t *testing.T) {
	db, err := Parse("s.dbc", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if len(db.Diagnostics) != 0 || len(db.Messages) != 2 || db.Name != "s.dbc" {
		t.Fatalf("%d messages of %s, diagnostics %v", len(db.Messages), db.Name, db.Diagnostics)
	}
	speed := db.Message("Speed")
	if speed != db.Messages[0] || speed != db.Lookup(256, false) || db.Lookup(256, true) != nil || db.Message("speed") != nil {
		t.Error("lookup of Speed by name and id")
	}
	if speed.Length != 8 || speed.Cycle != 20*time.Millisecond || !speed.FD || speed.Extended {
		t.Errorf("Speed: %+v", speed)
	}
	want := Signal{Pos: Pos{"s.dbc", 15, 2}, Name: "Gear", Short: "Gear", Start: 23, Length: 4, BigEndian: true, Signed: true,
		Factor: 1, Offset: -1, Comment: "text over BO_ 5 two lines; \"VAL_ 1 X", Values: map[int64]string{1: "P", -1: "R"}}
	if got := speed.Signal("Gear"); got == nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("Gear: %+v\nwant  %+v", got, want)
	}
	if s := speed.Signal("VehicleSpeed"); s.Factor != 0.01 || s.Max != 300 || s.Unit != "km/h" || s.BigEndian || s.Signed {
		t.Errorf("VehicleSpeed: %+v", s)
	}
	long := db.Lookup(0x18FEF100&0x1FFFFFFF, true)
	if long == nil || long.Name != "Long" || !long.Extended || long.Cycle != 100*time.Millisecond || !long.FD {
		t.Fatalf("Long: %+v", long)
	}
	if s := long.Signal("Temp"); !s.Float || long.Signal("none") != nil {
		t.Errorf("Temp: %+v", s)
	}
}

func TestCp1252IsRead(t *testing.T) {
	const line = "BO_ 1 M: 8 X\n SG_ S : 0|8@1+ (1,0) [0|0] \"\xB0C\x80\" X"
	db, err := Parse("s.dbc", []byte(line+"\n"))
	if err != nil || db.Messages[0].Signals[0].Unit != "°C€" {
		t.Errorf("%v, %v", db, err)
	}
	// One byte is one character, so the column is that of an editor.
	_, err = Parse("s.dbc", []byte(line+" (\n"))
	if want := `s.dbc:2:37: expected a definition such as BO_ or VAL_, found "("; correct the definition here or just before`; err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

func TestLongNames(t *testing.T) {
	const names = `BA_DEF_ BO_ "SystemMessageLongSymbol" STRING ;
BA_DEF_ SG_ "SystemSignalLongSymbol" STRING ;
BA_ "SystemMessageLongSymbol" BO_ 1 "LongMessage";
BA_ "SystemSignalLongSymbol" SG_ 1 A "LongSignal";
BA_ "SystemSignalLongSymbol" SG_ 1 B "A";
VAL_ 1 A 0 "off" ;
`
	db, err := Parse("t.dbc", []byte("BO_ 1 M: 8 X\n"+sg("A : 0|8@1+ (1,0)")+sg("B : 8|8@1+ (1,0)")+names))
	if err != nil {
		t.Fatal(err)
	}
	m := db.Message("LongMessage")
	if m == nil || m != db.Message("M") || m.Name != "LongMessage" || m.Short != "M" {
		t.Fatalf("message %+v", m)
	}
	a := m.Signal("LongSignal")
	if a == nil || a != m.Signal("A") || a.Name != "LongSignal" || a.Short != "A" || a.Values[0] != "off" {
		t.Errorf("signal %+v", a)
	}
	const want = `t.dbc:8:1: SystemSignalLongSymbol gives signal B the name of another one, "A"; it keeps its short name`
	if b := m.Signal("B"); b == nil || b.Name != "B" || len(db.Diagnostics) != 1 || db.Diagnostics[0].Error() != want {
		t.Errorf("signal %+v, diagnostics %v", b, db.Diagnostics)
	}
}

// sg is a signal of one message, receivers included.
func sg(text string) string { return " SG_ " + text + " [0|0] \"\" X\n" }

func TestParseErrors(t *testing.T) {
	const bo = "BO_ 1 M: 8 X\n"
	plain := sg("A : 0|8@1+ (1,0)")
	tests := []struct{ name, text, want string }{
		{"nothing", "", "t.dbc:1:1: this is no DBC: it has none of the sections of one; give a DBC file"},
		{"prose", "Dear reader, hello\n", "t.dbc:1:1: this is no DBC: it has none of the sections of one; give a DBC file"},
		{"binary", "BO_ 1 M: 8 X\n\x00\x01", `t.dbc:2:1: expected a definition such as BO_ or VAL_, found "\x00"; correct the definition here or just before`},
		{"strange multiplexing", bo + sg("A mM0 : 0|8@1+ (1,0)"), `t.dbc:2:8: expected M, m and a number, or m, a number and M before the colon, found "mM0"; correct it`},
		{"id over 32 bits", "BO_ 4294967297 M: 8 X\n", "t.dbc:1:1: message id 4294967297 has more than 32 bits; correct it"},
		{"id negative", "BO_ -1 M: 8 X\n", `t.dbc:1:5: expected a message id, found "-1"; write a whole number`},
		{"id over 64 bits", "BO_ 99999999999999999999 M: 8 X\n", "t.dbc:1:5: a message id 99999999999999999999 has more than 64 bits; correct it"},
		{"no name", "BO_ 1 : 8 X\n", `t.dbc:1:7: expected the message's name, found ":"; names have letters, digits and _`},
		{"string not closed", "VERSION \"1\n", `t.dbc:1:9: unterminated string; close it with "`},
		{"comment not closed", bo + plain + "CM_ SG_ 1 A \"x;\nBO_ 2 N: 8 X\n", `t.dbc:3:13: unterminated string; close it with "`},
		{"length absurd", "BO_ 1 M: 70000 X\n", "t.dbc:1:1: message M has a length of 70000 bytes; CAN FD ends at 64, transport protocols at 65535"},
		{"signal cut", bo + " SG_ A : 0|8@1+ (1,", "t.dbc:2:20: expected the offset, found the end of the file; write a decimal number"},
		{"factor of letters", bo + sg("A : 0|8@1+ (x,0)"), `t.dbc:2:18: expected the factor, found "x"; write a decimal number`},
		{"factor too large", bo + sg("A : 0|8@1+ (1e999,0)"), "t.dbc:2:18: the factor 1e999 is too large; correct it"},
		{"byte order", bo + sg("A : 0|8@2+ (1,0)"), "t.dbc:2:14: byte order 2 is unknown; write 1 for little-endian or 0 for big-endian"},
		{"no sign", bo + sg("A : 0|8@1 (1,0)"), `t.dbc:2:16: expected + or - for the signal's sign, found "("; correct it`},
		{"no unit", bo + " SG_ A : 0|8@1+ (1,0) [0|0] X\n", `t.dbc:2:29: expected the unit in quotes, found "X"; correct the definition here or just before`},
		{"signal outside of a message", plain, "t.dbc:1:2: signal A stands outside of any message; move it below its BO_ line"},
		{"signal outside, not at a line's start", "VERSION \"\" SG_ A : 0|8@1+ (1,0) [0|0] \"\" X\n", "t.dbc:1:12: signal A stands outside of any message; move it below its BO_ line"},
		{"value type of a table", bo + plain + "SIG_VALTYPE_ 1 A : x;\n", `t.dbc:3:20: expected the value type, found "x"; write a whole number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, err := Parse("t.dbc", []byte(tt.text))
			if db != nil || err == nil || err.Error() != tt.want {
				t.Errorf("error %v\nwant  %s", err, tt.want)
			}
		})
	}
}

func TestDiagnostics(t *testing.T) {
	const bo = "BO_ 1 M: 8 X\n"
	plain := sg("A : 0|8@1+ (1,0)")
	plain2 := sg("B : 8|8@1+ (1,0)")
	mux := sg("Mux M : 0|8@1+ (1,0)")
	const runsOut = "; correct the start bit, the length or the byte order"
	tests := []struct {
		name, text, want string
		refused          string // names of the signals refused
	}{
		{"clean", bo + plain, "", ""},
		{"length 0", bo + sg("A : 0|0@1+ (1,0)"), "t.dbc:2:2: signal A has a length of 0 bits; it must be 1 to 64", "A"},
		{"length 65", bo + sg("A : 0|65@1+ (1,0)"), "t.dbc:2:2: signal A has a length of 65 bits; it must be 1 to 64", "A"},
		{"start past 511", bo + sg("A : 18446744073709551615|1@1+ (1,0)"), "t.dbc:2:2: signal A starts at bit 18446744073709551615; a CAN frame has bits 0 to 511", "A"},
		{"little-endian runs out", bo + sg("A : 57|8@1+ (1,0)"), "t.dbc:2:2: signal A (57|8) runs out of message M, which has 8 bytes" + runsOut, "A"},
		{"big-endian runs out", bo + sg("A : 56|8@0+ (1,0)"), "t.dbc:2:2: signal A (56|8) runs out of message M, which has 8 bytes" + runsOut, "A"},
		{"start past 255 in FD", "BO_ 1 M: 64 X\n" + sg("A : 504|8@1+ (1,0)"), "", ""},
		{"factor 0", bo + sg("A : 0|8@1+ (0,0)"), "t.dbc:2:2: signal A has the factor 0, so every raw value is the same; correct the factor", "A"},
		{"signal twice", bo + plain + plain, "t.dbc:3:2: signal A is defined a second time in message M (first at line 2); rename one of them", "A"},
		{"float of 16 bits", bo + sg("A : 0|16@1+ (1,0)") + "SIG_VALTYPE_ 1 A : 1;\n", "t.dbc:3:1: signal A is a float of 32 bits by SIG_VALTYPE_ and has 16 bits; correct one of them", "A"},
		{"double of 32 bits", bo + sg("A : 0|32@1+ (1,0)") + "SIG_VALTYPE_ 1 A : 2;\n", "t.dbc:3:1: signal A is a float of 64 bits by SIG_VALTYPE_ and has 32 bits; correct one of them", "A"},
		{"value type of nothing", bo + plain + "SIG_VALTYPE_ 2 A : 1;\n", "t.dbc:3:1: SIG_VALTYPE_ is for message id 2, which the file does not define; correct the id or delete the line", ""},
		{"values of nothing", bo + plain + "VAL_ 1 B 0 \"x\" ;\n", "t.dbc:3:1: VAL_ is for signal B, which message M does not have; correct the name or delete the line", ""},
		{"value twice", bo + plain + "VAL_ 1 A 0 \"x\" 0 \"y\" ;\n", `t.dbc:3:16: VAL_ of signal A names 0 twice, "x" and "y"; the first is kept`, ""},
		{"value no whole number", bo + plain + "VAL_ 1 A 0.5 \"x\" ;\n", `t.dbc:3:10: VAL_ of signal A names 0.5, which is no whole number that can be kept exactly; the name "x" is left out`, ""},
		{"no multiplexer", bo + sg("A m0 : 0|8@1+ (1,0)"), "t.dbc:2:2: signal A is multiplexed and message M has no multiplexer; mark the multiplexer with M", "A"},
		{"two multiplexers", bo + mux + sg("N M : 8|8@1+ (1,0)") + sg("A m0 : 16|8@1+ (1,0)"), "t.dbc:4:2: signal A is multiplexed and message M has 2 multiplexers; add its SG_MUL_VAL_, which names one", "A"},
		{"float multiplexer", bo + sg("Mux M : 0|32@1- (1,0)") + sg("A m0 : 32|8@1+ (1,0)") + "SIG_VALTYPE_ 1 Mux : 1;\n", "t.dbc:3:2: signal A is multiplexed by Mux, which is a float; a multiplexer is a whole number", "A"},
		{"extended ranges", bo + mux + sg("A m0 : 8|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A Mux 0-3, 5-5;\n", "", ""},
		{"extended that is simple", bo + mux + sg("A m3 : 8|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A Mux 3-3;\n", "", ""},
		{"extended not complete", bo + mux + sg("A m3 : 8|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A;\n", "t.dbc:4:1: signal A has a SG_MUL_VAL_ that is not complete; write SG_MUL_VAL_ id signal multiplexer first-last;", "A"},
		{"objects of a comment on a line of their own", bo + plain + "CM_\nSG_ 1 A \"x\";\nCM_\nBO_ 1 \"x\";\n", "", ""},
		{"id twice", bo + "BO_ 1 N: 8 X\n", "t.dbc:2:1: message N has the id of message M (t.dbc:1:1) and is left out; delete one of them", ""},
		{"name twice", bo + "BO_ 2 M: 8 X\n", "t.dbc:2:1: message M is defined a second time (first at t.dbc:1:1), and its name finds the first one; rename one of them", ""},
		{"id of no frame", "BO_ 1075054137 M: 8 X\n" + plain + "VAL_ 1075054137 A 0 \"x\" ;\nSIG_VALTYPE_ 1075054137 A : 1;\nSG_MUL_VAL_ 1075054137 A A 0-0;\n", "t.dbc:1:5: message M has the id 1075054137, which no frame can have (29 bits at most, beside bit 31); the message is left out", ""},
		{"unknown keyword", "FOO_ 1;\nBAR_ 3 \"x;\nBO_ 2 N: 8 X\"\n" + bo + plain, "t.dbc:1:1: FOO_ is no section of a DBC; it is passed over, and nothing that it may say about messages and signals is used\nt.dbc:2:1: BAR_ is no section of a DBC; it is passed over, and nothing that it may say about messages and signals is used", ""},
		{"table unknown", bo + plain + "VAL_ 1 A Tab ;\n", "t.dbc:3:10: VAL_ of signal A takes its names from the table Tab, which the file does not define; the signal's values have no names", ""},
		{"comment without its signal", bo + plain + "CM_ SG_ 1 \"x\";\n", `t.dbc:3:11: expected the signal's name, found the text "x"; names have letters, digits and _; the comment is left out; decoding does not need it`, ""},
		{"values cut", bo + plain + "VAL_ 1 A 0 \"x\" 1 ;\n", `t.dbc:3:18: expected the value's name in quotes, found ";"; correct the definition here or just before; these names of values are left out; the signal is decoded all the same`, ""},
		{"value type unknown", bo + plain + "SIG_VALTYPE_ 1 A : 3;\n", "t.dbc:3:20: signal A has the value type 3 by SIG_VALTYPE_; known are 0 integer, 1 float of 32 bits and 2 float of 64 bits", "A"},
		{"choice out of range", bo + "BA_DEF_ BO_ \"VFrameFormat\" ENUM \"a\",\"b\";\nBA_ \"VFrameFormat\" BO_ 1 7;\n", `t.dbc:3:26: BA_ gives VFrameFormat "7", which is not one of its 2 choices; the value is left out`, ""},
		{"cycle of text", bo + "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 0;\nBA_ \"GenMsgCycleTime\" BO_ 1 \"x\";\n", `t.dbc:3:29: BA_ gives GenMsgCycleTime the text "x", which does not fit its type INT; the value is left out`, ""},
		{"bare m", bo + mux + sg("A m : 8|8@1+ (1,0)"), "t.dbc:3:2: signal A is multiplexed by an m without a number; write the number, or add its SG_MUL_VAL_", "A"},
		{"multiplexed by itself", bo + sg("A m0M : 8|8@1+ (1,0)"), "t.dbc:2:2: signal A is multiplexed by itself; mark its multiplexer with M", "A"},
		{"in a circle", bo + sg("A m0M : 0|8@1+ (1,0)") + sg("B m0M : 8|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A B 0-0;\nSG_MUL_VAL_ 1 B A 0-0;\n", "t.dbc:2:2: signal A is multiplexed in a circle, or through more than 64 multiplexers; correct its SG_MUL_VAL_\nt.dbc:3:2: signal B is multiplexed by A, which is refused; correct A first", "A B"},
		{"two selectors", bo + mux + sg("N M : 8|8@1+ (1,0)") + sg("A m0 : 16|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A Mux 0-0;\nSG_MUL_VAL_ 1 A N 0-0;\n", "t.dbc:6:1: signal A has two multiplexers, Mux and N; delete one of the SG_MUL_VAL_", "A"},
		{"selector unknown", bo + mux + sg("A m0 : 16|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A No 0-0;\n", "t.dbc:4:1: SG_MUL_VAL_ of signal A names the multiplexer No, which message M does not have; correct the name", "A"},
		{"selector is none", bo + mux + plain2 + sg("A m0 : 16|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A B 0-0;\n", "t.dbc:5:1: signal A is multiplexed by B, which is no multiplexer; mark B with M", "A"},
		{"range for a plain signal", bo + mux + plain2 + "SG_MUL_VAL_ 1 B Mux 0-0;\n", "t.dbc:4:1: signal B has a SG_MUL_VAL_ and no m on its SG_ line; write m and a number there, or delete the line", "B"},
		{"range backwards", bo + mux + sg("A m0 : 16|8@1+ (1,0)") + "SG_MUL_VAL_ 1 A Mux 3-1;\n", "t.dbc:4:1: signal A has a SG_MUL_VAL_ that is not complete; write SG_MUL_VAL_ id signal multiplexer first-last;", "A"},
		{"cycle of an unknown message", bo + "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 1;\nBA_ \"GenMsgCycleTime\" BO_ 2 5;\n", `t.dbc:3:1: BA_ GenMsgCycleTime is for message id 2, which the file does not define; correct the id or delete the line`, ""},
		{"cycle negative", bo + "BA_DEF_ BO_ \"GenMsgCycleTime\" INT 0 1;\nBA_ \"GenMsgCycleTime\" BO_ 1 -5;\n", "t.dbc:3:1: GenMsgCycleTime of -5 ms is no cycle time; it is taken as unknown", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, err := Parse("t.dbc", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range db.Diagnostics {
				got = append(got, d.Error())
			}
			if strings.Join(got, "\n") != tt.want {
				t.Errorf("diagnostics %s\nwant        %s", strings.Join(got, "\n"), tt.want)
			}
			var refused []string
			for _, m := range db.Messages {
				for _, s := range m.Signals {
					if _, err := m.Field(s); (err != nil) != (s.Refused != "") && m.Signal(s.Name) == s {
						t.Errorf("signal %s: Field says %v, Refused %q", s.Name, err, s.Refused)
					}
					if s.Refused != "" {
						refused = append(refused, s.Name)
					}
				}
			}
			if strings.Join(refused, " ") != tt.refused {
				t.Errorf("refused %q, want %q", refused, tt.refused)
			}
		})
	}
}

// FuzzParse: no text makes Parse panic, and whatever it accepts can be compiled
// and decoded.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("BO_ 1 M: 8 X\n SG_ Mux M : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ A m3 : 8|8@1+ (1,0) [0|0] \"\" X\nSG_MUL_VAL_ 1 A Mux 3-3;\n"))
	f.Add([]byte(muxed))
	f.Add([]byte("VAL_TABLE_ T 0 \"off\" ;\nBO_ 2048 1M: 8 X // c\nSG_ A m : 0|8@1- (+1,.5) [0|0] \"\"\nVAL_ 2048 A T\nBA_ \"GenMsgCycleTime\" BO_ 2048 7;\nCM_ \"x\";\n"))
	f.Add([]byte("FOO_ 1;\nBO_ 1 M: 8 X\nVAL_ 1 A 0 \"\xB0\" ;"))
	f.Fuzz(func(t *testing.T, text []byte) {
		db, err := Parse("f.dbc", text)
		if err != nil {
			if _, ok := err.(Diagnostic); !ok {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		data := make([]byte, 64)
		for _, m := range db.Messages {
			for _, s := range m.Signals {
				field, err := m.Field(s)
				if (err != nil) != (s.Refused != "") {
					t.Fatalf("%s: Field says %v, Refused %q", s.Name, err, s.Refused)
				}
				if err != nil {
					continue
				}
				raw, ok := field.Raw(data[:min(m.Length, 64)])
				if !ok && !s.Multiplexed {
					t.Fatalf("%s is absent from a whole frame", s.Name)
				}
				field.InRange(field.Physical(raw))
			}
		}
	})
}
