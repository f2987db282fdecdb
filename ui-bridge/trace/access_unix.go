//go:build unix

package trace

import "syscall"

// The modes of access(2), which package syscall does not name.
const (
	mayWrite  = 2
	maySearch = 1
)

// writable asks the kernel whether files can be made in dir. A disk that is
// read-only for now is no mistake of whoever named it.
func writable(dir string) error {
	if err := syscall.Access(dir, mayWrite|maySearch); err != syscall.EROFS {
		return err
	}
	return nil
}
