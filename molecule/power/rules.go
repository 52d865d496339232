package main

// The rules by which a survivor could be chosen, tried on every two members of every cut.

// rule tells whether it prefers a to b.
type rule struct {
	name   string
	better func(a, b files) bool
}

var rules = []rule{
	{"last (term, index), as etcd_quorum_plan", func(a, b files) bool { return a.Term > b.Term || a.Term == b.Term && a.Index > b.Index }},
	{"last index, whatever its term", func(a, b files) bool { return a.Index > b.Index }},
	{"revision of the database", func(a, b files) bool { return a.Revision > b.Revision }},
	{"consistent_index of the database", func(a, b files) bool { return a.Applied > b.Applied }},
	{"commit index on disk", func(a, b files) bool { return a.Commit > b.Commit }},
}

// pair is, for each rule, how many acknowledged writes its choice loses that the other member had.
type pair []int

func pairs(members []files, acked map[string]bool) (out []pair) {
	for i, a := range members {
		for _, b := range members[:i] {
			p := make(pair, len(rules))
			lostA, lostB := lost(a, acked), lost(b, acked)
			for n, r := range rules {
				switch {
				case r.better(a, b):
					p[n] = max(0, lostA-lostB)
				case r.better(b, a):
					p[n] = max(0, lostB-lostA)
				} // else it leaves the choice open, and gets the better one
			}
			out = append(out, p)
		}
	}
	return out
}

func lost(f files, acked map[string]bool) (n int) {
	for key := range acked {
		if !f.Writes[key] {
			n++
		}
	}
	return n
}
