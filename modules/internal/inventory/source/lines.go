package source

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Line is one line of a file, with its line end kept apart, so that a file of mixed line ends keeps them.
type Line struct {
	Text string
	EOL  string // "\n", "\r\n", "\r", or "" for a last line without an end
}

// SplitLines cuts at "\n", "\r\n" and "\r"; CheckText refuses the other line ends that Python knows.
func SplitLines(data string) []Line {
	var out []Line
	for len(data) > 0 {
		i := strings.IndexAny(data, "\r\n")
		if i < 0 {
			return append(out, Line{Text: data})
		}
		end := i + 1
		if data[i] == '\r' && end < len(data) && data[end] == '\n' {
			end++
		}
		out = append(out, Line{Text: data[:i], EOL: data[i:end]})
		data = data[end:]
	}
	return out
}

// JoinLines is the inverse of SplitLines.
func JoinLines(lines []Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text)
		b.WriteString(l.EOL)
	}
	return b.String()
}

// CheckText refuses what Ansible would read differently from us: Python also ends a line at form feeds, at \x1c and at U+2028, so that the rest
// of a "comment" would be a host. Text that is not UTF-8 is accepted in whole-line comments only, as by Ansible on Python 2.
func CheckText(lines []Line) error {
	for i, l := range lines {
		if i == 0 && strings.HasPrefix(l.Text, "\ufeff") {
			return LineError(1, "the file starts with a byte order mark, which Ansible takes for a part of the first line; remove it")
		}
		comment := strings.HasPrefix(l.Text, "#") || strings.HasPrefix(l.Text, ";")
		if !comment && !utf8.ValidString(l.Text) {
			return LineError(i+1, "this is not valid UTF-8, and Ansible reads nothing else")
		}
		if r, found := oddRune(l.Text); found {
			return LineError(i+1, "the line contains the control character %U, at which Ansible may end the line; remove it", r)
		}
	}
	return nil
}

func oddRune(s string) (rune, bool) {
	for _, r := range s {
		switch {
		case r == '\t':
		case r < ' ', r == 0x7f, r == 0x85, r == 0x2028, r == 0x2029:
			return r, true
		}
	}
	return 0, false
}

// Editor collects changes of single lines and applies them together, so that line numbers stay valid while they are collected.
type Editor struct {
	lines   []Line
	replace map[int][]string // by index; an empty list removes the line
	after   map[int][]string // inserted after the line with this index; -1 is the top of the file
}

func EditLines(lines []Line) *Editor {
	return &Editor{lines: lines, replace: map[int][]string{}, after: map[int][]string{}}
}

func (e *Editor) Set(i int, texts ...string)    { e.replace[i] = texts }
func (e *Editor) Insert(i int, texts ...string) { e.after[i] = append(e.after[i], texts...) }

// Result keeps each line's own end. A new line ends as its neighbour does, and the file ends in a line end if and only if it did before.
func (e *Editor) Result() string {
	standard := "\n"
	if len(e.lines) > 0 && e.lines[0].EOL != "" {
		standard = e.lines[0].EOL
	}
	var out []Line
	add := func(texts []string, eol string) {
		if eol == "" {
			eol = standard
		}
		for _, t := range texts {
			out = append(out, Line{t, eol})
		}
	}
	add(e.after[-1], "")
	for i, l := range e.lines {
		texts, changed := e.replace[i]
		if !changed {
			texts = []string{l.Text}
		}
		add(texts, l.EOL)
		add(e.after[i], l.EOL)
	}
	if n := len(e.lines); n > 0 && e.lines[n-1].EOL == "" && len(out) > 0 {
		out[len(out)-1].EOL = ""
	}
	return JoinLines(out)
}

// Positioned is an error with its line; the caller that knows the file's name puts that before it.
type Positioned struct {
	Line int
	msg  string
}

func (p *Positioned) Error() string { return fmt.Sprintf("line %d: %s", p.Line, p.msg) }

func LineError(n int, format string, a ...any) error {
	return &Positioned{Line: n, msg: fmt.Sprintf(format, a...)}
}
