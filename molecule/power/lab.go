package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lab is the test hosts of one worker, driven by the lab tool.
type lab struct{ root, name string }

func (l lab) tool() string { return filepath.Join(l.root, ".cache/bin/lab") }
func (l lab) etcd() string { return filepath.Join(l.root, ".cache/bin/etcd-3.2.32/etcd") }
func (l lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.root, ".cache/labs", l.name}, elem...)...)
}

// do runs one command of the tool.
func (l lab) do(ctx context.Context, command ...string) (string, error) {
	out, err := exec.CommandContext(ctx, l.tool(), command...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("lab %s: %w: %s", strings.Join(command, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// all runs commands in turn until one fails.
func (l lab) all(ctx context.Context, commands ...[]string) error {
	for _, c := range commands {
		if _, err := l.do(ctx, c...); err != nil {
			return err
		}
	}
	return nil
}

// up makes a lab without masters: their API's watch makes each regular stop of etcd take 10 s, and they are not needed here.
func (l lab) up(ctx context.Context, members int) error {
	_, err := l.do(ctx, "up", l.name, "--etcd", strconv.Itoa(members), "--masters", "separate", "--masters-count", "0")
	return err
}

// down removes the lab, also after an interrupted run.
func (l lab) down() {
	if _, err := os.Stat(l.path("lab.json")); err == nil {
		l.do(context.Background(), "down", l.name)
	}
}

// acked are the writes that were acknowledged, as "v3 KEY" or "v2 KEY".
func (l lab) acked() (map[string]bool, error) {
	f, err := os.Open(l.path("writer/acked.log"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	acked := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 5 {
			acked[fields[2]+" "+fields[3]] = true
		}
	}
	return acked, nil
}

// awaitWrites returns when n writes are acknowledged.
func (l lab) awaitWrites(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		acked, err := l.acked()
		if err == nil && len(acked) >= n {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d writes were acknowledged in two minutes", len(acked), n)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// playbook runs a playbook as an operator does, with the inventory as it was before another survivor's run edited it.
func (l lab) playbook(ctx context.Context, dir, name string, args ...string) error {
	inventory := filepath.Join(dir, "inventory")
	if err := os.CopyFS(inventory, os.DirFS(l.path("inventory"))); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "playbook.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "ansible-playbook", append([]string{"-i", filepath.Join(inventory, "hosts"), "playbooks/" + name}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.root, log, log
	cmd.Env = append(os.Environ(), "ANSIBLE_STDOUT_CALLBACK=default") // this log gets the complete output
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w; its log: %s", name, err, log.Name())
	}
	return nil
}

// client is a client of one member that is on, and its URL.
func (l lab) client(ctx context.Context, host string) (*client, string, error) {
	ip, err := l.do(ctx, "ip", l.name, host)
	if err != nil {
		return nil, "", err
	}
	c, err := survivor{pki: l.path("pki")}.client(ip, "2379")
	return c, "https://" + ip + ":2379", err
}
