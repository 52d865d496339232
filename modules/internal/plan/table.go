package plan

import (
	"strings"
	"unicode/utf8"
)

// width is what fits an operator's terminal.
const width = 100

// indent is where the texts begin that stand behind a label.
const indent = 12

// table aligns columns by their longest cell. The first one gives way where a line would be too long: its cell then stands on a line
// of its own.
func table(header []string, rows [][]string, right map[int]bool) []string {
	all := append([][]string{header}, rows...)
	size := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			size[i] = max(size[i], utf8.RuneCountInString(cell))
		}
	}
	rest := 0
	for _, s := range size[1:] {
		rest += s + 2
	}
	size[0] = max(min(size[0], width-rest), 4)
	var lines []string
	for _, row := range all {
		lines = append(lines, format(row, size, right)...)
	}
	return lines
}

func format(row []string, size []int, right map[int]bool) []string {
	var lines []string
	first := row[0]
	if utf8.RuneCountInString(first) > size[0] {
		lines, first = append(lines, first), ""
	}
	var b strings.Builder
	b.WriteString(pad(first, size[0], false))
	for i, cell := range row[1:] {
		b.WriteString("  " + pad(cell, size[i+1], right[i+1]))
	}
	return append(lines, strings.TrimRight(b.String(), " "))
}

func pad(s string, n int, right bool) string {
	space := strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0))
	if right {
		return space + s
	}
	return s + space
}

// labelled puts a label before a text, and breaks the text at words; what follows is indented below it.
func labelled(label, text string) []string {
	return wrap(pad(label, indent, false), strings.Repeat(" ", indent), text)
}

func wrap(first, rest, text string) []string {
	var lines []string
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return append(lines, strings.TrimRight(line, " "))
}
