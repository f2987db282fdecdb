package fleet

// Canaries are texts that must never be recorded: a phone number, a VIN, a name, a
// position, a media title, and the PIN that is typed. They belong to nobody.
var Canaries = []string{"+8613800138000", "LVSHCAMB1CE000042", "Lin Xiaoming", "31.230416,121.473701", "Moonlight over the canary", "480216"}

// canary has the HMI tell something in a field that is made for a name, or has a
// PIN typed.
func (p *play) canary(t *task) {
	i := p.rng.IntN(len(Canaries))
	if i == len(Canaries)-1 {
		p.pin(t, Canaries[i])
		return
	}
	p.add(&t.inner[0], "ok")
	in := &p.a.touches[len(p.a.touches)-1].in
	fields := []*string{&in.Screen, &in.Element, &in.Gesture, &in.Outcome}
	*fields[p.rng.IntN(len(fields))] = Canaries[i]
}

// pin has an HMI that tells too much tell each digit: as the gesture of a key, if
// the task has a keyboard, else as an element.
func (p *play) pin(t *task, pin string) {
	at := &t.inner[0]
	for i := range t.inner {
		if t.inner[i].keyboard {
			at = &t.inner[i]
		}
	}
	for _, digit := range pin {
		p.add(at, "ok")
		in := &p.a.touches[len(p.a.touches)-1].in
		if at.keyboard {
			in.Gesture = string(digit)
		} else {
			in.Element = string(digit)
		}
	}
}
