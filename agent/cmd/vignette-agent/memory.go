package main

import (
	"fmt"
	"syscall"
)

// keepMemory keeps the kernel from writing the agent's memory anywhere: to a core
// file, to what core_pattern names, or to another process of the same user. What the
// HMI has told over D-Bus stays in memory for a while after it was used.
func keepMemory() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); errno != 0 {
		return fmt.Errorf("core dumps, which hold what drivers touch, cannot be switched off: %w", errno)
	}
	return nil
}
