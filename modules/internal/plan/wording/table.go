package wording

import (
	"strings"
	"unicode/utf8"
)

// Width is what fits an operator's terminal.
const Width = 100

// Indent is the column where the text behind a label begins.
const Indent = 12

// Table aligns columns by their longest cell. Where a line would be too long, the first cell is put on a line of its own.
func Table(header []string, rows [][]string, right map[int]bool) []string {
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
	size[0] = max(min(size[0], Width-rest), 4)
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
	b.WriteString(Pad(first, size[0], false))
	for i, cell := range row[1:] {
		b.WriteString("  " + Pad(cell, size[i+1], right[i+1]))
	}
	return append(lines, strings.TrimRight(b.String(), " "))
}

// Pad fills s up to n columns; right puts the blanks to its left.
func Pad(s string, n int, right bool) string {
	space := strings.Repeat(" ", max(n-utf8.RuneCountInString(s), 0))
	if right {
		return space + s
	}
	return s + space
}

// Labelled puts a label before a text, and wraps the text at words, with the further lines indented.
func Labelled(label, text string) []string {
	return wrap(Pad(label, Indent, false), strings.Repeat(" ", Indent), text)
}

func wrap(first, rest, text string) []string {
	var lines []string
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > Width {
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
