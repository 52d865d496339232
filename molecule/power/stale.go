package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stale is five members of which two are left. One is a leader that had lost the others: its log is the longer one, of an older term, and holds
// nothing of what was acknowledged since. The other one was delayed for a while, and received everything right before the power was cut: that is
// in its log, but not yet in its database, which is therefore the older one.
type stale struct {
	Acked         int
	Leader, Other files   // the stale leader, and a member of the majority that went on
	ByIndex       outcome // the stale leader forced, since its log is the longest
	Ours          outcome
	Wrong         []string // rules that prefer the stale leader
}

// The stale leader's log must outgrow the others', in the seconds until it notices that it is alone.
const (
	staleClients = "200"
	othersWrites = 50
)

func (s *stale) run(ctx context.Context, l lab, dir string) error {
	l.down()
	defer l.down()
	if err := l.up(ctx, 5); err != nil {
		return err
	}
	leader, other, acked, err := breakUp(ctx, l, dir)
	if err != nil {
		return err
	}
	s.Acked, s.Leader, s.Other = len(acked), leader.files, other.files
	if s.Leader.Index <= s.Other.Index || s.Leader.Term >= s.Other.Term || lost(s.Other, acked) > 0 {
		return fmt.Errorf("the state was not reached: the leader that was cut off ends with entry %d of term %d, the other with %d of term %d",
			s.Leader.Index, s.Leader.Term, s.Other.Index, s.Other.Term)
	}
	for i, lost := range pairs([]files{s.Leader, s.Other}, acked)[0] {
		if lost > 0 {
			s.Wrong = append(s.Wrong, rules[i].name)
		}
	}
	byIndex := make(chan outcome, 1)
	go func() { byIndex <- leader.plain(ctx, l, acked) }()
	s.Ours = restoreTwo(ctx, l, leader, other, acked)
	s.ByIndex = <-byIndex
	return ctx.Err()
}

// breakUp leaves two hosts of five: the leader that was cut off, and a follower of the majority.
func breakUp(ctx context.Context, l lab, dir string) (leader, other host, acked map[string]bool, err error) {
	all := []string{"etcd-0", "etcd-1", "etcd-2", "etcd-3", "etcd-4"}
	old, follower, rest, err := cutOff(ctx, l, all)
	if err != nil {
		return leader, other, nil, err
	}
	if err = goOn(ctx, l, rest, old); err == nil {
		err = catchUp(ctx, l, filepath.Join(dir, "early"), follower)
	}
	if err != nil {
		return leader, other, nil, err
	}
	left, acked, err := cutPower(ctx, l, dir, all, []string{old, follower})
	if err != nil {
		return leader, other, nil, err
	}
	return left[0], left[1], acked, nil
}

// cutOff delays a follower, cuts the leader off from all others, and lets clients write to it, which it can no longer acknowledge. rest are the
// hosts that go on.
func cutOff(ctx context.Context, l lab, all []string) (old, follower string, rest []string, err error) {
	if _, err = l.do(ctx, "writer", "start", l.name, "--v2"); err == nil {
		err = l.awaitWrites(ctx, quietWrites/2)
	}
	if err != nil {
		return "", "", nil, err
	}
	if old, err = leaderOf(ctx, l, all, ""); err != nil {
		return "", "", nil, err
	}
	others := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == old })
	follower, rest = others[0], others[1:]
	if _, err = l.do(ctx, "exec", l.name, follower, "--", "pkill", "-STOP", "-x", "etcd"); err == nil {
		err = l.awaitWrites(ctx, quietWrites)
	}
	if err != nil {
		return "", "", nil, err
	}
	return old, follower, rest, l.all(ctx, []string{"writer", "stop", l.name}, append([]string{"cut", l.name, old}, others...),
		[]string{"writer", "start", l.name, "--hosts", old, "--clients", staleClients, "--rate", "0", "--timeout", "300ms", "--no-wait"})
}

// goOn lets the majority elect a leader and acknowledge writes.
func goOn(ctx context.Context, l lab, rest []string, old string) error {
	if _, err := leaderOf(ctx, l, rest, old); err != nil {
		return err
	}
	before, err := l.acked()
	if err != nil {
		return err
	}
	err = l.all(ctx, []string{"writer", "stop", l.name},
		[]string{"writer", "start", l.name, "--hosts", strings.Join(rest, ","), "--rate", "50", "--v2"})
	if err == nil {
		err = l.awaitWrites(ctx, len(before)+othersWrites)
	}
	if err == nil {
		_, err = l.do(ctx, "writer", "stop", l.name)
	}
	return err
}

// blinks are how long a delayed follower runs at a time. It needs some tenths of a second to be connected again; then it gets the whole log in
// less than the 0.1 s after which its database is committed.
var blinks = []string{"0.3", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1", "0.1"}

// catchUp lets the follower run until its log has everything that was acknowledged, and no longer. Where that takes too long, it runs on.
func catchUp(ctx context.Context, l lab, dir, follower string) error {
	acked, err := l.acked()
	if err != nil {
		return err
	}
	for i, blink := range blinks {
		if _, err := l.do(ctx, "exec", l.name, follower, "--", "sh", "-c", "p=$(pidof etcd); kill -CONT $p; sleep "+blink+"; kill -STOP $p"); err != nil {
			return err
		}
		h, err := fetch(ctx, l, follower, fmt.Sprint(dir, i))
		if err != nil || lost(h.files, acked) == 0 {
			return err
		}
	}
	if _, err := l.do(ctx, "exec", l.name, follower, "--", "pkill", "-CONT", "-x", "etcd"); err != nil {
		return err
	}
	c, _, err := l.client(ctx, follower)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.content(ctx, serveLimit, 0) // a linearizable read: it has applied all that is acknowledged
	return err
}

// leaderOf waits until all of these members follow one of them, and no longer the old leader.
func leaderOf(ctx context.Context, l lab, names []string, old string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, serveLimit)
	defer cancel()
	for ctx.Err() == nil {
		leaders, ids := map[uint64]bool{}, map[uint64]string{}
		for _, name := range names {
			c, url, err := l.client(ctx, name)
			if err != nil {
				return "", err
			}
			status, err := c.Status(ctx, url)
			c.Close()
			if err != nil {
				return "", err
			}
			leaders[status.Leader], ids[status.Header.MemberId] = true, name
		}
		for id, name := range ids {
			if len(leaders) == 1 && leaders[id] && name != old {
				return name, nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return "", errors.New("no leader was elected")
}

// restoreTwo lets the product choose between the two that are left. The stale leader comes back as a member, with the other's data.
func restoreTwo(ctx context.Context, l lab, leader, other host, acked map[string]bool) outcome {
	if _, err := l.do(ctx, "poweron", l.name, leader.name, other.name); err != nil {
		return outcome{Failed: err.Error()}
	}
	if err := l.playbook(ctx, filepath.Dir(other.dir), "restore_quorum.yml", "-e", "etcd_lost_hosts_off="+allBut(5, leader.name, other.name), "-e", "etcd_confirm=yes"); err != nil {
		return outcome{Failed: err.Error()}
	}
	out := other.examine(ctx, l, acked)
	a, _, err := l.client(ctx, other.name)
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	defer a.Close()
	b, _, err := l.client(ctx, leader.name)
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	defer b.Close()
	if what := differ(ctx, a, b); what != "" {
		out.Unequal += " the stale leader, joined again: " + what
	}
	return out
}

// report prints the state, and what each choice loses.
func (s *stale) report(w io.Writer) (broken []string) {
	fmt.Fprintf(w, "\nFive members, two left, one of them a stale leader: its log ends with entry %d of term %d, the other's with %d of term %d;\n"+
		"revisions of the databases %d and %d; %d acknowledged writes\n",
		s.Leader.Index, s.Leader.Term, s.Other.Index, s.Other.Term, s.Leader.Revision, s.Other.Revision, s.Acked)
	byIndex, ours := column{}, column{}
	byIndex.add([]outcome{s.ByIndex})
	ours.add([]outcome{s.Ours})
	columns(w, "longest log", byIndex, ours)
	fmt.Fprintf(w, "rules that would have taken the stale leader: %s\n", strings.Join(s.Wrong, "; "))
	broken = ours.broken()
	if ours.never > 0 {
		broken = append(broken, fmt.Sprintf("%d acknowledged writes are lost by the choice of the survivor", ours.never))
	}
	return broken
}
