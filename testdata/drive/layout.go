package drive

import (
	"fmt"

	"go.einride.tech/can/pkg/dbc"
)

// layout is one message as its DBC describes it.
type layout struct {
	channel  string // candump's interface name
	id       uint32
	name     string
	extended bool
	fd       bool
	size     int
	cycleMS  int64 // 0: sent on change only
	onChange bool
	signals  []dbc.SignalDef
	floats   map[dbc.Identifier]bool // IEEE 754 single precision
}

// readLayouts reads the messages of one DBC in the order of the file.
func readLayouts(channel, file string, text []byte) ([]*layout, error) {
	parser := dbc.NewParser(file, text)
	if err := parser.Parse(); err != nil {
		return nil, fmt.Errorf("reading the demonstration car's DBC: %w", err)
	}
	var all []*layout
	byID := map[dbc.MessageID]*layout{}
	for _, def := range parser.Defs() {
		switch d := def.(type) {
		case *dbc.MessageDef:
			l := &layout{channel: channel, id: d.MessageID.ToCAN(), name: string(d.Name), extended: d.MessageID.IsExtended(),
				size: int(d.Size), signals: d.Signals, floats: map[dbc.Identifier]bool{}}
			byID[d.MessageID] = l
			all = append(all, l)
		case *dbc.SignalValueTypeDef:
			l := byID[d.MessageID]
			if l == nil || d.SignalValueType != dbc.SignalValueTypeFloat32 {
				return nil, fmt.Errorf("%v: signal type of %s: only single floats of messages defined above are known here", d.Pos, d.SignalName)
			}
			l.floats[d.SignalName] = true
		case *dbc.AttributeValueForObjectDef:
			if l := byID[d.MessageID]; l != nil {
				l.attribute(d)
			}
		}
	}
	return all, nil
}

// attribute takes over the attributes that shape the traffic.
func (l *layout) attribute(d *dbc.AttributeValueForObjectDef) {
	switch d.AttributeName {
	case "GenMsgCycleTime":
		l.cycleMS = d.IntValue
	case "GenMsgSendType":
		l.onChange = d.StringValue != "Cyclic"
	case "VFrameFormat":
		l.fd = d.StringValue == "StandardCAN_FD" || d.StringValue == "ExtendedCAN_FD"
	}
}
