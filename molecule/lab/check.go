package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"
)

// writerCheck looks for every acknowledged write in each member by itself, and
// compares the members' data.
func (l *Lab) writerCheck(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("check", flag.ContinueOnError)
	names := f.String("hosts", "", "members to look into (a,b); default: all")
	timeout := f.Duration("timeout", time.Minute, "limit")
	lossOnly := f.Bool("loss-only", false, "do not compare the members with each other")
	if err := f.Parse(args); err != nil {
		return err
	}
	hosts := members(l.Hosts)
	var err error
	if *names != "" {
		if hosts, err = pick(l.Hosts, strings.Split(*names, ",")); err != nil {
			return err
		}
	}
	acks, err := readAcks(l.ackedLog())
	if err != nil {
		return fmt.Errorf("no writer's log (%w): `lab writer start %s` makes one", err, l.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	contents, err := l.contentsOf(ctx, hosts)
	if err != nil {
		return err
	}
	bad := reportLosses(hosts, contents, acks)
	if !*lossOnly {
		bad = reportDifferences(hosts, contents) || bad
	}
	if bad {
		return exitStatus(1)
	}
	return nil
}

func reportLosses(hosts []Host, contents []content, acks []Ack) (bad bool) {
	for i, h := range hosts {
		line := fmt.Sprintf("%-10s", h.Short())
		if err := contents[i].err; err != nil {
			fmt.Printf("%s  cannot be read: %v\n", line, err)
			bad = true
			continue
		}
		var lost []string
		for _, s := range []struct {
			store string
			have  map[string]string
		}{{"v3", contents[i].v3}, {"v2", contents[i].v2}} {
			want := wanted(acks, s.store)
			gone := missing(want, s.have)
			line += fmt.Sprintf("  %s: %d of %d acknowledged writes", s.store, len(want)-len(gone), len(want))
			for _, k := range gone {
				lost = append(lost, s.store+" "+k)
			}
		}
		if !contents[i].fresh {
			line += "  (no quorum: its own state)"
		}
		fmt.Println(line)
		for n, k := range lost {
			if n == 20 {
				fmt.Printf("  missing: and %d more\n", len(lost)-n)
				break
			}
			fmt.Println("  missing:", k)
		}
		bad = bad || len(lost) > 0
	}
	return bad
}

// reportDifferences compares members that were read at the same revision with
// the first that could be read.
func reportDifferences(hosts []Host, contents []content) (bad bool) {
	readable := 0
	var first content
	var name string
	for i, c := range contents {
		if c.err != nil {
			continue
		}
		if readable++; readable == 1 {
			first, name = c, hosts[i].Short()
			continue
		}
		bad = differs(hosts[i].Short(), c, name, first) || bad
	}
	if !bad && readable > 1 {
		fmt.Printf("equal data on %d members: %d v3 keys at revision %d, %d v2 keys\n", readable, len(first.v3), first.revision, len(first.v2))
	}
	return bad
}

func differs(name string, c content, firstName string, first content) bool {
	if c.revision != first.revision {
		fmt.Printf("%-10s  read at revision %d, %s at %d: not compared\n", name, c.revision, firstName, first.revision)
		return true
	}
	bad := c.sum != first.sum
	if bad {
		fmt.Printf("%-10s  DIFFERENT v3 DATA at revision %d: %d keys, sum %s; %s: %d keys, sum %s\n",
			name, c.revision, len(c.v3), c.sum, firstName, len(first.v3), first.sum)
	}
	// Without quorum two members may be apart by what was under way.
	lacks, extra := missing(first.v2, c.v2), missing(c.v2, first.v2)
	if c.fresh && first.fresh && len(lacks)+len(extra) > 0 {
		fmt.Printf("%-10s  DIFFERENT v2 DATA: lacks %d keys of %s, has %d others\n", name, len(lacks), firstName, len(extra))
		bad = true
	}
	return bad
}
