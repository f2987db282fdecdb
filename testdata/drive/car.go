package drive

// tickMS is the simulation's step in milliseconds.
const tickMS = 10

// car is the simulated car. All quantities are whole numbers; the unit stands
// at the end of the name or beside it.
type car struct {
	rng    random
	ms     int64
	values map[string]float64 // physical value by signal name

	speed, accel        int64 // mm/s, mm/s²
	speedUM             int64 // µm/s, what speed is cut from
	travelledUM         int64
	travelled, odometer int64 // mm since the start; m at the start
	headingE6           int64 // 1e-6 degrees
	east, north         int64 // unit vector of travel, 1e9 = 1
	eastMM, northMM     int64 // from the start
	lastSteering        int64 // 1/1000 degree
	force, watts        int64 // N at the wheels; W out of the battery
	drawn, recovered    int64 // mJ out of and back into the battery
	movingMS            int64

	cabin, motor, inverter, pack, tyre int64 // 1e-6 °C
	lowBeam, ac                        bool
}

const (
	packMJ    = 216_000_000_000_000 / 1000 // 60 kWh in mJ
	startMJ   = packMJ / 1000 * 2325 / 10  // 23.25 %
	massKG    = 1_930
	wheelUM   = 330_000 // radius in micrometres
	gearRatio = 9
)

func newCar() *car {
	return &car{rng: 0x5669676E65747465, values: map[string]float64{}, odometer: 18_432_119, headingE6: 90_000_000, east: 1_000_000_000,
		cabin: 38_600_000, motor: 36_000_000, inverter: 35_000_000, pack: 31_500_000, tyre: 33_000_000}
}

// set stores the physical value num/den.
func (c *car) set(name string, num, den int64) { c.values[name] = float64(num) / float64(den) }

// flag stores 1 or 0.
func (c *car) flag(name string, yes bool) {
	c.values[name] = 0
	if yes {
		c.values[name] = 1
	}
}

// awake tells whether the powertrain bus talks.
func (c *car) awake() bool { return on(c.ms, powertrainAwake) }

// step moves the car on to the time ms and writes all signals.
func (c *car) step(ms int64) {
	c.ms = ms
	c.move()
	c.consume()
	c.warm()
	c.showMotion()
	c.showPowertrain()
	c.showBattery()
	c.showPosition()
	c.showTyres()
	c.showBody()
	c.showClimate()
	c.showCabin()
}

// move follows the wanted speed within the limits of comfort.
func (c *car) move() {
	want := wanted.stepped(c.ms) * 10_000 / 36
	limit := int64(2_100)
	if c.speed > 15_000 {
		limit = 1_500
	}
	ask := clamp((want-c.speed)*8/10, -2_500, limit)
	c.accel += clamp(ask-c.accel, -40, 40) // 4 m/s³ of jerk
	c.speedUM += c.accel * tickMS
	c.speed = c.speedUM / 1000
	if want == 0 && c.speed < 120 && c.speed > -120 {
		c.speed, c.speedUM, c.accel = 0, 0, 0
	}
	c.travelledUM += abs(c.speed) * tickMS
	c.travelled = c.travelledUM / 1000
	if c.speed != 0 {
		c.movingMS += tickMS
	}
	c.turn()
}

// turn changes the course by the steering angle: 15 to 1 to the front wheels,
// 2.9 m between the axles.
func (c *car) turn() {
	turnE6 := c.yawMilli() * tickMS // 1e-3 degrees/s over 10 ms: 1e-6 degrees
	c.headingE6 = (c.headingE6 - turnE6 + 720_000_000) % 360_000_000
	rad := -turnE6 * 17_453 / 1_000 // 1e-9 radians
	e, n := c.east, c.north
	c.east += n * rad / 1_000_000_000
	c.north -= e * rad / 1_000_000_000
	square := (c.east/1000*(c.east/1000) + c.north/1000*(c.north/1000)) / 1_000 // 1e9 = 1
	scale := (3_000_000_000 - square) / 2
	c.east = c.east / 1000 * (scale / 1000) / 1000
	c.north = c.north / 1000 * (scale / 1000) / 1000
	c.eastMM += c.speed * tickMS / 1000 * (c.east / 1000) / 1_000_000
	c.northMM += c.speed * tickMS / 1000 * (c.north / 1000) / 1_000_000
}

// yawMilli is the yaw rate in 1e-3 degrees/s; positive is left.
func (c *car) yawMilli() int64 {
	return c.speed * steering.fine(c.ms) / 15 / 2_900
}

// consume balances the forces and draws the energy.
func (c *car) consume() {
	c.force = 0
	if c.speed != 0 || c.accel != 0 {
		c.force = massKG*c.accel/1000 + 190*sign(c.speed) + sign(c.speed)*c.speed*c.speed/2_500_000
	}
	mechanical := c.force * c.speed / 1000 // W
	c.watts = 0
	if c.awake() {
		c.watts = mechanical*10/9 + 520 + c.climateWatts()
		if mechanical < 0 {
			c.watts = mechanical*65/100 + 520 + c.climateWatts()
		}
	}
	c.drawn += c.watts * tickMS
	if mechanical < 0 {
		c.recovered -= mechanical * 65 / 100 * tickMS
	}
}

// climateWatts is what heating and cooling draw.
func (c *car) climateWatts() int64 {
	if !c.ac {
		return 0
	}
	return 300 + clamp((c.cabin-22_000_000)/4_000, 0, 3_200)
}

// warm lets the temperatures follow.
func (c *car) warm() {
	out := outside.straight(c.ms) * 1000
	c.ac = on(c.ms, [2]int64{7_800, 632_000})
	sun := daylight.straight(c.ms) * 9_000 // up to 7.4 °C
	target, tau := out+sun, int64(900)
	if c.ac {
		target, tau = 21_800_000+sun/6, 170
	}
	if c.values["DoorDriver"] == 1 || c.values["DoorPassenger"] == 1 {
		c.cabin += (out - c.cabin) / (120 * 100)
	}
	c.cabin += (target - c.cabin) / (tau * 100)
	c.motor += (out + abs(c.watts)*1_100 - c.motor) / 40_000
	c.inverter += (out + abs(c.watts)*700 - c.inverter) / 20_000
	c.pack += (out + abs(c.watts)*250 - c.pack) / 90_000
	c.tyre += (out + abs(c.speed)*400 - c.tyre) / 30_000
}

func clamp(v, low, high int64) int64 { return min(max(v, low), high) }

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

func sign(v int64) int64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
