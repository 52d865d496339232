package yamldoc

import (
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// markLines is a mark in a YAML file; an entry of several lines has one comment a line.
type markLines struct {
	source.Mark
	at []int // indexes of its lines
}

// indentOf counts leading blanks.
func indentOf(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

func isIdle(s string) bool {
	s = strings.TrimSpace(s)
	return s == "" || s[0] == '#'
}

// block is the lines [from, to) of the block entry whose key is given: all that is indented deeper than the key, without the blank
// lines and comments that follow it.
func (d *Doc) block(key *yaml.Node) (from, to int) {
	from = key.Line - 1
	to = d.area(key)
	for to > from+1 {
		text := d.lines[to-1].Text
		if !isIdle(text) || strings.TrimSpace(text) != "" && indentOf(text) >= key.Column {
			break
		}
		to--
	}
	return from, to
}

// area ends where the next thing at the key's level or above begins; comments and blank lines before that belong to it.
func (d *Doc) area(key *yaml.Node) int {
	to := key.Line
	for to < len(d.lines) {
		text := d.lines[to].Text
		item := indentOf(text) == key.Column-1 && strings.HasPrefix(strings.TrimSpace(text)+" ", "- ") // of a list that is not indented
		if !isIdle(text) && !item && indentOf(text) < key.Column || strings.HasPrefix(text, "...") {
			break
		}
		to++
	}
	return to
}

// startsLine tells whether nothing but blanks stands before the node.
func (d *Doc) startsLine(n *yaml.Node) bool {
	return n.Line >= 1 && n.Line <= len(d.lines) && indentOf(d.lines[n.Line-1].Text) == n.Column-1
}

// findMarks collects the marks; a line whose entry begins with a blank continues the mark above it.
func (d *Doc) findMarks() {
	for i := range d.lines {
		m, ok := source.ParseMark(d.lines[i].Text)
		if !ok {
			continue
		}
		if n := len(d.marked); n > 0 && strings.HasPrefix(m.Entry+" ", " ") && d.marked[n-1].Group == m.Group && d.marked[n-1].Since == m.Since {
			d.marked[n-1].Entry += "\n" + m.Entry
			d.marked[n-1].at = append(d.marked[n-1].at, i)
			continue
		}
		d.marked = append(d.marked, markLines{m, []int{i}})
	}
}

func (m markLines) isOf(host string) bool {
	if !strings.Contains(m.Entry, host) {
		return false
	}
	key, _, ok := keyOf(m.Entry)
	return ok && source.ParsePattern(key).Hosts == host
}

// keyOf is the key of an entry, without quotes, and the length of its text.
func keyOf(entry string) (key string, length int, ok bool) {
	if entry == "" {
		return "", 0, false
	}
	if q := entry[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(entry[1:], q)
		if end < 0 || strings.Contains(entry[1:1+end], `\`) {
			return "", 0, false
		}
		return entry[1 : 1+end], end + 2, true
	}
	end := len(entry)
	for i := 0; i < len(entry); i++ {
		if entry[i] == ':' && (i+1 == len(entry) || strings.IndexByte(" \t\r\n,}", entry[i+1]) >= 0) || strings.IndexByte(",{}\n", entry[i]) >= 0 || strings.HasPrefix(entry[i:], " #") {
			end = i
			break
		}
	}
	return strings.TrimRight(entry[:end], " "), end, true
}

func (d *Doc) Marks(host string) []source.Mark {
	var out []source.Mark
	for _, m := range d.marked {
		if m.isOf(host) {
			m.Entry = plainEntry(m.Entry)
			out = append(out, m.Mark)
		}
	}
	return out
}

// plainEntry removes the comma at the end of a whole-line entry of a flow mapping, and the comment after it.
func plainEntry(entry string) string {
	if end := flowEnd(entry, 0); end < len(entry) && entry[end] == ',' {
		return entry[:end]
	}
	return entry
}

func (d *Doc) Where(group, host string) int {
	for _, h := range d.hosts {
		if h.is(group, host) {
			return h.key.Line
		}
	}
	for _, m := range d.marked {
		if m.Group == group && m.isOf(host) {
			return m.at[0] + 1
		}
	}
	return 0
}

func (h *hostNode) is(group, host string) bool {
	if h.group != group {
		return false
	}
	for _, n := range h.names {
		if n == host {
			return true
		}
	}
	return false
}

func (d *Doc) Lists(parent, child string) bool {
	for _, g := range d.groups {
		if g.name == child && g.parent == parent && !g.shared {
			return true
		}
	}
	return false
}

func (d *Doc) Defines(group string) bool {
	for _, g := range d.groups {
		if g.name == group && !g.shared {
			return true
		}
	}
	return false
}

// offset is where a node begins in its line's text; yaml.v3 counts characters, not bytes.
func (d *Doc) offset(n *yaml.Node) int {
	column := 1
	for i := range d.lines[n.Line-1].Text {
		if column == n.Column {
			return i
		}
		column++
	}
	return len(d.lines[n.Line-1].Text)
}
