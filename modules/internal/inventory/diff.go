package inventory

import (
	"strings"

	"etcd-quorum-restore/modules/internal/inventory/source"
)

// Diff returns the lines that an edit removes and those that it adds, each below the heading of its section. Inventories hold passwords under any
// name and in any form, so it shows the names of groups and hosts and the structure, and no value: a host's line is `NAME …`.
func (e Edit) Diff() (before, after string) {
	a, b := view(e.Before, e.doc[0]), view(e.After, e.doc[1])
	keepA, keepB := common(a.lines, b.lines)
	before, after = a.excerpt(keepA, e.known), b.excerpt(keepB, e.known)
	if before == after { // a line has only moved: the lines that it has passed show where to
		front, back, shorter := 0, 0, min(len(keepA), len(keepB))
		for front < shorter && keepA[front] && keepB[front] {
			front++
		}
		for back < shorter-front && keepA[len(keepA)-1-back] && keepB[len(keepB)-1-back] {
			back++
		}
		clear(keepA[front : len(keepA)-back])
		clear(keepB[front : len(keepB)-back])
		before, after = a.excerpt(keepA, e.known), b.excerpt(keepB, e.known)
	}
	return before, after
}

// placed is a line with the heading above it: below another heading it counts as another line.
type placed struct {
	source.Line
	below string
}

// side is one of the two texts of a diff.
type side struct {
	doc      source.Document
	lines    []placed
	headings []int
}

func view(text string, doc source.Document) side {
	s := side{doc: doc, headings: doc.Headings()}
	raw := source.SplitLines(text)
	for i, l := range raw {
		p := placed{Line: l}
		if h := s.headings[i]; h >= 0 && h != i {
			p.below = raw[h].Text
		}
		s.lines = append(s.lines, p)
	}
	return s
}

// common marks the lines that both texts share, by the shortest edit script (Myers, 1986): edits here are few, files can be long.
func common(a, b []placed) (inA, inB []bool) {
	inA, inB = make([]bool, len(a)), make([]bool, len(b))
	front := 0
	for front < len(a) && front < len(b) && a[front] == b[front] {
		inA[front], inB[front] = true, true
		front++
	}
	endA, endB := len(a), len(b)
	for endA > front && endB > front && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
		inA[endA], inB[endB] = true, true
	}
	for _, p := range shared(a[front:endA], b[front:endB]) {
		inA[front+p[0]], inB[front+p[1]] = true, true
	}
	return inA, inB
}

// shared returns pairs of indexes of equal lines.
func shared(a, b []placed) [][2]int {
	reach := map[int]int{1: 0}
	var trace []map[int]int
	for d := 0; d <= len(a)+len(b); d++ {
		step := make(map[int]int, 2*d+3)
		for k, v := range reach {
			step[k] = v
		}
		trace = append(trace, step)
		for k := -d; k <= d; k += 2 {
			x := reach[k-1] + 1
			if k == -d || k != d && reach[k-1] < reach[k+1] {
				x = reach[k+1]
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			if reach[k] = x; x >= len(a) && x-k >= len(b) {
				return walkBack(trace, len(a), len(b))
			}
		}
	}
	return nil
}

func walkBack(trace []map[int]int, x, y int) [][2]int {
	var out [][2]int
	for d := len(trace) - 1; d >= 0; d-- {
		reach, k := trace[d], x-y
		from := k - 1
		if k == -d || k != d && reach[k-1] < reach[k+1] {
			from = k + 1
		}
		startX := reach[from]
		startY := startX - from
		for x > startX && y > startY && x > 0 && y > 0 {
			x, y = x-1, y-1
			out = append(out, [2]int{x, y})
		}
		x, y = startX, startY
	}
	return out
}

// excerpt writes the lines that differ, each below its heading.
func (s side) excerpt(same []bool, known func(string) bool) string {
	var b strings.Builder
	heading, last := -1, ""
	write := func(i int) {
		text := s.doc.Shown(i, known)
		if strings.HasSuffix(text, source.Hidden) && strings.TrimSpace(text) == last { // values of many lines are one …
			return
		}
		b.WriteString(text + "\n")
		last = strings.TrimSpace(text)
	}
	for i := range same {
		if same[i] {
			continue
		}
		if h := s.headings[i]; h != heading {
			if heading = h; h >= 0 && h != i {
				write(h)
			}
		}
		write(i)
	}
	return b.String()
}
