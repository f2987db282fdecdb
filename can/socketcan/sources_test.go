//go:build !vm

// The tests of this file read the sources, which a guest does not have.

package socketcan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// importable is every package that this one may import: none sends by itself.
var importable = []string{"cmp", "encoding/binary", "errors", "fmt", "os", "slices", "sort", "strings", "sync", "time", "unsafe", "golang.org/x/sys/unix", "vignette/can"}

// callable is every function of x/sys/unix and os that this package may call,
// and systemCalls every number that Syscall6 may be given.
var callable = []string{
	"unix.Socket", "unix.Bind", "unix.Close", "unix.ClockGettime", "unix.NewIfreq", "unix.IoctlIfreq",
	"unix.GetsockoptInt", "unix.SetsockoptInt", "unix.SetsockoptCanRawFilter", "unix.Syscall6", "os.NewFile",
	"unix.EpollCreate1", "unix.EpollCtl", "unix.EpollWait", "unix.SetNonblock",
}
var systemCalls = []string{"SYS_RECVMMSG", "SYS_GETSOCKOPT"}

// Nothing here can send on a bus: no call that writes to a descriptor is made.
func TestNothingIsEverSent(t *testing.T) {
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files, selectors := 0, 0
	system := 0 // mentions of Syscall6 that are no call of a known number
	for _, name := range names {
		if !strings.HasSuffix(name.Name(), ".go") || strings.HasSuffix(name.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files++
		for _, i := range file.Imports {
			if path := strings.Trim(i.Path.Value, `"`); i.Name != nil || !slices.Contains(importable, path) {
				t.Errorf("%s: imports %s", set.Position(i.Pos()), path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				selectors++
				checkSelector(t, set.Position(n.Pos()), n)
				if n.Sel.Name == "Syscall6" {
					system++
				}
			case *ast.CallExpr:
				if isKnownSystemCall(n) {
					system--
				}
			}
			return true
		})
	}
	if files < 5 || selectors < 50 {
		t.Errorf("looked at %d files and %d selectors only", files, selectors)
	}
	if system != 0 {
		t.Errorf("%d uses of Syscall6 do not name one of %v", system, systemCalls)
	}
}

// isKnownSystemCall reports whether a call is of Syscall6 with one of systemCalls.
func isKnownSystemCall(call *ast.CallExpr) bool {
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || function.Sel.Name != "Syscall6" {
		return false
	}
	number, ok := call.Args[0].(*ast.SelectorExpr)
	return ok && slices.Contains(systemCalls, number.Sel.Name)
}

// checkSelector fails for package members and methods that are not known to be
// harmless. Constants and types of unix are all capitals or plain data.
func checkSelector(t *testing.T, at token.Position, s *ast.SelectorExpr) {
	name := s.Sel.Name
	for _, verb := range []string{"Write", "Send", "ReadFrom", "Copy", "Pwrite", "Splice", "Sendfile", "Vmsplice", "Connect", "Fd"} {
		if strings.HasPrefix(name, verb) {
			t.Errorf("%s: %s could send", at, name)
		}
	}
	if strings.HasPrefix(name, "SYS_") && !slices.Contains(systemCalls, name) {
		t.Errorf("%s: system call %s", at, name)
	}
	x, ok := s.X.(*ast.Ident)
	if !ok || x.Name != "unix" && x.Name != "os" || name == strings.ToUpper(name) {
		return
	}
	types := []string{"unix.CanFilter", "unix.Ifreq", "unix.Iovec", "unix.Msghdr", "unix.Errno", "unix.SockaddrCAN", "unix.Timespec", "unix.SizeofPtr", "unix.EpollEvent", "os.File", "os.ErrDeadlineExceeded"}
	if full := x.Name + "." + name; !slices.Contains(callable, full) && !slices.Contains(types, full) {
		t.Errorf("%s: %s is not known to be harmless here", at, full)
	}
}

// The system's configuration lets the kernel grant what is asked by default.
func TestSystemAllowsTheDefaultBuffer(t *testing.T) {
	text, err := os.ReadFile("../../buildroot/package/vignette-agent/90-vignette-can.conf")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nnet.core.rmem_max=%d\n", DefaultReceiveBuffer); !strings.HasSuffix(string(text), want) {
		t.Errorf("got %q, want it to end in %q", text, want)
	}
}
