package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// cut is one power cut of all members at once.
type cut struct {
	Number int
	Quiet  bool
	Acked  int
	Files  []files   // of each member, as the cut left them
	Plain  []outcome // of each survivor, in the order of the cut's members
	Ours   []outcome
	Pairs  []pair
	Took   time.Duration
	Done   bool
}

const (
	busyWrites  = 1500
	quietWrites = 300
	// Long enough for every heartbeat and every commit of the database (0.1 s) to end.
	silence = 4 * time.Second
)

// host is one member of the cut.
type host struct {
	name, ip, dir string
	files         files
}

// run makes a cluster, cuts its power, and tries members as the only survivor.
func (c *cut) run(ctx context.Context, l lab, dir string, survivors int) error {
	began := time.Now()
	defer func() { c.Took = time.Since(began) }()
	l.down()
	defer l.down()
	if err := l.up(ctx, 3); err != nil {
		return err
	}
	if err := c.write(ctx, l); err != nil {
		return err
	}
	names := []string{"etcd-0", "etcd-1", "etcd-2"}
	hosts, acked, err := cutPower(ctx, l, dir, names, names)
	if err != nil {
		return err
	}
	c.Acked = len(acked)
	for i := range hosts {
		c.Files = append(c.Files, hosts[i].files)
	}
	c.Pairs = pairs(c.Files, acked)
	for i := range survivors {
		h := hosts[(c.Number+i)%len(hosts)]
		plainly := make(chan outcome, 1)
		go func() {
			plainly <- h.plain(ctx, l, acked)
		}()
		c.Ours = append(c.Ours, h.restore(ctx, l, acked))
		c.Plain = append(c.Plain, <-plainly)
		if _, err := l.do(ctx, "kill", l.name, h.name); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// cutPower cuts the power of all members at once, and fetches the disks of some.
func cutPower(ctx context.Context, l lab, dir string, members, some []string) ([]host, map[string]bool, error) {
	if err := l.all(ctx, append([]string{"kill", l.name}, members...), []string{"writer", "stop", l.name}); err != nil {
		return nil, nil, err
	}
	if err := os.CopyFS(filepath.Join(dir, "pki"), os.DirFS(l.path("pki"))); err != nil {
		return nil, nil, err
	}
	acked, err := l.acked()
	if err != nil {
		return nil, nil, err
	}
	hosts := make([]host, len(some))
	errs := make([]error, len(some))
	var wg sync.WaitGroup
	for i, name := range some {
		wg.Go(func() { hosts[i], errs[i] = fetch(ctx, l, name, filepath.Join(dir, name)) })
	}
	wg.Wait()
	return hosts, acked, errors.Join(errs...)
}

// write writes until there is enough to lose. On the quiet cluster it writes a burst first: its last entries came at once, and no later one
// carried their commit index to the disk.
func (c *cut) write(ctx context.Context, l lab) error {
	clients, enough := "32", busyWrites
	if c.Quiet {
		clients, enough = "64", quietWrites
	}
	if _, err := l.do(ctx, "writer", "start", l.name, "--clients", clients, "--rate", "0", "--v2"); err != nil {
		return err
	}
	if err := l.awaitWrites(ctx, enough); err != nil || !c.Quiet {
		return err
	}
	if _, err := l.do(ctx, "writer", "stop", l.name); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(silence):
	}
	return ctx.Err()
}

// fetch copies a member's files off a host without power.
func fetch(ctx context.Context, l lab, name, dir string) (host, error) {
	h := host{name: name, dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return h, err
	}
	err := l.all(ctx, []string{"fetch", l.name, name, "/var/lib/etcd", filepath.Join(dir, "etcd")},
		[]string{"fetch", l.name, name, "/etc/etcd", filepath.Join(dir, "certs")})
	if err != nil {
		return h, err
	}
	if h.ip, err = l.do(ctx, "ip", l.name, name); err != nil {
		return h, err
	}
	if h.files, err = readFiles(filepath.Join(dir, "etcd")); err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	return h, nil
}

// allBut names the hosts of a cluster of n, except some.
func allBut(n int, some ...string) string {
	var off []string
	for i := range n {
		if name := fmt.Sprintf("etcd-%d", i); !slices.Contains(some, name) {
			off = append(off, name+".example.com")
		}
	}
	return strings.Join(off, ",")
}

// restore powers only this host on; the product does the rest.
func (h host) restore(ctx context.Context, l lab, acked map[string]bool) outcome {
	if _, err := l.do(ctx, "poweron", l.name, h.name); err != nil {
		return outcome{Failed: err.Error()}
	}
	if err := l.playbook(ctx, h.dir, "single_node.yml", "-e", "etcd_lost_hosts_off="+allBut(3, h.name), "-e", "etcd_confirm=yes"); err != nil {
		return outcome{Failed: err.Error()}
	}
	return h.examine(ctx, l, acked)
}

// examine examines the host's etcd, and its log messages. The second member is a process beside it.
func (h host) examine(ctx context.Context, l lab, acked map[string]bool) outcome {
	out := survivor{ip: h.ip, pki: h.pki(), second: func(ctx context.Context, initialCluster string) *exec.Cmd {
		return exec.CommandContext(ctx, l.tool(), append([]string{"exec", l.name, h.name, "--", "etcd"}, secondFlags(h.ip, "/etc/etcd", "/var/lib/second", initialCluster)...)...)
	}}.examine(ctx, acked, h.files.Writes)
	said, err := l.do(ctx, "exec", l.name, h.name, "--", "journalctl", "-u", "etcd", "--no-pager")
	if err != nil {
		out.Failed = err.Error()
	}
	out.Discarded = discarded(said)
	return out
}

func (h host) pki() string { return filepath.Join(filepath.Dir(h.dir), "pki") }

// plain is the control: etcd's forced start on a copy of the same files.
func (h host) plain(ctx context.Context, l lab, acked map[string]bool) outcome {
	return plain{Dir: h.dir, PKI: h.pki(), IP: h.ip, Etcd: l.etcd(), Acked: acked, InLog: h.files.Writes}.run(ctx)
}

// line is the progress of a run.
func (c *cut) line() string {
	kind := "under writers"
	if c.Quiet {
		kind = "quiet"
	}
	return fmt.Sprintf("cut %2d  %-13s  %5d acknowledged writes   plain: %s   ours: %s   %s s",
		c.Number, kind, c.Acked, summary(c.Plain), summary(c.Ours), strconv.Itoa(int(c.Took.Seconds())))
}
