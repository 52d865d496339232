package readfile

import "bytes"

// Output keeps the beginning of what a program prints, and lets it print on: an endless text takes no memory. It does not embed the buffer, whose
// ReadFrom would bypass Write.
type Output struct {
	Limit int
	buf   bytes.Buffer
}

func (o *Output) Write(p []byte) (int, error) {
	o.buf.Write(p[:min(len(p), max(0, o.Limit-o.buf.Len()))])
	return len(p), nil
}

func (o *Output) String() string { return o.buf.String() }
