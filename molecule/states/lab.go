package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lab is three hosts on which one state after another is made.
type lab struct {
	root, name string
	pods       bool // a kubelet runs etcd
	log        io.Writer
}

func (l lab) tool() string { return filepath.Join(l.root, ".cache/bin/lab") }
func (l lab) path(elem ...string) string {
	return filepath.Join(append([]string{l.root, ".cache/labs", l.name}, elem...)...)
}

const stepLimit = 3 * time.Minute

// do runs a command of the tool; the lab's name comes after its verb.
func (l lab) do(ctx context.Context, s step) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	at := 1
	if s[0] == "writer" {
		at = 2
	}
	args := slices.Insert(slices.Clone([]string(s)), at, l.name)
	fmt.Fprintf(l.log, "\n== lab %s\n", strings.Join(args, " "))
	out, err := exec.CommandContext(ctx, l.tool(), args...).CombinedOutput()
	fmt.Fprintf(l.log, "%s", out)
	if err != nil {
		return string(out), fmt.Errorf("lab %s: %w: %s", strings.Join(args, " "), err, lastLine(string(out)))
	}
	return string(out), nil
}

func (l lab) all(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if _, err := l.do(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// unit is where RHEL's package puts it, which the chapter's sed reads.
const unit = `mv /etc/systemd/system/etcd.service /usr/lib/systemd/system/
ln -sfn /usr/lib/systemd/system/etcd.service /etc/systemd/system/multi-user.target.wants/etcd.service; systemctl daemon-reload`

// fresh gives hosts with a healthy cluster whose members hold the same writes: those of an earlier state, reset, or new ones.
func (l lab) fresh(ctx context.Context) error {
	if _, err := os.Stat(l.path("kept", "disks")); err == nil {
		_, err = l.do(ctx, step{"reset"})
		return err
	}
	l.down()
	if err := l.up(ctx); err != nil {
		return err
	}
	return l.all(ctx, step{"writer", "start", "--v2"}, step{"writer", "stop"}, step{"writer", "check"}, step{"keep"})
}

func (l lab) up(ctx context.Context) error {
	if l.pods {
		return l.all(ctx, step{"up", "--runtime", "static_pod"})
	}
	if err := l.all(ctx, step{"up"}); err != nil {
		return err
	}
	for _, host := range members {
		if _, err := l.do(ctx, strictly(host, unit)); err != nil {
			return err
		}
	}
	return nil
}

func (l lab) down() {
	if _, err := os.Stat(l.path("lab.json")); err == nil {
		l.do(context.Background(), step{"down"})
	}
}

var members = []string{"master-0", "master-1", "master-2"}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
