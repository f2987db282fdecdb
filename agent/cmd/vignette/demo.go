package main

import "io"

func demo(args []string, out, errs io.Writer) error { return nil }
