package main

import (
	"fmt"
	"io"
)

// column is the sum of what happened to survivors.
type column struct{ survivors, failed, losing, ofLog, never, discarded, hanging, unjoined, unequal int }

func (c *column) add(outcomes []outcome) {
	for _, o := range outcomes {
		c.survivors++
		c.ofLog += o.LostOfLog
		c.never += o.NeverInLog
		c.discarded += o.Discarded
		c.losing += count(o.LostOfLog+o.NeverInLog > 0)
		c.failed += count(o.Failed != "")
		c.hanging += count(o.Hangs)
		c.unjoined += count(o.Unjoined != "")
		c.unequal += count(o.Unequal != "")
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// summary is one cell of a cut's line: lost writes, and other faults.
func summary(outcomes []outcome) string {
	var c column
	c.add(outcomes)
	text := fmt.Sprintf("lost %d of the log, %d never in it", c.ofLog, c.never)
	for _, more := range []struct {
		n    int
		what string
	}{{c.failed, "failed"}, {c.hanging, "hanging"}, {c.unjoined, "not joined"}, {c.unequal, "unequal"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return text
}

// broken names the rules of the product that a column breaks.
func (c column) broken() (what []string) {
	for _, r := range []struct {
		n    int
		text string
	}{
		{c.failed, "survivors were not restored"},
		{c.ofLog, "acknowledged writes that were in the chosen log are lost"},
		{c.hanging, "clusters hang on a write"},
		{c.unjoined, "second members could not join"},
		{c.unequal, "second members have other data"},
	} {
		if r.n > 0 {
			what = append(what, fmt.Sprintf("%d %s", r.n, r.text))
		}
	}
	return what
}

// report prints both columns, for cuts under writers and on quiet clusters separately, and the rules. It returns what is broken.
func report(w io.Writer, cuts []*cut) (broken []string) {
	for _, quiet := range []bool{false, true} {
		var plain, ours column
		n, acked := 0, 0
		for _, c := range cuts {
			if c.Quiet == quiet {
				n, acked = n+1, acked+c.Acked
				plain.add(c.Plain)
				ours.add(c.Ours)
			}
		}
		if n == 0 {
			continue
		}
		title := "under 32 writers, v3 and v2"
		if quiet {
			title = "on a cluster that was quiet after a burst of 64 clients"
		}
		fmt.Fprintf(w, "\n%d power cuts of all three members %s, %d acknowledged writes\n", n, title, acked)
		columns(w, "plain force", plain, ours)
		broken = append(broken, ours.broken()...)
	}
	if len(cuts) > 0 {
		broken = append(broken, reportRules(w, cuts)...)
	}
	return broken
}

func columns(w io.Writer, control string, plain, ours column) {
	fmt.Fprintf(w, "%-66s %12s %12s\n", "", control, "ours")
	for _, row := range []struct {
		name string
		of   func(column) int
	}{
		{"members tried as the only survivor", func(c column) int { return c.survivors }},
		{"  of these not brought to serve", func(c column) int { return c.failed }},
		{"survivors that lost acknowledged writes", func(c column) int { return c.losing }},
		{"acknowledged writes lost that were in the survivor's log", func(c column) int { return c.ofLog }},
		{"acknowledged writes lost that never were in its log", func(c column) int { return c.never }},
		{"entries of the log that etcd threw away", func(c column) int { return c.discarded }},
		{"clusters that hang on a write", func(c column) int { return c.hanging }},
		{"second members that could not join", func(c column) int { return c.unjoined }},
		{"second members that joined and hold other data", func(c column) int { return c.unequal }},
	} {
		fmt.Fprintf(w, "%-66s %12d %12d\n", row.name, row.of(plain), row.of(ours))
	}
}

// reportRules sums the pairs of all cuts.
func reportRules(w io.Writer, cuts []*cut) []string {
	n, wrong, needless := 0, make([]int, len(rules)), make([]int, len(rules))
	for _, c := range cuts {
		for _, p := range c.Pairs {
			n++
			for i, lost := range p {
				needless[i] += lost
				wrong[i] += count(lost > 0)
			}
		}
	}
	fmt.Fprintf(w, "\nWhich of two members is the better survivor? %d pairs\n", n)
	fmt.Fprintf(w, "%-66s %12s %12s\n", "chosen by the greater", "wrong", "needlessly lost")
	for i, r := range rules {
		fmt.Fprintf(w, "%-66s %12d %12d\n", r.name, wrong[i], needless[i])
	}
	if wrong[0] > 0 {
		return []string{fmt.Sprintf("the rule of etcd_quorum_plan is wrong for %d pairs", wrong[0])}
	}
	return nil
}
