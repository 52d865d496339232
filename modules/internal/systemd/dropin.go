package systemd

import (
	"os"
	"strings"
)

// Setting is one assignment of a unit file. Line counts from 1; the offsets are those of the whole assignment, continuation lines
// and line end included.
type Setting struct {
	Section, Key, Value string
	Line                int
	Start, End          int
}

// Settings lists the assignments of a unit file in order. A line that ends in a backslash goes on in the next; comments begin
// with # or ; [systemd.syntax(7)].
func Settings(text string) []Setting {
	var out []Setting
	section, line, offset := "", 1, 0
	for offset < len(text) {
		raw, lines := logicalLine(text[offset:])
		s := Setting{Section: section, Line: line, Start: offset, End: offset + len(raw)}
		offset, line = s.End, line+lines
		bare := strings.TrimSpace(strings.ReplaceAll(raw, "\\\n", " "))
		switch {
		case bare == "", bare[0] == '#', bare[0] == ';':
		case bare[0] == '[':
			section = strings.Trim(bare, "[]")
		default:
			if key, value, ok := strings.Cut(bare, "="); ok {
				s.Key, s.Value = strings.TrimSpace(key), strings.TrimSpace(value)
				out = append(out, s)
			}
		}
	}
	return out
}

// logicalLine is the text up to and with the line end that no backslash precedes, and how many lines that is. A comment does not continue.
func logicalLine(text string) (string, int) {
	comment := strings.HasPrefix(strings.TrimLeft(text, " \t"), "#") || strings.HasPrefix(strings.TrimLeft(text, " \t"), ";")
	lines := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '\n' {
			continue
		}
		lines++
		if comment || i == 0 || text[i-1] != '\\' {
			return text[:i+1], lines
		}
	}
	return text, lines + 1
}

// ResetsAsserts tells whether the file empties the list of assertions that files before it have set up.
func ResetsAsserts(path string) (bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	for _, s := range Settings(string(text)) {
		if s.Section == "Unit" && strings.HasPrefix(s.Key, "Assert") && s.Value == "" {
			return true, nil
		}
	}
	return false, nil
}
