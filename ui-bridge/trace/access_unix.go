//go:build unix

package trace

import "syscall"

// The modes of access(2), which package syscall does not name.
const (
	mayWrite  = 2
	maySearch = 1
)

// writable asks the kernel whether files can be made in dir.
func writable(dir string) error { return syscall.Access(dir, mayWrite|maySearch) }
