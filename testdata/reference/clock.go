package reference

// wall is a wall trigger's memory.
type wall struct{}

// timeOfDay is the condition `time` (choice 41).
func (in *Interpreter) timeOfDay(from, to int) truth {
	return unknown
}

func (in *Interpreter) setClock(c Clock) {}

func (in *Interpreter) wallDue(d *detector) (at int64, ok bool) { return 0, false }

func (in *Interpreter) wallTime(c *card, d *detector) {}
