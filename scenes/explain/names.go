package explain

import (
	"strings"
	"unicode"
)

// leaves are plain names of what VSS 6.0 calls things, by the last parts of
// the path; the longest that fits is taken.
var leaves = map[string]phrase{
	"Vehicle.Speed":                                {"the speed", "车速"},
	"Vehicle.AverageSpeed":                         {"the average speed", "平均车速"},
	"LowVoltageSystemState":                        {"the ignition", "电源状态"},
	"AmbientAirTemperature":                        {"the temperature in the cabin", "车内温度"},
	"Exterior.AirTemperature":                      {"the temperature outside", "车外温度"},
	"HVAC.Station.Temperature":                     {"the set temperature", "空调温度"},
	"FanSpeed":                                     {"the fan", "风量"},
	"AirDistribution":                              {"the air distribution", "出风方向"},
	"IsAirConditioningActive":                      {"the air conditioning", "空调"},
	"StateOfCharge.Current":                        {"the battery's charge", "电池电量"},
	"TractionBattery.Range":                        {"the range", "续航里程"},
	"SelectedGear":                                 {"the selected gear", "挡位"},
	"PerformanceMode":                              {"the drive mode", "驾驶模式"},
	"OccupancyStatus":                              {"the seat's occupancy", "座椅占用状态"},
	"IsBelted":                                     {"the seat belt", "安全带"},
	"IsOccupied":                                   {"the seat's occupancy", "座椅占用状态"},
	"HeatingCooling":                               {"the seat heating", "座椅加热"},
	"Massage":                                      {"the seat massage", "座椅按摩"},
	"Door.IsOpen":                                  {"the door", "车门"},
	"IsLocked":                                     {"the lock", "门锁"},
	"Window.Position":                              {"the window", "车窗"},
	"Sunroof.Position":                             {"the sunroof", "天窗"},
	"Shade.Position":                               {"the shade", "遮阳帘"},
	"AmbientLight.Intensity":                       {"the ambient light", "氛围灯亮度"},
	"AmbientLight.Color":                           {"the colour of the ambient light", "氛围灯颜色"},
	"Raindetection.Intensity":                      {"the rain", "雨量"},
	"Lights.Beam.Low.IsOn":                         {"the low beam", "近光灯"},
	"Media.Volume":                                 {"the volume", "音量"},
	"SteeringWheel.HeatingCooling":                 {"the steering wheel heating", "方向盘加热"},
	"Accelerator.PedalPosition":                    {"the accelerator pedal", "油门踏板"},
	"Brake.PedalPosition":                          {"the brake pedal", "制动踏板"},
	"ParkingBrake.IsEngaged":                       {"the parking brake", "驻车制动"},
	"Charging.IsCharging":                          {"charging", "充电状态"},
	"Charging.ChargeLimit":                         {"the charge limit", "充电上限"},
	"Mirrors.IsFolded":                             {"the mirror", "后视镜"},
	"TripMeterReading":                             {"the trip meter", "里程"},
	"TraveledDistance":                             {"the distance travelled", "总里程"},
	"Vehicle.Cabin.Infotainment.HMI.DayNightMode":  {"the display's day or night mode", "显示屏日夜模式"},
	"Vehicle.Cabin.Infotainment.HMI.Brightness":    {"the display's brightness", "显示屏亮度"},
	"Vehicle.Powertrain.ElectricMotor.Temperature": {"the motor's temperature", "电机温度"},
}

// places say which of several things is meant, in the order in which they are
// said.
var places = []struct {
	part string
	name phrase
}{
	{"Row1", phrase{"front", "前排"}}, {"Row2", phrase{"second row", "第二排"}}, {"Row3", phrase{"third row", "第三排"}},
	{"Driver", phrase{"driver", "驾驶员侧"}}, {"DriverSide", phrase{"driver's side", "驾驶员侧"}},
	{"Passenger", phrase{"passenger", "副驾侧"}}, {"PassengerSide", phrase{"passenger's side", "副驾侧"}},
	{"Middle", phrase{"middle", "中间"}}, {"Left", phrase{"left", "左侧"}}, {"Right", phrase{"right", "右侧"}},
	{"Front", phrase{"front", "前部"}}, {"Rear", phrase{"rear", "后部"}},
}

// signal is a plain name of a VSS path: a known one, or the last part's words.
func (l Language) signal(path string) string {
	parts := strings.Split(path, ".")
	var where, what []string
	for _, part := range parts {
		if i := placeOf(part); i >= 0 {
			where = append(where, places[i].name[l])
		} else {
			what = append(what, part)
		}
	}
	name := leaf(what, l)
	if len(where) == 0 {
		return name
	}
	if l == Chinese {
		return strings.Join(where, "") + name
	}
	return name + " (" + strings.Join(where, ", ") + ")"
}

func placeOf(part string) int {
	for i := range places {
		if places[i].part == part {
			return i
		}
	}
	return -1
}

// leaf names what a path without its places means.
func leaf(parts []string, l Language) string {
	for from := range parts {
		if p, ok := leaves[strings.Join(parts[from:], ".")]; ok {
			return p[l]
		}
		// Stations, rows and the like stand between a branch and its leaf.
		if p, ok := leaves[parts[from]+"."+parts[len(parts)-1]]; ok && from < len(parts)-1 {
			return p[l]
		}
	}
	return words(parts[len(parts)-1])
}

// words parts CamelCase: BrakePedal is brake pedal, HVACState HVAC state.
func words(s string) string {
	var b strings.Builder
	letters := []rune(s)
	for i, r := range letters {
		lowerNext := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if unicode.IsUpper(r) && i > 0 && (unicode.IsLower(letters[i-1]) || lowerNext) {
			b.WriteByte(' ')
		}
		if unicode.IsUpper(r) && (lowerNext || i > 0 && unicode.IsLower(letters[i-1])) {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return strings.ReplaceAll(b.String(), "_", " ")
}

// actions are the plain names of actions that profiles commonly offer.
var actions = map[string]phrase{
	"notify":   {"shows a message", "显示消息"},
	"show_tip": {"shows a tip", "显示提示"},
	"note":     {"shows a note", "显示提示"},
	"speak":    {"says", "语音播报"},
}

func (l Language) action(name string) string {
	if p, ok := actions[name]; ok {
		return p[l]
	}
	return words(name)
}

// symbols are how units are written after a number, where that is not VSS's name.
var symbols = map[string]string{"Celsius": "°C", "Fahrenheit": "°F", "kelvin": "K", "percent": "%", "degrees": "°", "ratio": "", "permille": "‰"}

// withUnit writes a number with its unit.
func withUnit(number, unit string) string {
	if s, ok := symbols[unit]; ok {
		unit = s
	}
	switch unit {
	case "", "°":
		return number + unit
	}
	return number + " " + unit
}

// gears are the numbers that VSS 6.0 gives to gears.
var gears = map[string]phrase{"126": {"park", "驻车挡"}, "127": {"drive", "前进挡"}, "0": {"neutral", "空挡"}, "-1": {"reverse", "倒挡"}}

// booleans are what true and false mean of a path's last part.
var booleans = map[string][2]phrase{
	"IsOpen":   {{"open", "打开"}, {"closed", "关闭"}},
	"IsLocked": {{"locked", "锁定"}, {"unlocked", "解锁"}},
	"IsBelted": {{"fastened", "系好"}, {"unfastened", "未系"}},
	"IsFolded": {{"folded", "折叠"}, {"unfolded", "展开"}},
}

func (l Language) boolean(path, text string) string {
	words, ok := booleans[path[strings.LastIndexByte(path, '.')+1:]]
	if !ok {
		words = [2]phrase{sayTrue, sayFalse}
	}
	if text == "true" {
		return words[0][l]
	}
	return words[1][l]
}

// value writes a value of a signal or actuator with its unit.
func (l Language) value(path, text, unit string) string {
	switch {
	case text == "true" || text == "false":
		return l.boolean(path, text)
	case strings.HasSuffix(path, "SelectedGear"):
		if p, ok := gears[text]; ok {
			return p[l]
		}
	}
	return withUnit(oneLine(text), unit)
}

// Name is a plain name of a VSS path or of an action.
func (l Language) Name(of string) string {
	if strings.Contains(of, ".") {
		return l.signal(of)
	}
	return l.action(of)
}

// State is the plain name of a drive state.
func (l Language) State(name string) string { return l.state(name) }
