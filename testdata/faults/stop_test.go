package faults

import "syscall"

// stopHere stops this process as SIGSTOP does: it lives, and reads nothing.
func stopHere() {
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGSTOP); err != nil {
		panic(err)
	}
	select {}
}
