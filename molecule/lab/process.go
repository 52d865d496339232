package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pid is the host's first process as seen from here, 0 when it is off.
func (l *Lab) pid(ctx context.Context, h Host) (int, error) {
	out, err := podman(ctx, "inspect", "--format", "{{.State.Pid}}", l.container(h))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// etcdStart is when the etcd of a host was started, in clock ticks since boot,
// or nothing when none runs. The host is known by its first process.
func etcdStart(init int) string {
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", init))
	if err != nil {
		return ""
	}
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, file := range comms {
		dir := filepath.Dir(file)
		comm, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(comm)) != "etcd" {
			continue
		}
		ns, err := os.Readlink(filepath.Join(dir, "ns/pid"))
		if err != nil || ns != namespace {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err == nil {
			return startTime(string(stat))
		}
	}
	return ""
}

// startTime is field 22 of /proc/PID/stat, counted behind the command's name,
// which may hold blanks and brackets.
func startTime(stat string) string {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
