// states makes states of a cluster on real hosts, runs restore_quorum.yml as its user does, and says how each ends. See README.md.
//
//	states list [short]   names of the states, one a line
//	states one NAME LOG   one of them, on the hosts of the lab $LAB, which stay up; its row is printed
//	states heading        of the table
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := do(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "states:", err)
		os.Exit(1)
	}
}

const row = "%-58s %-34s %-8s %5s %5s\n"

func do(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "heading":
		fmt.Printf(row, "state", "the plans", "end", "lost", "s")
		return nil
	case len(args) > 0 && args[0] == "list":
		for _, s := range states() {
			if len(args) == 1 || s.Short {
				fmt.Println(s.Name)
			}
		}
		return nil
	case len(args) == 3 && args[0] == "one":
		s, err := find(args[1])
		if err != nil {
			return err
		}
		return one(ctx, s, args[2])
	}
	return errors.New("usage: states list [short] | heading | one NAME LOG")
}

// one prints the row of a state, and fails where the state did not end as it must.
func one(ctx context.Context, s state, logFile string) error {
	if s.Skip != "" {
		fmt.Printf(row, s.Name, "", skipped, "", "")
		fmt.Println("    ", s.Skip)
		return nil
	}
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	defer log.Close()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	began := time.Now()
	l := lab{root: root, name: os.Getenv("LAB"), pods: s.Pods, log: log}
	if s.Pods {
		l.name += "-pods"
	}
	r, err := attempt(ctx, l, s)
	if err != nil {
		return fmt.Errorf("%s: %w; log: %s", s.Name, err, logFile)
	}
	missing := "-"
	if r.lost >= 0 {
		missing = fmt.Sprint(r.lost)
	}
	fmt.Printf(row, s.Name, strings.Join(r.plans, ", "), r.end, missing, fmt.Sprint(int(time.Since(began).Seconds())))
	if r.end != s.expected() {
		return fmt.Errorf("%s: %s, and not %s: %s; log: %s", s.Name, r.end, s.expected(), r.why, logFile)
	}
	return nil
}

func (s state) expected() end {
	if s.End == "" {
		return whole
	}
	return s.End
}
