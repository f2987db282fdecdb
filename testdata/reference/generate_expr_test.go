package reference_test

import (
	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

// drawTruth draws an expression that is true or false, in postfix order.
func drawTruth(t *rapid.T, out engine.Expr, depth int) engine.Expr {
	kind := eighth.Draw(t, "truth")
	if depth == 0 && kind > 3 {
		kind -= 4
	}
	switch kind {
	case 0:
		return append(out, engine.Term{Op: engine.Reading, Slot: slotD, X: 1})
	case 1:
		label := float64(small.Draw(t, "label") % 3)
		return append(out, engine.Term{Op: engine.Reading, Slot: slotL, X: 1}, engine.Term{Op: engine.Constant, X: label},
			engine.Term{Op: engine.Equal + engine.TermOp(small.Draw(t, "equal")%2)})
	case 4:
		return append(drawTruth(t, out, depth-1), engine.Term{Op: engine.Invert})
	case 5, 6:
		out = drawTruth(t, drawTruth(t, out, depth-1), depth-1)
		return append(out, engine.Term{Op: engine.Both + engine.TermOp(kind-5)})
	case 7:
		out = drawNumber(t, drawNumber(t, drawNumber(t, out, 1), 1), 1)
		return append(out, engine.Term{Op: engine.Inside})
	}
	out = drawNumber(t, drawNumber(t, out, 2), 2)
	return append(out, engine.Term{Op: engine.Less + engine.TermOp(eighth.Draw(t, "compare")%6)})
}

// drawNumber draws an expression that is a number.
func drawNumber(t *rapid.T, out engine.Expr, depth int) engine.Expr {
	kind := eighth.Draw(t, "number")
	if depth == 0 {
		kind %= 3
	}
	switch kind {
	case 0:
		return append(out, engine.Term{Op: engine.Constant, X: float64(small.Draw(t, "constant"))})
	case 1, 2:
		return append(out, engine.Term{Op: engine.Reading, Slot: rapid.SampledFrom([]int{slotA, slotB, slotF, slotS, slotG}).Draw(t, "reads"),
			X: rapid.SampledFrom([]float64{1, 1, 0.1, 1e308}).Draw(t, "factor"), Y: float64(small.Draw(t, "shift") / 3)})
	case 3:
		return append(drawNumber(t, out, depth-1), engine.Term{Op: engine.Negate + engine.TermOp(small.Draw(t, "sign")%2)})
	}
	out = drawNumber(t, drawNumber(t, out, depth-1), depth-1)
	return append(out, engine.Term{Op: engine.Add + engine.TermOp(eighth.Draw(t, "operator")%6)})
}
