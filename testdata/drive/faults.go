package drive

// span is a part of the drive, [from, to) in ms.
type span struct{ from, to int64 }

func (s span) holds(ms int64) bool { return ms >= s.from && ms < s.to }

// Faults that real cars show and a reader of CAN must survive. They are part
// of the drive and listed in README.md.
var (
	// Messages that are not sent for a while.
	missing = map[string]span{
		"HVAC_Cabin":    {90_000, 97_000},
		"RLS_RainLight": {300_000, 306_000},
	}
	// Frames with fewer bytes than the DBC says.
	short = map[string]struct {
		span
		size int
	}{
		"VCU_Trip":    {span{33_000, 37_000}, 4},
		"INV_Motor":   {span{380_000, 380_500}, 6},
		"HVAC_Status": {span{240_000, 241_000}, 48},
	}
	// Signals that say "not available" instead of a value: their raw SNA.
	unavailable = map[string]struct {
		span
		raw uint64
	}{
		"CabinTemp":     {span{57_000, 58_600}, 4095},
		"RainIntensity": {span{130_000, 130_600}, 255},
		"OutsideTemp":   {span{200_000, 203_500}, 1023},
		"SelectedGear":  {span{250_000, 250_300}, 15},
		"SocActual":     {span{270_000, 273_500}, 1023},
	}
	// Raw values outside the DBC's [min|max].
	outOfRange = map[string]struct {
		span
		raw uint64
	}{
		"LvVoltage":  {span{8_200, 8_700}, 156},
		"AccelPedal": {span{207_000, 207_600}, 201},
	}
	// Counters that stand still while their message goes on.
	frozen = map[string]span{"GearCounter": {345_000, 348_000}}
)

// rawFault returns the planted raw value of a signal at ms.
func rawFault(signal string, ms int64) (uint64, bool) {
	if f, found := unavailable[signal]; found && f.holds(ms) {
		return f.raw, true
	}
	if f, found := outOfRange[signal]; found && f.holds(ms) {
		return f.raw, true
	}
	return 0, false
}
