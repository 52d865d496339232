package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// podsCommand prints a line of JSON for each container of the static pods.
func (l *Lab) podsCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("pods", flag.ContinueOnError)
	since := f.String("since", "", sinceHelp)
	if err := f.Parse(args); err != nil {
		return err
	}
	records, err := l.podsOf(ctx, f.Args(), *since)
	out := json.NewEncoder(os.Stdout)
	for _, r := range records {
		err = errors.Join(err, out.Encode(r))
	}
	return err
}

const sinceHelp = "count from then on: the time of `lab pods-mark`, or RFC 3339; default: the host's boot"

// podsMark remembers the time, which the journals are then read from.
func (l *Lab) podsMark(context.Context, []string) error {
	return os.WriteFile(l.path("pods-mark"), []byte(time.Now().Format(time.RFC3339Nano)), 0o600)
}

func (l *Lab) podsOf(ctx context.Context, names []string, since string) ([]podRecord, error) {
	from, err := l.sinceTime(since)
	if err != nil {
		return nil, err
	}
	hosts := where(l.Hosts, func(h Host) bool { return h.Pod })
	if len(names) > 0 {
		if hosts, err = pick(l.Hosts, names); err != nil {
			return nil, err
		}
	}
	var records []podRecord
	for _, h := range hosts {
		some, err := l.pods(ctx, h, from)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Short(), err)
		}
		records = append(records, some...)
	}
	return records, nil
}

func (l *Lab) sinceTime(since string) (time.Time, error) {
	if since == "" {
		return time.Time{}, nil
	}
	if since == "mark" {
		b, err := os.ReadFile(l.path("pods-mark"))
		if err != nil {
			return time.Time{}, fmt.Errorf("no mark; `lab pods-mark %s` makes one: %w", l.Name, err)
		}
		since = string(b)
	}
	return time.Parse(time.RFC3339Nano, since)
}

// podsCheckCommand fails unless each of the hosts' containers of one name runs,
// was started as often as said, was killed by no probe, and is not held back.
func (l *Lab) podsCheckCommand(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("pods-check", flag.ContinueOnError)
	since := f.String("since", "mark", sinceHelp)
	container := f.String("container", "etcd", "which")
	starts := f.Int("starts", -1, "how often it was started since then, exactly; -1: not looked at")
	if err := f.Parse(args); err != nil {
		return err
	}
	records, err := l.podsOf(ctx, f.Args(), *since)
	if err != nil {
		return err
	}
	var wrong []string
	found := 0
	for _, r := range records {
		if r.Container != *container {
			continue
		}
		found++
		for _, text := range r.complaints(*starts) {
			wrong = append(wrong, r.Host+": "+text)
		}
		fmt.Printf("%-10s %s %s, starts %d, killed by its probe %d, back-offs %d (of this manifest %d)\n",
			r.Host, r.Container, r.State, r.Starts, r.Kills, r.BackOffs, r.BackOff)
	}
	if found == 0 {
		wrong = append(wrong, "no kubelet has a container "+*container)
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "; "))
	}
	return nil
}

func (r podRecord) complaints(starts int) (wrong []string) {
	if r.State != "running" {
		wrong = append(wrong, r.Container+" is "+r.State)
	}
	if starts >= 0 && r.Starts != starts {
		wrong = append(wrong, fmt.Sprintf("%s was started %d times, expected %d", r.Container, r.Starts, starts))
	}
	if r.Kills > 0 {
		wrong = append(wrong, fmt.Sprintf("its probe had %s killed %d times", r.Container, r.Kills))
	}
	if r.BackOff > 0 {
		wrong = append(wrong, fmt.Sprintf("CrashLoopBackOff %d times", r.BackOff))
	}
	return wrong
}

// etcdPodState is for a line of `lab status`.
func (l *Lab) etcdPodState(ctx context.Context, h Host) string {
	records, err := l.pods(ctx, h, time.Time{})
	if err != nil {
		return "kubelet down"
	}
	for _, r := range records {
		if r.Container == "etcd" {
			return "pod " + r.State
		}
	}
	return "no pod"
}
