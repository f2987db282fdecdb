package uibridge

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// The errors that callers over D-Bus are told apart by. A Handler wraps them
// with what was wrong.
var (
	ErrUnknownActuator = errors.New("unknown actuator")
	ErrUnknownSignal   = errors.New("unknown signal")
	ErrUnknownCard     = errors.New("unknown card")
	ErrUnknownEvent    = errors.New("unknown event")
	ErrUnknownDraft    = errors.New("unknown draft")
	ErrCameWithCar     = errors.New("the card came with the car")
	ErrUnknownPack     = errors.New("unknown pack")
	ErrBadPack         = errors.New("no sound pack")
	ErrImpostor        = errors.New("an impostor")
	ErrPackRevoked     = errors.New("called back")
	ErrPackExpired     = errors.New("expired")
	ErrPackOlder       = errors.New("a step back")
	ErrOtherAuthor     = errors.New("another author's")
	ErrNotAccepted     = errors.New("nobody vouches for the author")
	ErrUnsupported     = errors.New("not supported here")
	ErrNotWatching     = errors.New("not a watcher")
	ErrInvalidValue    = errors.New("invalid value")
	ErrLimit           = errors.New("too much at once")
	ErrBusy            = errors.New("busy, try again")
	ErrClosing         = errors.New("the agent is closing")
)

// errorPrefix begins every D-Bus error name of the agent.
const errorPrefix = "org.vignette.Error."

// errorNames pairs Go errors with D-Bus error names.
var errorNames = []struct {
	err  error
	name string
}{
	{ErrUnknownActuator, "UnknownActuator"},
	{ErrUnknownSignal, "UnknownSignal"},
	{ErrUnknownCard, "UnknownCard"},
	{ErrUnknownEvent, "UnknownEvent"},
	{ErrUnknownDraft, "UnknownDraft"},
	{ErrCameWithCar, "CameWithCar"},
	{ErrUnknownPack, "UnknownPack"},
	{ErrBadPack, "BadPack"},
	{ErrImpostor, "Impostor"},
	{ErrPackRevoked, "PackRevoked"},
	{ErrPackExpired, "PackExpired"},
	{ErrPackOlder, "PackOlder"},
	{ErrOtherAuthor, "OtherAuthor"},
	{ErrNotAccepted, "AuthorNotAccepted"},
	{ErrUnsupported, "NotSupported"},
	{ErrNotWatching, "NotWatching"},
	{ErrInvalidValue, "InvalidValue"},
	{ErrLimit, "LimitsExceeded"},
	{ErrBusy, "Busy"},
	{ErrClosing, "Closing"},
	{trace.ErrClosed, "Closing"},
	{trace.ErrUnknownStudy, "UnknownStudy"},
	{trace.ErrNoDriver, "NoDriver"},
	{trace.ErrOtherDriver, "NoDriver"},
	{trace.ErrNotParked, "NotParked"},
	{trace.ErrNotNow, "StudyClosed"},
	{trace.ErrNoConsent, "NoConsent"},
	{trace.ErrUnknownFeedback, "UnknownFeedback"},
	{trace.ErrGiven, "AlreadyGiven"},
	{trace.ErrUnknownTrace, "UnknownTrace"},
	{trace.ErrUnknownAnswer, "UnknownAnswer"},
}

// dbusError names an error for the bus; nil stays nil.
func dbusError(err error) *dbus.Error {
	if err == nil {
		return nil
	}
	name := "Failed"
	for _, e := range errorNames {
		if errors.Is(err, e.err) {
			name = e.name
			break
		}
	}
	text := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "\uFFFD"), "\x00", "\uFFFD")
	return dbus.NewError(errorPrefix+name, []any{text})
}

// isRemote tells whether a call was answered by the error of that name.
func isRemote(err error, name string) bool {
	var remote dbus.Error
	return errors.As(err, &remote) && remote.Name == name
}

// checkText tells whether a string may travel over D-Bus.
func checkText(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return fmt.Errorf("%q is not UTF-8 without NUL, which D-Bus requires", s)
	}
	return nil
}
