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
	known := processes{}
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
		var inProcesses []string
		inProcesses, known = known.flags(inits)
		for _, found := range append(flagsInFiles(inits), inProcesses...) {
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

// processes counts the looks in which each process was there, by its directory of /proc.
type processes map[string]int

// oldProcess is after how many looks a process is old: a second is time enough to become an etcd. It is read once a second from then on, since
// reading all processes of a machine at every look takes a third of a core.
const oldProcess = int(time.Second / flagsEvery)

// flags looks at every etcd of these hosts, the rehearsal's as well, and returns the processes that the next look is to know.
func (p processes) flags(inits map[string]int) (found []string, known processes) {
	known = processes{}
	directories, _ := filepath.Glob("/proc/[0-9]*") // the pattern is valid
	for _, directory := range directories {
		known[directory] = p[directory] + 1
		if looks := p[directory]; (looks < oldProcess || looks%oldProcess == 0) && isFlaggedEtcd(directory) {
			pid, _ := strconv.Atoi(filepath.Base(directory))
			found = append(found, flaggedOn(pid, inits)...)
		}
	}
	return found, known
}

func isFlaggedEtcd(directory string) bool {
	name, err := os.ReadFile(filepath.Join(directory, "comm"))
	if err != nil || strings.TrimSpace(string(name)) != "etcd" {
		return false
	}
	line, _ := os.ReadFile(filepath.Join(directory, "cmdline"))
	env, _ := os.ReadFile(filepath.Join(directory, "environ"))
	return hasFlag(line) || hasFlag(env)
}

// flaggedOn has a line for the host that the process belongs to, if it is one of these.
func flaggedOn(pid int, inits map[string]int) (found []string) {
	for host, init := range inits {
		if init != 0 && descends(pid, init) {
			found = append(found, fmt.Sprintf("in etcd process %d of %s", pid, host))
		}
	}
	return found
}
