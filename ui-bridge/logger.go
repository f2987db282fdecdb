package uibridge

// Logger takes what an operator should know: a constant message, then keys and
// values by turns, as *slog.Logger does, which is one. It is called from any
// goroutine. The agent's own is agent.Log; see RATIONALE.md for why.
type Logger interface {
	Info(msg string, args ...any)
	Warn(msg string, args ...any)
	Error(msg string, args ...any)
}
