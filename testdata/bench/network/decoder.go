package network

import (
	"vignette/can"
	"vignette/can/dbc"
)

// Decoder decodes every signal of a database.
type Decoder struct {
	ids     can.IDs
	plans   []dbc.Plan
	samples []dbc.Sample
}

// NewDecoder makes the plans of all messages.
func NewDecoder(db *dbc.Database) (*Decoder, error) {
	d := &Decoder{}
	for _, m := range db.Messages {
		var fields []dbc.Field
		for _, s := range m.Signals {
			field, err := m.Field(s)
			if err != nil {
				return nil, err
			}
			fields = append(fields, field)
		}
		d.ids.Put(m.ID, m.Extended, len(d.plans))
		d.plans = append(d.plans, dbc.NewPlan(fields))
	}
	return d, nil
}

// Decode returns the samples of a frame, valid until the next call; none for a
// frame of no message.
func (d *Decoder) Decode(f *can.Frame) []dbc.Sample {
	n := d.ids.Find(f.ID, f.Flags&can.Extended != 0)
	if n < 0 || f.Flags&(can.Error|can.Remote) != 0 {
		return nil
	}
	d.samples = d.plans[n].Decode(f.Payload(), d.samples[:0])
	return d.samples
}
