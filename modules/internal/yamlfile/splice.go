package yamlfile

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// insert is the file with value as entry i.
func (l *List) insert(i int, value string) []byte {
	near := l.items[max(i-1, 0)]
	text := l.like(l.node.Content[max(i-1, 0)], value)
	if l.flow() {
		return l.insertFlow(i, near, text)
	}
	line := string(l.data[near.lineFrom:near.from]) + text
	if i == 0 {
		return l.splice(near.lineFrom, near.lineFrom, line+l.lineEnd())
	}
	if l.data[near.lineTo-1] != '\n' {
		return l.splice(near.lineTo, near.lineTo, l.lineEnd()+line) // the file's last line has no line end, and stays so
	}
	return l.splice(near.lineTo, near.lineTo, line+l.lineEnd())
}

func (l *List) insertFlow(i int, near item, text string) []byte {
	indent := l.data[near.lineFrom:near.from]
	ownLine := len(bytes.TrimSpace(indent)) == 0
	between := " "
	if ownLine {
		between = l.lineEnd() + string(indent)
	}
	if i == 0 {
		return l.splice(near.from, near.from, text+","+between)
	}
	comma := l.commaBehind(i - 1)
	if ownLine && comma >= 0 && comma < near.lineTo && l.nothingBehind(comma+1, near.lineTo) {
		return l.splice(near.lineTo, near.lineTo, string(indent)+text+","+l.lineEnd())
	}
	if ownLine && l.nothingBehind(near.to, near.lineTo) { // a comment behind the neighbour stays with it
		return slices.Concat(l.data[:near.to], []byte(","), l.data[near.to:near.lineTo], indent, []byte(text), []byte(l.lineEnd()), l.data[near.lineTo:])
	}
	return l.splice(near.to, near.to, ","+between+text)
}

// nothingBehind is true where the rest of a line is blank or a comment.
func (l *List) nothingBehind(from, to int) bool {
	rest := bytes.TrimSpace(l.data[from:to])
	return len(rest) == 0 || rest[0] == '#'
}

// remove is the file without entry i, which is not the only one.
func (l *List) remove(i int) []byte {
	it := l.items[i]
	if l.flow() {
		return l.removeFlow(i)
	}
	return l.dropRestOfLine(it.lineFrom, it.from, it.to)
}

// dropRestOfLine removes data[from:to]. If nothing is left on the line, the line goes too; if only a comment is left, it stays at the
// line's indentation.
func (l *List) dropRestOfLine(lineFrom, from, to int) []byte {
	lineTo := len(l.data)
	if n := bytes.IndexByte(l.data[to:], '\n'); n >= 0 {
		lineTo = to + n + 1
	}
	before, rest := l.data[lineFrom:from], bytes.TrimSpace(l.data[to:lineTo])
	if l.flow() && len(bytes.TrimSpace(before)) > 0 {
		from -= len(before) - len(bytes.TrimRight(before, " \t"))
		return l.splice(from, to, "")
	}
	if len(rest) > 0 {
		return l.splice(lineFrom+blanks(before), to+blanks(l.data[to:lineTo]), "")
	}
	if lineTo == len(l.data) && l.data[lineTo-1] != '\n' {
		lineFrom -= len(l.lineEnd()) // the file ended without a line end, and stays so
	}
	return l.splice(lineFrom, lineTo, "")
}

func (l *List) removeFlow(i int) []byte {
	it, comma := l.items[i], l.commaBehind(i)
	if comma < 0 { // the last entry, without a comma behind it: the comma before it is removed
		return l.removeLast(it, l.commaBehind(i-1))
	}
	if bytes.IndexByte(l.data[it.to:comma], '\n') >= 0 { // a comma on a later line
		return slices.Concat(l.data[:it.from], l.data[it.to:comma], l.data[comma+1:])
	}
	next := comma + 1 + blanks(l.data[comma+1:])
	if strings.IndexByte("\r\n#]", l.data[next]) < 0 { // another entry on this line
		return l.splice(it.from, next, "")
	}
	return l.dropRestOfLine(it.lineFrom, it.from, comma+1)
}

func (l *List) removeLast(it item, comma int) []byte {
	if comma >= it.lineFrom {
		return l.splice(comma, it.to, "")
	}
	work := *l
	work.data = l.dropRestOfLine(it.lineFrom, it.from, it.to)
	return work.splice(comma, comma+1, "")
}

func blanks(text []byte) int {
	return len(text) - len(bytes.TrimLeft(text, " \t"))
}

// commaBehind is the offset of the comma behind entry i of a flow list, or -1.
func (l *List) commaBehind(i int) int {
	at := l.items[i].to + l.skipTo(",]", l.data[l.items[i].to:])
	if l.data[at] == ',' {
		return at
	}
	return -1
}

// skipTo is the offset of the first of marks in text, outside comments. yaml.v3 has read the list, so there is one.
func (l *List) skipTo(marks string, text []byte) int {
	comment := false
	for i, c := range text {
		switch {
		case c == '\n':
			comment = false
		case c == '#':
			comment = true
		case !comment && strings.IndexByte(marks, c) >= 0:
			return i
		}
	}
	return len(text) - 1
}

func (l *List) splice(from, to int, text string) []byte {
	return slices.Concat(l.data[:from], []byte(text), l.data[to:])
}

var bare = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9./_-]*(:[A-Za-z0-9./_-]+)*$`)

// like writes a value in the quotes of a neighbour, or in double quotes where it needs quotes.
func (l *List) like(neighbour *yaml.Node, value string) string {
	switch {
	case neighbour.Style&yaml.SingleQuotedStyle != 0:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case neighbour.Style&yaml.DoubleQuotedStyle == 0 && bare.MatchString(value):
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
