package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The watcher of flags: with a forced start by the log, no process and no file
// of a whole recovery ever asks etcd to force a new cluster.

var flagsActions = map[string]action{
	"start": (*Lab).flagsStart,
	"run":   (*Lab).flagsRun,
	"stop":  (*Lab).flagsStop,
}

const flagsEvery = 50 * time.Millisecond

func (l *Lab) flagsLog() string { return l.path("flags/flags.log") }

// flagsStart waits for the watcher's first look, at all hosts.
func (l *Lab) flagsStart(ctx context.Context, _ []string) error {
	if err := l.background("flags", nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return poll(ctx, func() error {
		if fileSize(l.flagsLog()) == 0 {
			return errors.New("the watcher has not looked yet")
		}
		return nil
	})
}

// flagsStop fails where a flag was seen, and where the hosts could not be seen.
func (l *Lab) flagsStop(context.Context, []string) error {
	if err := l.endBackground("flags"); err != nil {
		return err
	}
	text, err := os.ReadFile(l.flagsLog())
	if err != nil {
		return err
	}
	fmt.Print(string(text))
	if strings.Contains(string(text), "force flag") || !strings.Contains(string(text), "looked") {
		return errors.New("a force flag was seen, or nothing was looked at")
	}
	return nil
}

// flagsRun looks until it is told to stop. It prints each flag once.
func (l *Lab) flagsRun(ctx context.Context, _ []string) error {
	seen, looks := map[string]bool{}, 0
	inits := map[string]int{}
	var asked time.Time
	ticker := time.NewTicker(flagsEvery)
	defer ticker.Stop()
	for {
		if time.Since(asked) > time.Second {
			asked = time.Now()
			for _, h := range l.Hosts {
				if pid := inits[h.Short()]; pid == 0 || statField(pid, parent) == "" {
					inits[h.Short()], _ = l.pid(ctx, h) // 0 while it is off
				}
			}
		}
		for _, found := range append(flagsInFiles(inits), flagsInProcesses(inits)...) {
			if !seen[found] {
				seen[found] = true
				fmt.Printf("%s force flag %s\n", time.Now().UTC().Format("15:04:05.000"), found)
			}
		}
		if looks++; looks == 1 {
			fmt.Printf("looking at %d hosts\n", len(inits))
		}
		select {
		case <-ctx.Done():
			fmt.Printf("looked %d times\n", looks)
			return nil
		case <-ticker.C:
		}
	}
}

var flagFiles = []string{"etc/etcd/etcd.conf", "etc/systemd/system/etcd.service.d/*", "run/systemd/system/etcd.service.d/*",
	"etc/origin/node/pods/*", "etc/origin/node/pods-stopped/*"}

// flagsInFiles looks at what etcd or its starter reads on each host. Whole
// lines, and no comments: files that were set aside are kept elsewhere.
func flagsInFiles(inits map[string]int) (found []string) {
	for host, pid := range inits {
		if pid == 0 {
			continue
		}
		for _, pattern := range flagFiles {
			names, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "root", pattern)) // the pattern is valid
			for _, name := range names {
				text, err := os.ReadFile(name)
				if err == nil && asksForFlag(text) {
					found = append(found, fmt.Sprintf("in %s of %s", filepath.Base(name), host))
				}
			}
		}
	}
	return found
}

func asksForFlag(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); !bytes.HasPrefix(line, []byte("#")) && hasFlag(line) {
			return true
		}
	}
	return false
}

func hasFlag(text []byte) bool {
	return bytes.Contains(text, []byte("ETCD_FORCE_NEW_CLUSTER")) || bytes.Contains(text, []byte("force-new-cluster"))
}

// flagsInProcesses looks at every etcd of these hosts, the rehearsal's as well.
func flagsInProcesses(inits map[string]int) (found []string) {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm") // the pattern is valid
	for _, file := range comms {
		comm, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(comm)) != "etcd" {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if !hasFlag(line) && !hasFlag(env) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		for host, init := range inits {
			if init != 0 && descends(pid, init) {
				found = append(found, fmt.Sprintf("in etcd process %d of %s", pid, host))
			}
		}
	}
	return found
}
