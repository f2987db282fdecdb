package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/dbc"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

func signals(args []string, out, errs io.Writer) error {
	fs := newFlags("signals", errs, "vignette signals --vehicle F | --dbc FILE [--signal GLOB] [--format csv|jsonl] LOG", `
Decodes a recording: one line for each signal of each frame, with the columns
t (seconds), bus, message, signal, value and unit; jsonl has the raw value too.
With --vehicle the signals are the profile's VSS paths, in their VSS units and
labels; with --dbc they are the DBC's own, of every channel. A value that the
frame marks as not available is empty (null). Signals absent from a frame have
no line. Exit code 3: decoded, but the DBC has definitions that could not be
used, or LOG is damaged: all frames up to the damage were decoded.`,
		"vignette signals --dbc tesla.dbc --signal 'DI_gear' gvret.csv",
		"vignette signals --vehicle car.yaml --signal 'Vehicle.Speed' --format jsonl drive.log")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE`")
	dbcFile := fs.String("dbc", "", "DBC `FILE`")
	glob := fs.String("signal", "*", "only signals whose name matches `GLOB` (* and ?)")
	format := fs.String("format", "csv", "csv or jsonl")
	var maps listFlag
	fs.Var(&maps, "map", "with --vehicle, `CHANNEL=BUS`; may be repeated")
	if err := parse(fs, args); err != nil {
		return err
	}
	if (*vehicle == "") == (*dbcFile == "") || fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	if _, err := path.Match(*glob, ""); err != nil {
		return fmt.Errorf("--signal %q: %w", *glob, err)
	}
	form, err := parseRowForm(*format)
	if err != nil {
		return err
	}
	d := decoder{glob: *glob, form: form}
	if *vehicle != "" {
		err = d.useVehicle(*vehicle)
	} else {
		err = d.useDBC(*dbcFile, errs)
	}
	if err != nil {
		return err
	}
	log, err := canlog.Open(fs.Arg(0))
	if err != nil {
		return err
	}
	defer log.Close()
	return d.run(log, fs.Arg(0), maps, out, errs)
}

// message is one whose signals are printed.
type message struct {
	columns []column
	fields  []dbc.Field // of columns
	plan    dbc.Plan    // of fields
}

// column is one signal to print.
type column struct {
	source *scenes.Source // nil: a DBC's own signal
	middle []byte         // of its rows: from after the bus to before the value
	unit   []byte         // of its rows, quoted
}

// decoder prints the signals of a recording.
type decoder struct {
	glob     string
	form     rowForm
	vehicle  *scenes.Vehicle
	buses    [][]byte  // by bus or channel, quoted
	time     []byte    // of the frame
	ids      []can.IDs // by the profile's bus, or one for every channel; index into messages
	messages []message
	samples  []dbc.Sample
	notes    []dbc.Diagnostic // of a DBC that is usable all the same
}

func (d *decoder) wants(name string) bool {
	ok, err := path.Match(d.glob, name)
	return ok && err == nil
}

func (d *decoder) useVehicle(file string) error {
	v, err := scenes.LoadVehicle(file)
	if err != nil {
		return err
	}
	d.vehicle = v
	d.ids = make([]can.IDs, len(v.Buses))
	for i := range v.Signals {
		if s := &v.Signals[i]; d.wants(s.Path) {
			src, err := v.Source(s.Path)
			if err != nil {
				return err
			}
			d.add(src.Bus, src.Message, src.Field, d.form.column(src.Message.Name, s.Path, src.Unit, &src))
		}
	}
	return d.ready(file)
}

func (d *decoder) useDBC(file string, errs io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	db, err := dbc.Parse(file, text)
	if err != nil {
		return err
	}
	for _, diag := range db.Diagnostics {
		fmt.Fprintln(errs, "note:", diag)
	}
	d.notes = db.Diagnostics
	d.ids = make([]can.IDs, 1)
	for _, m := range db.Messages {
		for _, s := range m.Signals {
			field, err := m.Field(s)
			if err != nil || !d.wants(s.Name) {
				continue // refused signals are in the diagnostics
			}
			d.add(0, m, field, d.form.column(m.Name, s.Name, s.Unit, nil))
		}
	}
	return d.ready(file)
}

// add enters a column at its message.
func (d *decoder) add(bus int, m *dbc.Message, field dbc.Field, c column) {
	ids := &d.ids[bus]
	if ids.Find(m.ID, m.Extended) < 0 {
		ids.Put(m.ID, m.Extended, len(d.messages))
		d.messages = append(d.messages, message{})
	}
	at := &d.messages[ids.Find(m.ID, m.Extended)]
	at.columns, at.fields = append(at.columns, c), append(at.fields, field)
}

// ready makes the plans; it reports a glob that matches nothing.
func (d *decoder) ready(file string) error {
	if len(d.messages) == 0 {
		return fmt.Errorf("no signal of %s matches %q", file, d.glob)
	}
	for i := range d.messages {
		d.messages[i].plan = dbc.NewPlan(d.messages[i].fields)
	}
	return nil
}

// run decodes the recording line by line.
func (d *decoder) run(log *canlog.Log, name string, maps listFlag, out, errs io.Writer) (err error) {
	w := bufio.NewWriterSize(out, 1<<16)
	defer func() {
		if e := w.Flush(); err == nil {
			err = e
		}
	}()
	stream, report, err := d.frames(log, name, maps)
	if err != nil {
		return err
	}
	meter := newMeter(errs, "signals", log.Offset)
	defer meter.done()
	w.WriteString(d.form.head)
	var e drive.Entry
	var buf []byte
	for {
		if err := stream.Next(&e); err != nil {
			meter.done()
			report(errs)
			return cmp.Or(judgeEnd(errs, "signals", "were decoded", log), losses(d.notes))
		}
		buf = d.frame(buf[:0], &e.Frame, log)
		if _, err := w.Write(buf); err != nil {
			return err
		}
		meter.tick()
	}
}

// frames is the recording as a stream: mapped to the profile's buses, or as it is.
func (d *decoder) frames(log *canlog.Log, name string, maps listFlag) (drive.Stream, func(io.Writer), error) {
	if d.vehicle == nil {
		if len(maps) > 0 {
			return nil, nil, errors.New("--map needs --vehicle: a DBC has no buses")
		}
		return rawStream{log}, func(io.Writer) {}, nil
	}
	named, err := drive.ParseBusMap(d.vehicle, maps)
	if err != nil {
		return nil, nil, err
	}
	s := drive.NewLogStream(d.vehicle, named, []drive.Log{{Reader: log, Name: name}})
	return s, func(errs io.Writer) {
		_, left := s.Mapping()
		for _, l := range left {
			fmt.Fprintln(errs, "note:", l)
		}
	}, nil
}

// rawStream is a recording with the recorder's own channels.
type rawStream struct{ log *canlog.Log }

func (s rawStream) Next(e *drive.Entry) error {
	e.IsFrame = true
	return s.log.Read(&e.Frame)
}

// frame appends the lines of one frame.
func (d *decoder) frame(b []byte, f *can.Frame, log *canlog.Log) []byte {
	if f.Flags&(can.Error|can.Remote) != 0 {
		return b
	}
	ids := &d.ids[0]
	if d.vehicle != nil {
		ids = &d.ids[f.Bus]
	}
	n := ids.Find(f.ID, f.Flags&can.Extended != 0)
	if n < 0 {
		return b
	}
	m := &d.messages[n]
	bus := d.bus(int(f.Bus), log)
	d.time = drive.AppendTime(d.time[:0], f.Time)
	d.samples = m.plan.Decode(f.Payload(), d.samples[:0])
	for _, sample := range d.samples {
		c := &m.columns[sample.Index]
		b = append(append(b, d.form.start...), d.time...)
		b = append(append(b, d.form.bus...), bus...)
		b = append(b, c.middle...)
		b = d.form.value(b, c.value(sample))
		b = d.form.end(append(b, c.unit...), sample.Raw)
	}
	return b
}

// bus is the quoted name of a bus of the profile, or of a recorder's channel.
func (d *decoder) bus(i int, log *canlog.Log) []byte {
	for n := len(d.buses); n <= i; n++ {
		name := ""
		if d.vehicle != nil {
			name = d.vehicle.Buses[n].Name
		} else {
			name = log.Channels()[n]
		}
		d.buses = append(d.buses, d.form.text(nil, name))
	}
	return d.buses[i]
}

// value is a column's value in a frame; None if it is not available.
func (c *column) value(sample dbc.Sample) engine.Value {
	num, valid := sample.Physical, true
	if c.source != nil {
		num, valid = c.source.Convert(sample.Raw, sample.Physical)
	}
	if !valid || math.IsNaN(num) || math.IsInf(num, 0) {
		return engine.Value{}
	}
	v := engine.Value{Kind: engine.Number, Num: num}
	if c.source != nil {
		v = c.source.Value(num)
	}
	return v
}

// rowForm is how rows are written; what does not change from row to row is
// made once.
type rowForm struct {
	head, start, bus string // before all rows, before the time, before the bus
	message, signal  string // before those
	beforeValue      string
	unit             string // before the unit
	text             func(b []byte, s string) []byte
	value            func(b []byte, v engine.Value) []byte
	end              func(b []byte, raw int64) []byte
}

func parseRowForm(format string) (rowForm, error) {
	switch format {
	case "csv":
		return rowForm{"t,bus,message,signal,value,unit\n", "", ",", ",", ",", ",", ",", csvText, csvValue,
			func(b []byte, raw int64) []byte { return append(b, '\n') }}, nil
	case "jsonl":
		return rowForm{"", `{"t":"`, `","bus":`, `,"message":`, `,"signal":`, `,"value":`, `,"unit":`, drive.AppendString, jsonValue,
			func(b []byte, raw int64) []byte {
				return append(strconv.AppendInt(append(b, `,"raw":`...), raw, 10), "}\n"...)
			}}, nil
	}
	return rowForm{}, fmt.Errorf("unknown format %q; use csv or jsonl", format)
}

// column makes a signal's column with the constant parts of its rows.
func (r *rowForm) column(message, name, unit string, source *scenes.Source) column {
	c := column{source: source}
	c.middle = r.text(append(c.middle, r.message...), message)
	c.middle = r.text(append(c.middle, r.signal...), name)
	c.middle = append(c.middle, r.beforeValue...)
	c.unit = r.text(append(c.unit, r.unit...), unit)
	return c
}

func csvValue(b []byte, v engine.Value) []byte {
	switch v.Kind {
	case engine.None:
		return b
	case engine.Label:
		return csvText(b, v.Text)
	}
	return drive.AppendValue(b, v)
}

// csvText appends a field as RFC 4180 quotes it.
func csvText(b []byte, s string) []byte {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(s, `"`, `""`)...), '"')
}

func jsonValue(b []byte, v engine.Value) []byte {
	if v.Kind == engine.None {
		return append(b, "null"...)
	}
	return drive.AppendValue(b, v)
}
