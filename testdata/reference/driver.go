package reference

import (
	"fmt"
	"slices"
)

// personal is what a user keys of a card (rule 14).
type personal struct {
	version     string // of the card
	disabled    bool
	quarantined bool
	firings     []int64 // their times, runs by hand left out
	fired       bool    // once, by a run too …
	lastFired   int64   // … and then when
}

// part is what a user left behind, by card id.
type part struct {
	user  uint64
	cards map[string]personal
}

func (in *Interpreter) card(id string) *card {
	return in.cards[slices.IndexFunc(in.cards, func(c *card) bool { return c.ID == id })]
}

// answer takes the driver's word on a question. On a plain log and without
// `call` there is nobody to ask (rule 12).
func (in *Interpreter) answer(ev Event) {
	for _, a := range in.actuators {
		q := a.asker
		if q == nil || q.asked != ev.Ref || ev.Session != in.session || !in.judged || !a.Call {
			continue
		}
		if !ev.OK {
			in.decline(q, "no")
			q.failed()
			return
		}
		q.agreed = in.write(q.askRecord("confirmed", ""))
		q.asked, a.asker = 0, nil
		return
	}
	in.write(Record{What: "dropped", Why: "answer"})
}

// decline closes a question.
func (in *Interpreter) decline(q *queue, why string) {
	in.write(q.askRecord("declined", why))
	q.asked = 0
	in.actuator(q.step().Actuator).asker = nil
}

func (q *queue) askRecord(what, why string) Record {
	return Record{Card: q.card.ID, What: what, Why: why, Action: "set", Actuator: q.step().Actuator, Cause: q.asked}
}

// withdraw takes back a card's question (choice 61).
func (in *Interpreter) withdraw(c *card, why string) {
	if q := c.queue; q != nil && q.asked != 0 {
		in.decline(q, why)
	}
}

// endEverything is a clean stop or sleep (rule 14, choices 27, 65).
func (in *Interpreter) endEverything(why string) {
	for _, c := range in.cards {
		in.drop(c, why)
	}
	for _, a := range in.actuators {
		if !a.Survives {
			in.endAll(a, why)
		}
	}
}

// enable enables or disables a card for the present user (rule 14, choice 66).
func (in *Interpreter) enable(c *card, on bool) {
	if c.disabled == !on {
		return
	}
	c.disabled = !on
	if on {
		in.write(Record{Card: c.ID, What: "user", Why: "enabled"})
		return
	}
	in.write(Record{Card: c.ID, What: "user", Why: "disabled"})
	in.drop(c, "disabled")
	for _, a := range in.actuators {
		if l := a.leaseOf(c); l != nil {
			in.endLease(a, l, "disabled")
		}
	}
}

// run is a run by hand (rule 13, choice 63).
func (in *Interpreter) run(c *card) {
	if !c.Manual {
		in.write(Record{Card: c.ID, What: "dropped", Why: "manual"})
		return
	}
	c.completed = append(c.completed, completion{manual: true})
}

// free frees a card from quarantine (rule 13, choice 67).
func (in *Interpreter) free(c *card) {
	if !c.quarantined {
		in.write(Record{Card: c.ID, What: "dropped", Why: "free"})
		return
	}
	c.quarantined, c.firings = false, nil
	in.write(Record{Card: c.ID, What: "released", Why: "driver"})
}

// changeUser removes the old user's cards and adds the new one's (rule 14,
// choice 66).
func (in *Interpreter) changeUser(user uint64) {
	if user == in.user {
		return
	}
	in.write(Record{What: "user", Why: userName(user)})
	for _, c := range in.cards {
		in.drop(c, "user")
	}
	for _, a := range in.actuators {
		in.endAll(a, "user")
	}
	in.swapParts(user)
	for _, o := range in.occurs {
		o.is = o.is && !o.OfUser // choice 38
	}
	for _, c := range in.cards {
		for _, d := range c.all() {
			d.clear()
			d.times, d.firsts = nil, nil
		}
	}
}

func userName(user uint64) string {
	if user == 0 {
		return "guest"
	}
	return fmt.Sprintf("user:%d", user)
}

// swapParts puts the old user's part away and takes out the new one's, if it is
// there. 63 others are kept.
func (in *Interpreter) swapParts(user uint64) {
	in.others = append(in.others, in.present())
	in.user = user
	for _, c := range in.cards {
		c.personal = personal{}.of(c)
	}
	if i := slices.IndexFunc(in.others, func(p part) bool { return p.user == user }); i >= 0 {
		for _, c := range in.cards {
			c.personal = in.others[i].cards[c.ID]
		}
		in.others = slices.Delete(in.others, i, i+1)
	}
	if len(in.others) > 63 {
		in.write(Record{What: "dropped", Why: userName(in.others[0].user)})
		in.others = slices.Delete(in.others, 0, 1)
	}
}

// present is the part of the user who drives.
func (in *Interpreter) present() part {
	p := part{user: in.user, cards: map[string]personal{}}
	for _, c := range in.cards {
		p.cards[c.ID] = c.personal
	}
	return p
}

// of is what is left of a user's part of a card once the card is this one: all
// of it for the same version, else that it is disabled (choices 76, 136).
func (p personal) of(c *card) personal {
	if p.version == c.Version {
		return p
	}
	return personal{version: c.Version, disabled: p.disabled || c.Off}
}
