// power cuts the power of whole clusters and tries each member as the only survivor: restored by the product, and by etcd's plain forced start
// on a copy of the same data. It prints one table, and fails when the product breaks its promise. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := run
	if len(os.Args) > 1 && os.Args[1] == "plain" {
		do = plainMain
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "power:", err)
		os.Exit(1)
	}
}

// options come from the environment, as make passes them on.
type options struct {
	cuts, quiet, survivors, jobs, stale int
	part                                part
	kept                                string // directory of results that need not be computed again; "" keeps none
}

func readOptions() (o options, err error) {
	for _, v := range []struct {
		name     string
		into     *int
		standard int
		most     int
	}{{"CUTS", &o.cuts, 20, 1000}, {"QUIET", &o.quiet, 4, 1000}, {"SURVIVORS", &o.survivors, 3, 3}, {"JOBS", &o.jobs, 2, 8}, {"STALE", &o.stale, 1, 1}} {
		*v.into = v.standard
		text := os.Getenv(v.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > v.most {
			return o, fmt.Errorf("%s=%s: a number up to %d is meant", v.name, text, v.most)
		}
		*v.into = n
	}
	o.kept = os.Getenv("KEPT")
	if o.part, err = readPart(os.Getenv("PART")); err != nil {
		return o, err
	}
	if o.cuts+o.quiet+o.stale == 0 || o.survivors == 0 || o.jobs == 0 {
		return o, errors.New("CUTS, QUIET and STALE, SURVIVORS, JOBS: nothing to do with 0 of them")
	}
	return o, nil
}

// run makes the cuts, several labs at a time: nearly all of it is etcd's own waiting.
func run(ctx context.Context) error {
	o, err := readOptions()
	if err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	var cuts []*cut
	for n := range o.cuts + o.quiet {
		if !o.part.has(n) {
			continue
		}
		// The quiet ones come in between, so that a run that is ended early has some.
		cuts = append(cuts, &cut{Number: n, Quiet: (n+1)*o.quiet/(o.cuts+o.quiet) > n*o.quiet/(o.cuts+o.quiet)})
	}
	errs := []error{runAll(ctx, cuts, o, root)}
	// Also for a run that was ended early: finished cuts count.
	broken := report(os.Stdout, slices.DeleteFunc(cuts, func(c *cut) bool { return !c.Done }))
	if o.stale > 0 && o.part.has(o.cuts+o.quiet) && ctx.Err() == nil {
		more, err := runStale(ctx, root)
		broken, errs = append(broken, more...), append(errs, err)
	}
	for _, what := range broken {
		errs = append(errs, errors.New("BROKEN: "+what))
	}
	return errors.Join(errs...)
}

func runStale(ctx context.Context, root string) (broken []string, err error) {
	var s stale
	err = workIn(root, "stale", func(dir string) (bool, error) {
		if err := s.run(ctx, lab{root: root, name: "power-stale"}, dir); err != nil {
			return false, fmt.Errorf("stale leader: %w", err)
		}
		broken = s.report(os.Stdout)
		return wentWell(s.Ours), nil
	})
	return broken, err
}

// runAll goes on after a cut that could not be made, for example where a host did not boot; the run fails at its end.
func runAll(ctx context.Context, cuts []*cut, o options, root string) error {
	todo := make(chan *cut, len(cuts))
	for _, c := range cuts {
		todo <- c
	}
	close(todo)
	errs := make([]error, o.cuts+o.quiet)
	var wg sync.WaitGroup
	for job := range min(o.jobs, len(cuts)) {
		wg.Go(func() {
			l := lab{root: root, name: fmt.Sprint("power-", job)}
			for c := range todo {
				if ctx.Err() != nil {
					return
				}
				if err := one(ctx, c, l, o); err != nil {
					errs[c.Number] = fmt.Errorf("cut %d: %w", c.Number, err)
					fmt.Println(errs[c.Number])
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// one makes one cut; its files are kept where the product broke its promise.
func one(ctx context.Context, c *cut, l lab, o options) error {
	if o.recall(c) {
		fmt.Println(c.line())
		return nil
	}
	return workIn(l.root, strconv.Itoa(c.Number), func(dir string) (bool, error) {
		if err := c.run(ctx, l, dir, o.survivors); err != nil {
			return false, err
		}
		c.Done = true
		fmt.Println(c.line())
		well := wentWell(c.Ours...)
		if !well {
			return false, nil
		}
		return true, o.keep(c)
	})
}

// wentWell tells whether all went well, and prints what did not.
func wentWell(ours ...outcome) bool {
	well := true
	for _, o := range ours {
		var one column
		if one.add([]outcome{o}); len(one.broken()) > 0 {
			fmt.Printf("        %+v\n", o)
			well = false
		}
	}
	return well
}

// workIn gives work an empty directory, which is removed when all went well.
func workIn(root, name string, work func(dir string) (well bool, err error)) error {
	dir := filepath.Join(root, ".cache/power", name)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return err
	}
	well, err := work(dir)
	if well && err == nil {
		return os.RemoveAll(dir)
	}
	fmt.Println("        files:", dir)
	return err
}
