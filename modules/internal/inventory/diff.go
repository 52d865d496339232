package inventory

import (
	"regexp"
	"strings"
)

// Diff returns the lines that an edit takes away and those it puts there, each below the heading of its section. It never holds more
// of the file: inventories hold passwords. Those on the lines themselves are masked.
func (e Edit) Diff() (before, after string) {
	a, b := splitLines(e.Before), splitLines(e.After)
	keepA, keepB := common(a, b)
	return excerpt(a, keepA, e.doc[0]), excerpt(b, keepB, e.doc[1])
}

// common marks the lines that both texts share, by the shortest edit script (Myers, 1986): edits here are few, files can be long.
func common(a, b []line) (inA, inB []bool) {
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
func shared(a, b []line) [][2]int {
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

func excerpt(lines []line, same []bool, doc document) string {
	var b strings.Builder
	last := ""
	for i, l := range lines {
		if same[i] {
			continue
		}
		if h := doc.heading(i); h != "" && h != last && h != l.text {
			b.WriteString(h + "\n")
			last = h
		}
		if h := doc.heading(i); h == l.text {
			last = h
		}
		b.WriteString(HideSecrets(l.text) + "\n")
	}
	return b.String()
}

var secret = regexp.MustCompile(`(?i)([\w-]*(?:passw|_pass\b|secret|token)[\w-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,}]+)`)

// HideSecrets masks the values of variables whose names say that they are secret.
func HideSecrets(s string) string { return secret.ReplaceAllString(s, "${1}********") }
