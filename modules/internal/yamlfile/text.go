package yamlfile

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// comment is not shown: a note beside a URL is private, and may be a password. No URL has a blank in it.
var comment = regexp.MustCompile(`(?m)(^|[ \t])#.*$`)

// Text is the list alone, from its key to its last entry, for a diff: the rest of the file, even of the same line, may hold secrets.
func (l *List) Text() string {
	key := l.key()
	lineFrom := l.lines[key.Line-1]
	from := lineFrom + columnOffset(l.data[lineFrom:], key.Column)
	if before := string(l.data[lineFrom:from]); strings.TrimSpace(before) == "" {
		from = lineFrom
	}
	last := l.items[len(l.items)-1]
	to := last.lineTo
	if l.flow() {
		to = last.to + l.skipTo("]", l.data[last.to:]) + 1
	}
	text := strings.ReplaceAll(strings.TrimRight(string(l.data[from:to]), "\r\n")+"\n", "\r\n", "\n")
	return comment.ReplaceAllString(text, "$1# …")
}

// key is the node of the key that holds the list.
func (l *List) key() *yaml.Node {
	key, node := l.root, l.root
	for _, name := range l.path {
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == name {
				key, node = node.Content[i], node.Content[i+1]
				break
			}
		}
	}
	return key
}
