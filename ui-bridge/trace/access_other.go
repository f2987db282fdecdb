//go:build !unix

package trace

// writable cannot be asked here without writing; the first write tells.
func writable(string) error { return nil }
