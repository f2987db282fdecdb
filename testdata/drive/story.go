package drive

import "sort"

// point is a moment of the story: from ms on, or at ms when a course is
// followed in a straight line between points.
type point struct {
	ms    int64
	value int64
}

// course is a list of points in order of time.
type course []point

// stepped is the value of the last point at or before ms.
func (c course) stepped(ms int64) int64 {
	i := sort.Search(len(c), func(i int) bool { return c[i].ms > ms })
	if i == 0 {
		return c[0].value
	}
	return c[i-1].value
}

// straight is the value on the straight line between the points around ms.
func (c course) straight(ms int64) int64 { return c.fine(ms) / 1000 }

// fine is straight in thousandths.
func (c course) fine(ms int64) int64 {
	i := sort.Search(len(c), func(i int) bool { return c[i].ms > ms })
	if i == 0 {
		return c[0].value * 1000
	}
	if i == len(c) {
		return c[i-1].value * 1000
	}
	a, b := c[i-1], c[i]
	return a.value*1000 + (b.value-a.value)*1000*(ms-a.ms)/(b.ms-a.ms)
}

// on tells whether ms is within one of the spans; each is [from, to) in ms.
func on(ms int64, spans ...[2]int64) bool {
	for _, s := range spans {
		if ms >= s[0] && ms < s[1] {
			return true
		}
	}
	return false
}

// Raw values of PowerState, SelectedGear and DriveMode, as in the DBC's VAL_.
const (
	powerLock, powerOff, powerACC, powerOn, powerStart = 0, 1, 2, 3, 4
	gearP, gearR, gearN, gearD                         = 1, 2, 3, 4
	modeNormal, modeSport, modeEconomy                 = 0, 1, 2
)

var (
	power = course{{0, powerLock}, {2_000, powerOff}, {4_000, powerACC}, {7_000, powerStart}, {7_800, powerOn}, {632_000, powerOff}, {646_000, powerLock}}
	gear  = course{{0, gearP}, {25_000, gearR}, {30_500, gearD}, {110_600, gearP}, {123_000, gearD}, {470_000, gearP}, {528_000, gearD}, {615_000, gearP}}

	// The speed that the driver wants, in km/h.
	wanted = course{{0, 0}, {26_000, -5}, {28_500, 0},
		{31_500, 48}, {39_000, 0}, {51_000, 50}, {64_000, 30}, {68_000, 45}, {78_500, 0}, {92_000, 50}, {101_000, 0},
		{124_500, 50}, {140_000, 35}, {146_000, 60}, {163_000, 0}, {175_000, 50}, {190_000, 30}, {200_000, 80},
		{206_000, 110}, {290_000, 104}, {310_000, 112}, {380_000, 108}, {430_000, 60}, {445_000, 40}, {458_000, 0},
		{530_000, 50}, {545_000, 55}, {560_000, 45}, {580_000, 50}, {602_000, 0}}

	// The steering wheel in degrees; positive is left.
	steering = course{{0, 0}, {25_500, 0}, {26_500, 180}, {28_500, 180}, {30_000, 0}, {31_500, 0}, {33_000, -90}, {35_500, 0},
		{54_000, 0}, {57_000, 50}, {60_000, 0}, {94_000, 0}, {96_500, -45}, {99_000, 0}, {126_000, 0}, {128_000, 70}, {131_000, 0},
		{192_000, 0}, {196_000, -40}, {201_000, 0}, {240_000, 2}, {270_000, -3}, {300_000, 3}, {350_000, -2}, {400_000, 0},
		{432_000, 0}, {437_000, -25}, {443_000, 0}, {456_000, 40}, {461_000, 0}, {531_000, 60}, {534_000, 0}, {547_500, 0}, {550_000, -30}, {553_000, 0},
		{598_000, 0}, {603_000, 60}, {607_000, 0}}

	rain       = course{{0, 0}, {68_000, 0}, {72_000, 15}, {80_000, 40}, {100_000, 65}, {120_000, 74}, {150_000, 60}, {210_000, 30}, {240_000, 0}}                       // percent
	daylight   = course{{0, 820}, {60_000, 790}, {75_000, 450}, {100_000, 300}, {200_000, 380}, {260_000, 450}, {330_000, 200}, {400_000, 60}, {660_000, 30}}            // per mille
	humidity   = course{{0, 380}, {66_000, 420}, {90_000, 780}, {140_000, 930}, {240_000, 860}, {400_000, 640}, {660_000, 600}}                                          // per mille
	outside    = course{{0, 31_200}, {70_000, 30_800}, {100_000, 26_500}, {150_000, 24_000}, {240_000, 21_500}, {400_000, 18_200}, {480_000, 16_400}, {660_000, 15_800}} // 1/1000 °C
	driveMode  = course{{0, modeNormal}, {58_000, modeEconomy}, {198_000, modeSport}, {432_000, modeNormal}}
	volume     = course{{0, 18}, {20_000, 19}, {20_300, 21}, {20_700, 24}, {74_000, 28}, {111_500, 12}, {126_000, 24}, {212_000, 34}, {212_400, 36}, {460_000, 22}, {624_000, 15}}
	fan        = course{{0, 0}, {4_200, 30}, {160_000, 25}, {300_000, 20}, {632_500, 0}}            // percent, as the driver set it
	setTemp    = course{{0, 225}, {188_000, 215}}                                                   // 1/10 °C
	seatHeat   = course{{0, 0}}                                                                     // percent
	dimmer     = course{{0, 40}, {330_000, 25}}                                                     // percent
	winDriver  = course{{0, 0}, {13_000, 0}, {16_000, 60}, {29_000, 60}, {32_000, 0}, {616_000, 0}} // percent open
	brightness = course{{0, 100_000}, {75_000, 80_000}, {330_000, 45_000}, {400_000, 30_000}}       // 1/1000 percent
)

var (
	doorDriver    = [][2]int64{{1_000, 5_500}, {473_000, 476_500}, {512_000, 515_500}, {636_000, 640_500}}
	doorPassenger = [][2]int64{{14_000, 18_500}, {114_500, 120_500}}
	doorRearLeft  = [][2]int64{{478_500, 482_000}}
	trunk         = [][2]int64{{486_000, 497_000}}
	locked        = [][2]int64{{0, 600}, {33_000, 111_200}, {125_000, 470_500}, {530_500, 615_500}, {645_000, 1 << 40}}

	inDriverSeat    = [][2]int64{{3_000, 474_800}, {513_700, 638_000}}
	inPassengerSeat = [][2]int64{{16_000, 118_000}}
	beltDriver      = [][2]int64{{12_000, 471_500}, {519_000, 628_000}}
	beltPassenger   = [][2]int64{{20_000, 113_000}}

	indicatorLeft  = [][2]int64{{53_000, 59_000}, {125_500, 130_500}, {203_000, 208_000}, {530_500, 534_000}, {600_000, 606_500}}
	indicatorRight = [][2]int64{{32_000, 35_000}, {93_500, 98_500}, {190_500, 200_500}, {428_000, 443_000}, {547_000, 552_500}}
	highBeam       = [][2]int64{{402_000, 428_000}, {536_000, 543_000}}
	hazard         = [][2]int64{{107_000, 121_500}}
	braking        = [][2]int64{{24_000, 25_800}, {30_100, 31_400}, {122_000, 124_400}, {527_000, 529_900}} // the foot rests on the brake while shifting
)

// Both buses are awake while the ignition is on; while the car sleeps only
// the body bus and VCU_Power are.
var powertrainAwake = [2]int64{7_000, 634_500}
