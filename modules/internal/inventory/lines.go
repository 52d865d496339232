package inventory

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// line is one line of a file, without and with its end, so that a file of mixed line ends stays one.
type line struct {
	text string
	eol  string // "\n", "\r\n", "\r", or "" for a last line without an end
}

// splitLines cuts at the line ends that Python knows too; those it knows beyond them are refused by checkText.
func splitLines(data string) []line {
	var out []line
	for len(data) > 0 {
		i := strings.IndexAny(data, "\r\n")
		if i < 0 {
			return append(out, line{text: data})
		}
		end := i + 1
		if data[i] == '\r' && end < len(data) && data[end] == '\n' {
			end++
		}
		out = append(out, line{text: data[:i], eol: data[i:end]})
		data = data[end:]
	}
	return out
}

// joinLines is the inverse of splitLines.
func joinLines(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text)
		b.WriteString(l.eol)
	}
	return b.String()
}

// checkText refuses what Ansible would read differently from us: Python ends a line at form feeds, at \x1c and at U+2028 too, so that
// the rest of a "comment" would be a host. Text that is not UTF-8 is accepted in whole-line comments only, as by Ansible on Python 2.
func checkText(lines []line) error {
	for i, l := range lines {
		if i == 0 && strings.HasPrefix(l.text, "\ufeff") {
			return lineError(1, "the file starts with a byte order mark, which Ansible takes for a part of the first line; remove it")
		}
		comment := strings.HasPrefix(l.text, "#") || strings.HasPrefix(l.text, ";")
		if !comment && !utf8.ValidString(l.text) {
			return lineError(i+1, "this is not valid UTF-8, and Ansible reads nothing else")
		}
		if r, found := oddRune(l.text); found {
			return lineError(i+1, "the line contains the control character %U, at which Ansible may end the line; remove it", r)
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

// editor collects changes of single lines and applies them together, so that line numbers stay valid while they are collected.
type editor struct {
	lines   []line
	replace map[int][]string // by index; an empty list removes the line
	after   map[int][]string // inserted after the line with this index; -1 is the top of the file
}

func edit(lines []line) *editor {
	return &editor{lines: lines, replace: map[int][]string{}, after: map[int][]string{}}
}

func (e *editor) set(i int, texts ...string)    { e.replace[i] = texts }
func (e *editor) insert(i int, texts ...string) { e.after[i] = append(e.after[i], texts...) }

// result keeps each line's own end; a new line ends as its neighbour does, and the file ends in a line end if and only if it did.
func (e *editor) result() string {
	standard := "\n"
	if len(e.lines) > 0 && e.lines[0].eol != "" {
		standard = e.lines[0].eol
	}
	var out []line
	add := func(texts []string, eol string) {
		if eol == "" {
			eol = standard
		}
		for _, t := range texts {
			out = append(out, line{t, eol})
		}
	}
	add(e.after[-1], "")
	for i, l := range e.lines {
		texts, changed := e.replace[i]
		if !changed {
			texts = []string{l.text}
		}
		add(texts, l.eol)
		add(e.after[i], l.eol)
	}
	if n := len(e.lines); n > 0 && e.lines[n-1].eol == "" && len(out) > 0 {
		out[len(out)-1].eol = ""
	}
	return joinLines(out)
}

// positioned is an error that knows its line; the file's name is put before it by whoever knows that.
type positioned struct {
	line int
	msg  string
}

func (p *positioned) Error() string { return fmt.Sprintf("line %d: %s", p.line, p.msg) }

func lineError(n int, format string, a ...any) error {
	return &positioned{line: n, msg: fmt.Sprintf(format, a...)}
}
