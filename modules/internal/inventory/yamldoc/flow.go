package yamldoc

import (
	"strings"

	"gopkg.in/yaml.v3"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// A flow mapping is YAML's `{a: 1, b: 2}`. yaml.v3 says where an entry begins, not where it ends, so that is looked for here. A mistake
// shows when the result is read again.

// flowEnd returns the index of the comma or closing bracket that ends the flow entry at i, or of the text's end.
func flowEnd(s string, i int) int {
	depth, atStart := 0, true // a quotation mark counts only where a value can begin
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case atStart && (c == '"' || c == '\''):
			i = quoteEnd(s, i)
			atStart = false
		case c == '{' || c == '[':
			depth, atStart = depth+1, true
		case depth == 0 && (c == ',' || c == '}' || c == ']'):
			return i
		case c == '}' || c == ']':
			depth--
		case c == ',':
			atStart = true
		case c == ':':
			// `a:"b` is one word; a value begins behind a blank, or behind a quoted key.
			atStart = i > 0 && (s[i-1] == '"' || s[i-1] == '\'') || i+1 < len(s) && strings.IndexByte(" \t\r\n", s[i+1]) >= 0
		case c == '#' && (i == 0 || strings.IndexByte(" \t\n", s[i-1]) >= 0):
			if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(s) - 1
			}
		case strings.IndexByte(" \t\r\n", c) < 0:
			atStart = false
		}
	}
	return len(s)
}

func quoteEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s) && s[i] != quote; i++ {
		if s[i] == '\\' && quote == '"' {
			i++
		}
	}
	return i
}

// at is the node's place in the whole text.
func (d *Doc) at(n *yaml.Node) int {
	sum := 0
	for _, l := range d.lines[:n.Line-1] {
		sum += len(l.Text) + len(l.EOL)
	}
	return sum + d.offset(n)
}

func isFlow(n *yaml.Node) bool { return n != nil && n.Style&yaml.FlowStyle != 0 }

// ownLines tells whether the flow entry fills whole lines [from, to), so that it can become a comment where it stands.
func (d *Doc) ownLines(key *yaml.Node) (from, to int, ok bool) {
	text := source.JoinLines(d.lines)
	start := d.at(key)
	end := flowEnd(text, start)
	if !d.startsLine(key) || end == len(text) {
		return 0, 0, false
	}
	if text[end] != ',' {
		if strings.TrimSpace(text[strings.LastIndexByte(text[:end], '\n')+1:end]) != "" {
			return 0, 0, false // the closing bracket is on the entry's own line
		}
		end = strings.LastIndexByte(text[:end], '\n')
	}
	rest, _, _ := strings.Cut(text[min(end+1, len(text)):], "\n")
	if text[end] == ',' && !isIdle(rest) {
		return 0, 0, false
	}
	from = key.Line - 1
	return from, from + 1 + strings.Count(text[start:end], "\n"), true
}

// cutFlow removes an entry of a flow mapping, or puts other entries in its place. It returns the text and what stood there.
func (d *Doc) cutFlow(list, key *yaml.Node, instead []string) (text, entry string, nth int) {
	text = source.JoinLines(d.lines)
	start := d.at(key)
	end := flowEnd(text, start)
	entry = strings.TrimSpace(text[start:end])
	content := list.Content
	for i := 0; i < len(content); i += 2 {
		if content[i] == key {
			nth = i/2 + 1
		}
	}
	stop := start + len(entry)
	switch {
	case len(instead) > 0:
		return text[:start] + strings.Join(instead, ", ") + text[stop:], entry, nth
	case 2*nth < len(content):
		next := d.at(content[2*nth])
		if end >= next {
			return text, "", nth // flowEnd was wrong; the caller refuses
		}
		if !blankBetween(text, end+1, next) {
			next = end + 1 // the line ends here, perhaps with a comment
		}
		return text[:start] + text[next:], entry, nth
	case nth > 1:
		if before := flowEnd(text, d.at(content[2*nth-4])); blankBetween(text, before+1, start) {
			start = before // the comma goes too
		}
	}
	return text[:start] + text[stop:], entry, nth
}

// blankBetween tells whether only blanks are between two places. Where flowEnd was wrong, the places are in the wrong order.
func blankBetween(text string, from, to int) bool {
	return from <= to && strings.Trim(text[from:to], " ") == ""
}

// insertFlow puts entries into the flow mapping as its nth one (counted from 1; 0 is the last).
func (d *Doc) insertFlow(list *yaml.Node, entries []string, nth int) (string, error) {
	for i, e := range entries {
		if strings.Contains(e, "\n") {
			return "", source.LineError(list.Line, "an entry of several lines does not fit into the flow mapping here; write its hosts one a line")
		}
		if entries[i] = strings.TrimSpace(e); strings.HasSuffix(entries[i], ":") {
			entries[i] += " {}"
		}
	}
	text, count := source.JoinLines(d.lines), len(list.Content)/2
	added := strings.Join(entries, ", ")
	if count == 0 {
		open := d.at(list) + strings.IndexByte(text[d.at(list):], '{') + 1
		return text[:open] + added + text[open:], nil
	}
	if nth > 0 && nth <= count {
		at := d.at(list.Content[2*nth-2])
		return text[:at] + added + ", " + text[at:], nil
	}
	at := flowEnd(text, d.at(list.Content[2*count-2]))
	for at > 0 && strings.IndexByte(" \t\r\n", text[at-1]) >= 0 {
		at--
	}
	return text[:at] + ", " + added + text[at:], nil
}

// nameFlow gives an entry `host` without a colon, which flow mappings allow, the colon that it needs elsewhere.
func nameFlow(entry string) string {
	_, length, ok := keyOf(entry)
	if ok && entry != "" && len(strings.TrimSpace(entry)) <= length {
		return strings.TrimSpace(entry) + ":"
	}
	return entry
}
