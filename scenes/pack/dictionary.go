package pack

// Dictionary is what cards and manifests are made of, the most usual last. It
// belongs to the version byte: another dictionary needs another one.
const Dictionary = `Vehicle.Exterior.LightIntensity
Vehicle.Body.Raindetection.Intensity
Vehicle.Body.Trunk.Rear.IsOpen
Vehicle.Cabin.Door.Row2.PassengerSide.IsChildLockActive
Vehicle.Cabin.Door.Row1.DriverSide.Window.Position
Vehicle.Cabin.Infotainment.Media.Volume
Vehicle.Cabin.Sunroof.Position
Vehicle.Powertrain.TractionBattery.Charging.IsCharging
Vehicle.Powertrain.Transmission.PerformanceMode
Vehicle.Cabin.Seat.Row1.PassengerSide.OccupancyStatus
Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted
Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling
Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity
Vehicle.Powertrain.TractionBattery.StateOfCharge.Current
Vehicle.Powertrain.Transmission.SelectedGear
Vehicle.Exterior.AirTemperature
Vehicle.Cabin.HVAC.AmbientAirTemperature
Vehicle.LowVoltageSystemState
Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature
Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed
Vehicle.Speed
derived_from: {pack: , sha256: , author: }
lineage:
  - {pack: 
expires: 2027-12-31
scenarios: [scenarios/
picture: preview.png
placeenter: homephone: nearignition: buttoneventclocksunpowerstate idlingstate movingstate parked
sunrise: true, offset: -30msunset: trueat: "07:30", on: [mon, tue, wed, thu, fri]
{count: {of: , reaches: 3, within: 1m}}{sequence: [, within: stale_for: recovered: trueratemaxmin: {below: avg: {above: , over: 
{not: {state: parked}}{state: idling}{any: [{all: [{time: {from: "22:00", to: "06:00"}}fresh: true{expr: " and  or betweenabs(
{release: reentry: restarton_boot: resume
manual: true
priority: 
derived_from: leavesOCCUPIEDOPENCLOSED: falseis_not: changes: true, becomes: "ON"}becomes: true, is: true, between: [10, 30]
, zh: "请小心驾驶。车内温度已调低高正在通风座椅加热灯光音量电量提醒欢迎模式空调车窗行驶时的"}}, zh: 
{do: show_tip, with: {text: {en: "Please The 
, unit: Celsius}, unit: km/h, held_for: , unit: degrees, unit: percent, lease: , unit: percent, lease: 10m, at_end: leaveat_end: {set: 0}}
schema: 1
id: 
version: 1.0.0
title: {en: 
author: 
licence: MITCC0-1.0CC-BY-SA-4.0CC-BY-4.0
engine: 0.1.0
cards: [cards/
.yaml]
reads: [Vehicle.
touches: [Vehicle., notify]
needs: [state parked]
pack.yaml@1.0.0.yamlcards/schema: 1
id: 
version: 1.1.0
title: {en: "", zh: ""}
when:
  - {signal: Vehicle., rises_above: , rearm_below: , falls_below: , rearm_above: 
only_if:
  - {state: parked}
  - {signal: Vehicle., above: , below: , unit: 
then:
  - {set: Vehicle., to: , unit: , lease: 10m, at_end: restore}
  - {wait: 1s}
  - {do: notify, with: {text: {en: "", zh: ""}}, on_error: continue}
cooldown: 10m
`
