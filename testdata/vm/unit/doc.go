// Package unit runs the agent as our Debian package does, as a unit of a real
// systemd, and breaks what it stands on. Its tests run in the guest that `make
// vm-test` boots for them.
package unit
