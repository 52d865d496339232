// Package envfile reads and edits files of KEY=value lines such as /etc/etcd/etcd.conf and /etc/sysconfig/flanneld.
//
// etcd.conf has two readers: systemd (EnvironmentFile= of etcd.service) and a shell (the static pod sources the file). They agree on plain lines
// and differ on much else: `export`, expansions, unquoted blanks, comments behind a value. A line that they would read differently is refused by
// its number, since an edit that is right for one of them may be wrong for the other. The exception is a file with CRLF line ends: it is read as
// systemd reads it, for with a carriage return behind every URL the shell's etcd would not start at all.
//
// An edit replaces only the bytes that it has to: all others stay as they are.
package envfile

import (
	"bytes"
	"slices"

	"etcd-quorum-restore/modules/internal/fault"
)

// File is a file's content and the assignments in it.
type File struct {
	data    []byte
	entries []entry
	shell   bool // a shell reads the file as well
}

// entry is one assignment. Offsets count bytes from the file's start.
type entry struct {
	key, value string
	line       int // of the key, from 1
	start, end int // the whole line or lines, line end included
	from, to   int // the value as written, blanks around it excluded
}

// Parse reads a file that both systemd and a shell read.
func Parse(data []byte) (*File, error) { return parse(data, true) }

// ParseSystemd reads a file that only systemd reads: `$` and blanks are literal there, and lines that it ignores are no error.
func ParseSystemd(data []byte) (*File, error) { return parse(data, false) }

func parse(data []byte, shell bool) (*File, error) {
	if err := plainText(data); err != nil {
		return nil, err
	}
	s := scanner{data: data, line: 1, shell: shell}
	if err := s.file(); err != nil {
		return nil, err
	}
	return &File{data: bytes.Clone(data), entries: s.entries, shell: shell}, nil
}

// plainText refuses, before any line is read, what would make line numbers or keys doubtful.
func plainText(data []byte) error {
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return refuse(1, "the file starts with a byte order mark, which becomes a part of the first key")
	}
	line := 1
	for i, c := range data {
		switch {
		case c == 0:
			return refuse(line, "there is a NUL byte: this is no text file")
		case c == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			return refuse(line, "a carriage return stands alone: systemd ends the line there, a shell does not")
		case c == '\n':
			line++
		}
	}
	return nil
}

// Get is the value that counts: the last assignment of key. A commented-out line is none.
func (f *File) Get(key string) (value string, ok bool) {
	if e := f.last(key); e != nil {
		return e.value, true
	}
	return "", false
}

// Keys lists the assigned keys in the order of their first appearance.
func (f *File) Keys() []string {
	var keys []string
	for _, e := range f.entries {
		if !slices.Contains(keys, e.key) {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// Line is where the assignment of key that counts starts, or 0.
func (f *File) Line(key string) int {
	if e := f.last(key); e != nil {
		return e.line
	}
	return 0
}

// Text is every line that assigns key, as written but with plain line ends, for a diff.
func (f *File) Text(key string) string {
	var text []byte
	for _, e := range f.entries {
		if e.key == key {
			text = append(text, bytes.TrimRight(f.data[e.start:e.end], "\r\n")...)
			text = append(text, '\n')
		}
	}
	return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
}

// Bytes is the content as it stands.
func (f *File) Bytes() []byte { return bytes.Clone(f.data) }

func (f *File) last(key string) *entry {
	for i := len(f.entries) - 1; i >= 0; i-- {
		if f.entries[i].key == key {
			return &f.entries[i]
		}
	}
	return nil
}

func refuse(line int, format string, a ...any) *fault.Error {
	return fault.Wrap(fault.Invalid, fault.New(fault.Invalid, format, a...), "line %d", line)
}
