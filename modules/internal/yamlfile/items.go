package yamlfile

import (
	"bytes"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// item is an entry's place: data[from:to] is its text with quotes, data[lineFrom:lineTo] the line that holds it, line end included.
type item struct {
	from, to         int
	lineFrom, lineTo int
	line             int
}

// flow tells whether the list is written as [a, b].
func (l *List) flow() bool { return l.node.Style&yaml.FlowStyle != 0 }

var dash = regexp.MustCompile(`^[ ]*-[ \t]+$`)

// locate fills items, and refuses entries that are not on one line.
func (l *List) locate() error {
	l.items = nil
	for _, n := range l.node.Content {
		if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || n.Anchor != "" {
			return refuse(n.Line, "%s: expected a plain text, found %s", l.name(len(l.path)), odd(n))
		}
		it := item{line: n.Line, lineFrom: l.lines[n.Line-1], lineTo: len(l.data)}
		if n.Line < len(l.lines) {
			it.lineTo = l.lines[n.Line]
		}
		it.from = it.lineFrom + columnOffset(l.data[it.lineFrom:it.lineTo], n.Column)
		it.to = it.from + l.scalarLength(string(l.data[it.from:it.lineTo]))
		if !readsAs(string(l.data[it.from:it.to]), n.Value) {
			return refuse(n.Line, "%s: the entry %q is not written on one line in a form that can be edited", l.name(len(l.path)), n.Value)
		}
		if !l.flow() && !dash.Match(l.data[it.lineFrom:it.from]) {
			return refuse(n.Line, "%s: expected `- ` before the entry %q", l.name(len(l.path)), n.Value)
		}
		l.items = append(l.items, it)
	}
	return nil
}

func odd(n *yaml.Node) string {
	switch n.Kind {
	case yaml.AliasNode:
		return "the alias *" + n.Value
	case yaml.ScalarNode:
		if n.Anchor != "" {
			return "the anchor &" + n.Anchor
		}
		return "`" + n.Value + "` (" + strings.TrimPrefix(n.Tag, "!!") + ")"
	}
	return "a list or mapping"
}

// columnOffset turns yaml.v3's column, which counts characters from 1, into bytes.
func columnOffset(line []byte, column int) int {
	count := 0
	for i := range string(line) {
		if count++; count == column {
			return i
		}
	}
	return len(line)
}

// scalarLength is the length of the scalar at the start of text, the rest of a line.
func (l *List) scalarLength(text string) int {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		return quotedLength(text)
	}
	end := len(text)
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		end = i
	}
	for _, mark := range []string{" #", "\t#"} {
		if i := strings.Index(text[:end], mark); i >= 0 {
			end = i
		}
	}
	if l.flow() {
		if i := strings.IndexAny(text[:end], ",[]{}"); i >= 0 {
			end = i
		}
	}
	return len(strings.TrimRight(text[:end], " \t"))
}

func quotedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] != text[0]:
		case text[0] == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		default:
			return i + 1
		}
	}
	return len(text)
}

// readsAs is true where the text alone is a scalar of that value. It catches every wrong guess where an entry ends.
func readsAs(text, value string) bool {
	var n yaml.Node
	if text == "" || strings.ContainsAny(text, "\r\n") || yaml.Unmarshal([]byte(text), &n) != nil || len(n.Content) != 1 {
		return false
	}
	return n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Value == value && n.Content[0].LineComment == ""
}

// lineEnd is the file's line end.
func (l *List) lineEnd() string {
	if i := bytes.IndexByte(l.data, '\n'); i > 0 && l.data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
