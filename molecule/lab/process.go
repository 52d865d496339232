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

// etcdStart is when the etcd of a host was started, in clock ticks since boot; ""
// when none runs. It is a descendant of the host's first process: a pod's is in a
// PID namespace of its own.
func etcdStart(init int) string {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, file := range comms {
		dir := filepath.Dir(file)
		comm, err := os.ReadFile(file)
		if err != nil || strings.TrimSpace(string(comm)) != "etcd" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err == nil && descends(pid, init) {
			return statField(pid, startTime)
		}
	}
	return ""
}

func descends(pid, from int) bool {
	for pid > 1 && pid != from {
		var err error
		if pid, err = strconv.Atoi(statField(pid, parent)); err != nil {
			return false // it has ended meanwhile
		}
	}
	return pid == from
}

// Fields of /proc/PID/stat, counted behind the command's name, which may hold
// blanks and brackets.
const (
	parent    = 1
	startTime = 19
)

func statField(pid, n int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	return field(string(stat), n)
}

func field(stat string, n int) string {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	if len(fields) <= n {
		return ""
	}
	return fields[n]
}
