package uibridge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// maxCardText is the most bytes of a card, as in its format.
const maxCardText = 64 << 10

// fileTime bounds how long a file descriptor is read; a pipe may never end.
const fileTime = 2 * time.Second

// Deck is what the HMI does with cards as texts. Its methods may take as long as
// checking a card does.
type Deck interface {
	// Problems is what is wrong with the files of cards and profile that are not
	// taken, as file:line:col: what; none is an empty list.
	Problems() []string
	// Reload looks at all files now and returns Problems.
	Reload() ([]string, error)
	// Install checks a card and, if nothing is wrong with it, has it run, disabled
	// for every user. It reports what the card can do, or what is wrong.
	Install(text []byte) (Report, error)
	// Remove removes a card that Install brought.
	Remove(card string) error
}

// Report is an a{sv}. Its values are texts, truths, numbers, lists of texts and
// lists of reports.
type Report map[string]any

// variants are a report as it travels.
func (r Report) variants() map[string]dbus.Variant {
	m := make(map[string]dbus.Variant, len(r))
	for key, value := range r {
		if list, ok := value.([]Report); ok {
			all := make([]map[string]dbus.Variant, len(list))
			for i := range list {
				all[i] = list[i].variants()
			}
			value = all
		}
		m[key] = dbus.MakeVariant(value)
	}
	return m
}

func (br *Bridge) onInstall(text string) (map[string]dbus.Variant, *dbus.Error) {
	return br.withCard(func() ([]byte, error) { return []byte(text), nil }, br.opt.Handler.Install)
}

func (br *Bridge) onInstallFile(fd dbus.UnixFD) (map[string]dbus.Variant, *dbus.Error) {
	err := syscall.SetNonblock(int(fd), true) // before NewFile, which then has deadlines
	f := os.NewFile(uintptr(fd), "card")
	defer f.Close()
	if err != nil {
		return nil, dbusError(fmt.Errorf("%w: the file descriptor cannot be read: %w", ErrInvalidValue, err))
	}
	return br.withCard(func() ([]byte, error) { return readCard(f) }, br.opt.Handler.Install)
}

// withCard runs an incoming call with a card's text that is answered by a report.
func (br *Bridge) withCard(text func() ([]byte, error), do func([]byte) (Report, error)) (report map[string]dbus.Variant, _ *dbus.Error) {
	err := br.guard(func() error {
		card, err := text()
		if err == nil && len(card) > maxCardText {
			err = fmt.Errorf("%w: a card has at most %d bytes", ErrLimit, maxCardText)
		}
		if err != nil {
			return err
		}
		r, err := do(card)
		report = r.variants()
		return err
	})
	return report, err
}

// readCard reads a card from a file, a pipe or a socket, from where it stands, one
// byte more than a card may have at most.
func readCard(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		err = f.SetReadDeadline(time.Now().Add(fileTime))
	} else if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is of no file, pipe or socket")
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(f, maxCardText+1))
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%w: the card did not end within %s; close the other end", ErrInvalidValue, fileTime)
	case err != nil:
		return nil, fmt.Errorf("%w: the file descriptor cannot be read: %w", ErrInvalidValue, err)
	}
	return text, nil
}

func (br *Bridge) onRemove(card string) *dbus.Error {
	return br.named("card", card, func() error { return br.opt.Handler.Remove(card) })
}

func (br *Bridge) onReload() (problems []string, _ *dbus.Error) {
	err := br.guard(func() (err error) {
		problems, err = br.opt.Handler.Reload()
		return err
	})
	return problems, err
}
