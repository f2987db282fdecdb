package drive

// The functions of this file turn the state of the car into the physical
// values of the signals, by the names in the DBCs.

func (c *car) showMotion() {
	noise := int64(0)
	if c.speed != 0 {
		noise = c.rng.noise(12)
	}
	c.set("VehicleSpeed", c.speed*36+noise*100, 10_000)
	c.set("LongAccel", c.accel+c.rng.noise(60), 1000)
	c.set("LatAccel", c.speed*c.yawMilli()/57_296+c.rng.noise(50), 1000)
	c.set("YawRate", c.yawMilli()+c.rng.noise(120), 1000)
	for i, q := range []string{"FL", "FR", "RL", "RR"} {
		side := int64(1 - 2*(i%2)) // left wheels run slower in a left turn
		wheel := abs(c.speed) - side*c.yawMilli()*13/1_000
		if c.speed == 0 {
			wheel = 0
		} else {
			wheel += c.rng.noise(15)
		}
		c.set("WheelSpeed"+q, max(wheel, 0)*36, 10_000)
	}
	angle := steering.fine(c.ms)
	c.set("SteeringRate", (angle-c.lastSteering)/tickMS, 1) // 1e-3 degrees a ms are degrees/s
	c.lastSteering = angle
	c.set("SteeringAngle", angle+c.rng.noise(200), 1000)
	c.flag("HandsOn", c.values["SeatDriver"] == 1 && (c.speed != 0 || angle != 0))
	c.showPedals()
}

// showPedals works back from the force to the feet: up to 1.5 m/s² of braking
// comes from the motor.
func (c *car) showPedals() {
	accelerator, brake := int64(0), int64(0)
	if c.speed != 0 || c.accel != 0 {
		accelerator = clamp(c.accel/35+c.speed/1_100, 0, 100)
		brake = clamp((-c.accel-1_500)/25, 0, 100)
		if c.speed < 0 {
			accelerator, brake = clamp(-c.accel/35, 0, 100), clamp(c.accel/30, 0, 100)
		}
	} else if gear.stepped(c.ms) != gearP || on(c.ms, braking...) {
		brake = 22
	}
	if on(c.ms, braking...) {
		brake = max(brake, 30)
	}
	if accelerator > 0 {
		accelerator = clamp(2*accelerator+c.rng.noise(1), 1, 200)
	}
	if brake > 0 {
		brake = clamp(2*brake+c.rng.noise(1), 1, 200)
	}
	c.set("AccelPedal", accelerator, 2)
	c.set("BrakePedal", brake, 2)
	c.flag("BrakeLight", brake > 0 || c.accel < -1_000)
	c.flag("EmergencyBraking", false)
	c.flag("ParkingBrake", gear.stepped(c.ms) == gearP)
}

func (c *car) showPowertrain() {
	state := power.stepped(c.ms)
	c.set("PowerState", state, 1)
	c.flag("ReadyToDrive", state == powerOn)
	volts, amps := int64(124), int64(-28)
	if c.awake() {
		volts, amps = 141+c.rng.noise(1), 65+c.rng.noise(20)
	}
	c.set("LvVoltage", volts, 10)
	c.set("LvCurrent", amps, 10)
	c.set("SelectedGear", gear.stepped(c.ms), 1)
	c.flag("ParkLock", gear.stepped(c.ms) == gearP)
	c.set("TransTemp", (c.motor*8/10+outside.straight(c.ms)*200)/1000, 1000)
	c.set("MotorTorque", c.force*wheelUM/1000/gearRatio+c.rng.noise(800), 1000)
	rpm := c.speed * 60 * gearRatio * 1000 / (wheelUM * 6283 / 1000)
	c.set("MotorSpeed", rpm, 1)
	c.set("MotorPower", c.force*c.speed/1000, 1000)
	c.set("MotorTemp", c.motor/1000, 1000)
	c.set("InverterTemp", c.inverter/1000, 1000)
	c.set("DriveMode", driveMode.stepped(c.ms), 1)
	c.set("RegenLevel", 2-driveMode.stepped(c.ms)%2, 1)
	c.showTrip()
}

func (c *car) showTrip() {
	metres := c.travelled / 1000
	c.set("Odometer", c.odometer+metres, 1)
	c.set("TripDistance", metres/10*10, 1)
	average := int64(0) // 1/1000 mph
	if c.movingMS > 0 {
		average = c.travelled * 2_237 / c.movingMS
	}
	c.set("AverageSpeed", average, 1000)
}

func (c *car) showBattery() {
	left := startMJ - c.drawn
	milli := left / (packMJ / 100_000) // 1/1000 percent
	volts := 3_300 + milli/100 - c.watts/4_000 + c.rng.noise(2)
	c.set("PackVoltage", volts, 10)
	c.set("PackCurrent", -c.watts*100/volts, 10)
	c.set("MaxDischargePower", 1_400+milli/100, 10)
	c.set("Isolation", 5_200+c.rng.noise(40), 1)
	c.set("PackPower", -c.watts*10+c.rng.noise(900), 10)
	c.set("PackEnergy", left/36_000, 100_000)
	c.set("SocActual", milli, 1000)
	c.set("SocDisplayed", milli*104/100-1_200, 1000)
	c.set("StateOfHealth", 965, 10)
	c.flag("IsCharging", false)
	c.flag("CableConnected", false)
	c.flag("ContactorsClosed", on(c.ms, [2]int64{7_600, 633_000}))
	c.set("Range", milli*365/100/100*100, 1) // 365 km with a full battery, in hundreds of metres
	c.showCells(milli)
}

func (c *car) showCells(milli int64) {
	cell := 3_440 + milli/500 - c.watts/1_500
	c.set("CellVoltMax", cell+4+c.rng.upTo(2), 1000)
	c.set("CellVoltMin", cell-7-c.rng.upTo(2), 1000)
	c.set("CellIdMax", 41, 1)
	c.set("CellIdMin", 87, 1)
	c.set("CellTempMax", c.pack/1000+1_600, 1000)
	c.set("CellTempMin", c.pack/1000-1_200, 1000)
	c.set("CellTempAvg", c.pack/1000, 1000)
	c.set("RecuperatedEnergy", 1_204_318+c.recovered/3_600_000, 1000)
	c.set("DcdcTemp", c.inverter/1000+2_000, 1000)
	c.set("DcdcLoss", 48+c.rng.noise(3), 1)
	c.set("BalancingMask", 0, 1)
	if c.speed == 0 {
		c.set("BalancingMask", 0x0041_0204, 1)
	}
}

func (c *car) showPosition() {
	// One degree of latitude is 111 132 m, one of longitude 94 370 m at the
	// start; 1e-7 degrees.
	c.set("Latitude", -319_511_840+c.northMM*10_000/111_132+c.rng.noise(6), 10_000_000)
	c.set("Longitude", 1_158_604_920+c.eastMM*10_000/94_370+c.rng.noise(6), 10_000_000)
	c.set("Heading", c.headingE6/10_000, 100)
	c.set("Altitude", 22_000+c.travelled/40_000+c.rng.noise(300), 1000)
	c.set("HorizontalAccuracy", 180+c.rng.upTo(60), 100)
	c.set("Satellites", 11+c.rng.upTo(2), 1)
	fix := int64(3)
	if c.ms < 9_000 {
		fix = 0
	} else if c.ms < 12_000 {
		fix = 2
	}
	c.set("FixType", fix, 1)
}

func (c *car) showTyres() {
	for i, q := range []string{"FL", "FR", "RL", "RR"} {
		c.set("TyrePressure"+q, 250_000+int64(i)*1_700+(c.tyre-33_000_000)/1_000, 1000)
		c.set("TyreTemp"+q, c.tyre/1000-int64(i)*400, 1000)
	}
}

func (c *car) showBody() {
	ms := c.ms
	c.flag("DoorDriver", on(ms, doorDriver...))
	c.flag("DoorPassenger", on(ms, doorPassenger...))
	c.flag("DoorRearLeft", on(ms, doorRearLeft...))
	c.flag("DoorRearRight", false)
	c.flag("TrunkOpen", on(ms, trunk...))
	c.flag("HoodOpen", false)
	c.flag("LockDriver", on(ms, locked...))
	c.flag("LockPassenger", on(ms, locked...))
	c.flag("BeltDriver", on(ms, beltDriver...))
	c.flag("BeltPassenger", on(ms, beltPassenger...))
	c.flag("BeltRearLeft", false)
	c.flag("BeltRearMiddle", false)
	c.flag("BeltRearRight", false)
	c.flag("SeatDriver", on(ms, inDriverSeat...))
	c.flag("SeatPassenger", on(ms, inPassengerSeat...))
	c.showLights()
	c.showWeather()
	c.showWiper()
	c.set("WindowDriver", winDriver.straight(ms), 1)
	c.set("WindowPassenger", 0, 1)
	c.set("WindowRearLeft", 0, 1)
	c.set("WindowRearRight", 0, 1)
}

func (c *car) showLights() {
	ms, awake := c.ms, power.stepped(c.ms) == powerOn
	light := daylight.straight(ms)
	if light < 400 {
		c.lowBeam = true
	} else if light > 500 {
		c.lowBeam = false
	}
	c.set("LightSwitch", 3, 1)
	c.flag("LowBeam", awake && c.lowBeam)
	c.flag("HighBeam", awake && on(ms, highBeam...))
	c.flag("RunningLight", awake && !c.lowBeam)
	c.flag("FogRear", awake && rain.straight(ms) > 65)
	c.flag("IndicatorLeft", awake && on(ms, indicatorLeft...))
	c.flag("IndicatorRight", awake && on(ms, indicatorRight...))
	c.flag("Hazard", on(ms, hazard...))
	c.flag("BackupLight", gear.stepped(ms) == gearR)
	c.flag("PlateLight", awake && c.lowBeam)
	c.set("PerceivedLight", clamp(light*7/100+c.rng.noise(1), 0, 100), 1)
}

func (c *car) showWeather() {
	wet := rain.straight(c.ms)
	if wet > 0 {
		wet = clamp(wet+c.rng.noise(2), 0, 100)
	}
	c.set("RainIntensity", wet, 1)
	c.set("LightIntensity", clamp(daylight.straight(c.ms)+c.rng.noise(6), 0, 1000), 10)
	c.set("Humidity", humidity.straight(c.ms)/5*5, 10)
	fahrenheit := outside.straight(c.ms)*9/5 + 32_000
	c.set("OutsideTemp", fahrenheit+c.rng.noise(150), 1000)
}

func (c *car) showWiper() {
	wet := rain.straight(c.ms)
	mode, strokes := int64(0), int64(0)
	switch {
	case power.stepped(c.ms) != powerOn || wet < 8:
	case wet < 25:
		mode, strokes = 4, 12
	case wet < 55:
		mode, strokes = 1, 40
	default:
		mode, strokes = 2, 60
	}
	c.set("WiperMode", mode, 1)
	c.set("WiperFrequency", strokes, 1)
	c.flag("IsWiping", strokes > 0 && (mode != 4 || c.ms%5_000 < 1_000))
	c.flag("WasherLow", false)
	c.set("WasherLevel", 62, 1)
}

func (c *car) showClimate() {
	ms, blow := c.ms, fan.stepped(c.ms)
	c.set("FanDriver", blow, 1)
	c.set("FanPassenger", blow, 1)
	c.set("FanRearLeft", blow/2, 1)
	c.set("FanRearRight", blow/2, 1)
	for _, seat := range []string{"Driver", "Passenger", "RearLeft", "RearRight"} {
		c.set("SetTemp"+seat, setTemp.stepped(ms), 10)
	}
	c.set("AirDriver", 1, 1)
	c.set("AirPassenger", 1, 1)
	defrost := c.ac && rain.straight(ms) > 45
	if defrost {
		c.set("AirDriver", 0, 1)
	}
	c.flag("AcOn", c.ac)
	c.flag("RecircOn", c.ac && c.cabin > 33_000_000)
	c.flag("FrontDefrost", defrost)
	c.flag("RearDefrost", defrost)
	c.set("PowerOptimizeLevel", 2, 1)
	c.flag("AutoPowerOptimize", driveMode.stepped(ms) == modeEconomy)
	draw := c.climateWatts()
	c.set("CompressorPower", draw, 1)
	c.set("CompressorSpeed", draw*2, 1)
	c.showAir(draw)
}

func (c *car) showAir(draw int64) {
	duct := c.cabin/1000 - draw*6
	for i, name := range []string{"DuctTemp1", "DuctTemp2", "DuctTemp3", "DuctTemp4", "DuctTemp5", "DuctTemp6"} {
		c.set(name, duct+int64(i)*150+c.rng.noise(200), 1000)
	}
	c.set("EvaporatorTemp", duct-1_500, 1000)
	c.set("HeaterTemp", c.cabin/1000+900, 1000)
	sun := daylight.straight(c.ms)
	c.set("SunLeft", sun*9/10, 1)
	c.set("SunRight", sun*7/10, 1)
	c.set("CabinCo2", 520+c.ms/2_000+c.rng.noise(8), 1)
	c.set("CabinPm25", 64+c.rng.noise(10), 10)
	c.set("PressureHigh", 800+draw/3, 1)
	c.set("PressureLow", 420-draw/30, 1)
	c.set("BlowerVoltage", fan.stepped(c.ms)*12/10, 10)
	c.set("FilterLife", 71, 1)
	c.set("HeatDemand", clamp((22_000_000-c.cabin)/20_000, -1_000, 1_000), 10)
	c.set("CabinModelTemp", c.cabin, 1_000_000)
	c.set("CabinHumidity", humidity.straight(c.ms)*7/10, 10)
	c.set("CabinTemp", c.cabin/1000+c.rng.noise(60), 1000)
	c.set("WindscreenTemp", (c.cabin/1000+outside.straight(c.ms))/2, 1000)
}

func (c *car) showCabin() {
	ms := c.ms
	position := int64(142)
	if on(ms, [2]int64{513_700, 638_000}) {
		position = 148
	}
	c.set("DriverSeatPosition", position, 1)
	c.set("DriverSeatHeight", 46, 1)
	c.set("PassengerSeatPosition", 160, 1)
	c.set("SeatHeatDriver", seatHeat.stepped(ms), 1)
	c.set("SeatHeatPassenger", 0, 1)
	c.set("AmbientDriver", dimmer.stepped(ms), 1)
	c.set("AmbientPassenger", dimmer.stepped(ms), 1)
	doors := c.values["DoorDriver"]+c.values["DoorPassenger"]+c.values["DoorRearLeft"] > 0
	c.flag("DomeOn", doors)
	c.set("MediaVolume", volume.stepped(ms), 1)
	c.set("HmiBrightness", brightness.straight(ms), 1000)
	c.set("DisplayedSpeed", abs(c.speed)*2_282, 1_000_000) // shows 2 % more than true, in mph
	c.set("DisplayedRange", int64(c.values["Range"])/1000, 1)
	telltales := int64(0)
	for bit, name := range []string{"LowBeam", "HighBeam", "IndicatorLeft", "IndicatorRight", "ParkLock", "FogRear", "DoorDriver", "TrunkOpen"} {
		if c.values[name] == 1 {
			telltales |= 1 << bit
		}
	}
	c.set("Telltales", telltales, 1)
}
