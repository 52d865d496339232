// Package yamlfile edits one list of strings in a YAML file by replacing bytes.
//
// yaml.v3 only tells where things are; it never writes, since it would indent and quote the whole file again. After each edit the result is read
// again and compared: the list must be what was asked for, and everything else must be unchanged. What cannot be edited safely (aliases, text
// over several lines, duplicate keys, several documents) is refused with its line.
//
// Comments are never deleted. A comment line stays where it is, and a comment behind a removed entry becomes a line of its own: its author may
// want it back with the entry.
package yamlfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/fault"
)

// List is one list of strings in a file.
type List struct {
	data  []byte
	path  []string
	root  *yaml.Node
	node  *yaml.Node // the sequence
	lines []int      // offset of each line's start
	items []item
}

// Open finds the list at path, such as etcdClientInfo, urls. It must be there and have at least one entry.
func Open(data []byte, path ...string) (*List, error) {
	if err := plainText(data); err != nil {
		return nil, err
	}
	l := &List{data: bytes.Clone(data), path: path, lines: LineStarts(data)}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var root, next yaml.Node
	if err := d.Decode(&root); errors.Is(err, io.EOF) {
		return nil, l.missing("the file is empty")
	} else if err != nil {
		return nil, fault.Wrap(fault.Invalid, Problem(err), "this is not valid YAML")
	}
	if err := d.Decode(&next); err == nil {
		return nil, refuse(next.Line, "a second YAML document starts here, where one was expected")
	} else if !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Invalid, Problem(err), "this is not valid YAML")
	}
	l.root = root.Content[0]
	if err := l.find(); err != nil {
		return nil, err
	}
	return l, l.locate()
}

// plainText refuses bytes at which YAML ends a line and an editor does not, and a byte order mark, which would shift the first column.
func plainText(data []byte) error {
	text := string(data)
	if strings.HasPrefix(text, "\ufeff") {
		return refuse(1, "the file starts with a byte order mark: remove it")
	}
	if !utf8.ValidString(text) {
		return fault.New(fault.Invalid, "the file is not UTF-8")
	}
	rest := strings.ReplaceAll(text, "\r\n", "\n")
	if i := strings.IndexAny(rest, "\r\u0085\u2028\u2029"); i >= 0 {
		return refuse(1+strings.Count(rest[:i], "\n"), "there is a line end that is neither LF nor CRLF")
	}
	return nil
}

// LineStarts are the offsets of all lines; behind the last line end one more line begins, even if it is empty.
func LineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// find walks down path.
func (l *List) find() error {
	node := l.root
	for depth, key := range l.path {
		if err := l.plain(node, depth); err != nil {
			return err
		}
		if node.Kind != yaml.MappingNode {
			return l.missing("line %d: %s is no mapping", node.Line, l.name(depth))
		}
		child, err := valueOf(node, key)
		if err != nil {
			return err
		}
		if child == nil {
			return l.missing("there is no key %s", l.name(depth+1))
		}
		node = child
	}
	if err := l.plain(node, len(l.path)); err != nil {
		return err
	}
	if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
		return l.missing("line %d: %s is %s", node.Line, l.name(len(l.path)), what(node))
	}
	l.node = node
	return nil
}

// plain refuses a node that is used in a second place: an edit here would change that one too.
func (l *List) plain(node *yaml.Node, depth int) error {
	if node.Kind == yaml.AliasNode {
		return refuse(node.Line, "%s is *%s, an alias: an edit would change other places too", l.name(depth), node.Value)
	}
	if node.Anchor != "" && usedAgain(l.root, node) {
		return refuse(node.Line, "%s is the anchor &%s and used again elsewhere: an edit would change that place too", l.name(depth), node.Anchor)
	}
	return nil
}

func usedAgain(in, node *yaml.Node) bool {
	return slices.ContainsFunc(in.Content, func(n *yaml.Node) bool {
		return (n.Kind == yaml.AliasNode && n.Alias == node) || usedAgain(n, node)
	})
}

// valueOf is the value of key, or nil; a duplicate key is refused, since readers disagree which one counts.
func valueOf(mapping *yaml.Node, key string) (*yaml.Node, error) {
	var found *yaml.Node
	for i := 0; i < len(mapping.Content); i += 2 {
		k := mapping.Content[i]
		if k.Kind != yaml.ScalarNode || k.Value != key {
			continue
		}
		if found != nil {
			return nil, refuse(k.Line, "the key %s is given twice, first above: remove one", key)
		}
		found = mapping.Content[i+1]
	}
	return found, nil
}

func what(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.SequenceNode:
		return "an empty list"
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Tag == "!!null":
		return "empty"
	}
	return "a single value"
}

func (l *List) name(depth int) string {
	if depth == 0 {
		return "the file"
	}
	return strings.Join(l.path[:depth], ".")
}

func (l *List) missing(format string, a ...any) error {
	return fault.Wrap(fault.Invalid, fault.New(fault.Invalid, format, a...), "expected a list with at least one entry at %s", strings.Join(l.path, "."))
}

// Values are the entries.
func (l *List) Values() []string {
	var out []string
	for _, n := range l.node.Content {
		out = append(out, n.Value)
	}
	return out
}

// Bytes is the file as it stands.
func (l *List) Bytes() []byte { return bytes.Clone(l.data) }

func refuse(line int, format string, a ...any) *fault.Error {
	return fault.Wrap(fault.Invalid, fault.New(fault.Invalid, format, a...), "line %d", line)
}
