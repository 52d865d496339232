package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

const bootHelp = "count since the host's boot, also what the mark leaves out"

// podsCommand prints a line of JSON for each container of the static pods.
func (l *Lab) podsCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("pods", flag.ContinueOnError)
	boot := f.Bool("boot", false, bootHelp)
	if err := f.Parse(args); err != nil {
		return err
	}
	records, err := l.podsOf(ctx, f.Args(), *boot)
	out := json.NewEncoder(os.Stdout)
	for _, r := range records {
		err = errors.Join(err, out.Encode(r))
	}
	return err
}

// podsMark records the manifests that are there now, or have been. What happens
// to them later belongs to the trouble that a scenario makes: a recovery starts
// others.
func (l *Lab) podsMark(ctx context.Context, _ []string) error {
	old := map[string]bool{}
	for _, h := range l.podHosts(ctx) {
		records, err := l.pods(ctx, h, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", h.Short(), err)
		}
		for _, r := range records {
			old[r.UID] = true
		}
		events, err := l.podEvents(ctx, h)
		if err != nil {
			return fmt.Errorf("%s: %w", h.Short(), err)
		}
		for _, e := range events {
			old[e.UID] = true
		}
	}
	b, err := json.Marshal(old)
	if err != nil {
		return err
	}
	return os.WriteFile(l.path("pods-mark"), b, 0o600)
}

// marked is nil where no mark was made.
func (l *Lab) marked() (old map[string]bool, err error) {
	b, err := os.ReadFile(l.path("pods-mark"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return old, json.Unmarshal(b, &old)
}

func (l *Lab) podHosts(ctx context.Context) []Host {
	return where(l.Hosts, func(h Host) bool { return h.Pod && l.running(ctx, h) })
}

func (l *Lab) podsOf(ctx context.Context, names []string, boot bool) ([]podRecord, error) {
	hosts := l.podHosts(ctx)
	var old map[string]bool
	var err error
	if len(names) > 0 {
		if hosts, err = pick(l.Hosts, names); err != nil {
			return nil, err
		}
	}
	if !boot {
		if old, err = l.marked(); err != nil {
			return nil, err
		}
	}
	var records []podRecord
	for _, h := range hosts {
		some, err := l.pods(ctx, h, old)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Short(), err)
		}
		records = append(records, some...)
	}
	return records, nil
}

// podsCheckCommand fails unless each of the hosts' containers of one name runs,
// was started as often as said, was killed by no probe, and never held back.
func (l *Lab) podsCheckCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("pods-check", flag.ContinueOnError)
	boot := f.Bool("boot", false, bootHelp)
	pod := f.String("pod", "master-etcd", "which")
	starts := f.Int("starts", -1, "how often it was started, exactly; -1: not looked at")
	if err := f.Parse(args); err != nil {
		return err
	}
	records, err := l.podsOf(ctx, f.Args(), *boot)
	if err != nil {
		return err
	}
	var wrong []string
	found := 0
	for _, r := range records {
		if r.Pod != *pod {
			continue
		}
		found++
		for _, text := range r.complaints(*starts) {
			wrong = append(wrong, r.Host+": "+text)
		}
		fmt.Printf("%-10s %s %s, starts %d, killed by its probe %d, back-offs %d\n", r.Host, r.Pod, r.State, r.Starts, r.Kills, r.BackOffs)
	}
	if found == 0 {
		wrong = append(wrong, "no kubelet has a pod "+*pod)
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

func (r podRecord) complaints(starts int) (wrong []string) {
	if r.State != "running" {
		wrong = append(wrong, r.Pod+" is "+r.State)
	}
	if starts >= 0 && r.Starts != starts {
		wrong = append(wrong, fmt.Sprintf("%s was started %d times, expected %d", r.Pod, r.Starts, starts))
	}
	if r.Kills > 0 {
		wrong = append(wrong, fmt.Sprintf("its probe had %s killed %d times", r.Pod, r.Kills))
	}
	if r.BackOffs > 0 {
		wrong = append(wrong, fmt.Sprintf("CrashLoopBackOff of %s %d times", r.Pod, r.BackOffs))
	}
	return wrong
}

// etcdPodState is for a line of `lab status`.
func (l *Lab) etcdPodState(ctx context.Context, h Host) string {
	records, err := l.pods(ctx, h, nil)
	if err != nil {
		return "kubelet down"
	}
	for _, r := range records {
		if r.Pod == "master-etcd" {
			return "pod " + r.State
		}
	}
	return "no pod"
}
