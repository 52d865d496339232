// Package wording builds sentences and tables for people. Lines fit a terminal of 100 columns.
package wording

import (
	"fmt"
	"strings"
)

// And joins names for a sentence: "a", "a and b", "a, b and c".
func And(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Or joins names that exclude each other: "a", "a or b", "a, b or c".
func Or(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Were puts the verb behind names: "a was", "a and b were".
func Were(names []string) string {
	if len(names) == 1 {
		return names[0] + " was"
	}
	return And(names) + " were"
}

// Entries counts entries of a log: "1 entry", "2 entries".
func Entries(n uint64) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// Size has the unit that a person would choose.
func Size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", (bytes+1<<20-1)>>20)
}

// Minutes is an approximate duration in words.
func Minutes(seconds int) string {
	if seconds < 90 {
		return fmt.Sprintf("%d seconds", (seconds+9)/10*10)
	}
	return fmt.Sprintf("%d minutes", (seconds+59)/60)
}
