package histories

import "sort"

// Ranking sorts by the log, the newest first; among equal ones, those that serve come first, then the inventory's order counts.
func Ranking(nodes []*Node) []*Node {
	out := append([]*Node(nil), nodes...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if Newer(a.Facts.Log, b.Facts.Log) || Newer(b.Facts.Log, a.Facts.Log) {
			return Newer(a.Facts.Log, b.Facts.Log)
		}
		return a.Facts.Live.Serves && !b.Facts.Live.Serves // it ends properly, and gives a snapshot
	})
	return out
}
