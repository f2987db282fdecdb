//go:build oracle

package scenes

import (
	"testing"

	"vignette/testdata/oracle"
)

// The profile that docs/scene-cards.md shows, over the DBC that its signal
// names come from. It shows two signals out of many, so the two others that it
// refers to are missing, and nothing else is wrong.
func TestExampleProfile(t *testing.T) {
	open := func(string) ([]byte, error) {
		return load(oracle.Data(t, "dbc", "opendbc", "tesla_powertrain.dbc"), maxDBCBytes)
	}
	_, err := parseVehicle("example.yaml", []byte(read(t, "example.yaml")), open)
	checkDiagnostics(t, err,
		"example.yaml:10:15: `Vehicle.LowVoltageSystemState` is not a signal of the vehicle profile; add it there, or name another\n"+
			"example.yaml:20:25: `Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed` is not a signal of the vehicle profile; add it there, or name another")
}
