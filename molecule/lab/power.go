package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// powerOn starts hosts, all at once, and waits until one can log in to them.
func (l *Lab) powerOn(ctx context.Context, hosts []Host) error {
	return each(hosts, func(h Host) error {
		if _, err := podman(ctx, "start", l.container(h)); err != nil {
			return err
		}
		return waitSSH(ctx, h, 3*time.Minute)
	})
}

// kill cuts the power of hosts within a few microseconds of each other: the
// first processes are killed by this one, since starting a podman for each host
// would let the last go on for a tenth of a second without the first.
func (l *Lab) kill(ctx context.Context, hosts []Host) error {
	pids := make([]int, len(hosts))
	for i, h := range hosts {
		var err error
		if pids[i], err = l.pid(ctx, h); err != nil {
			return err
		}
		if pids[i] <= 1 {
			return fmt.Errorf("%s is not on", h.Short())
		}
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return each(hosts, func(h Host) error {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		_, err := podman(ctx, "wait", "--condition", "stopped", l.container(h))
		return err
	})
}

// wipe empties a host's data directory, whether the host is on or off. A running
// etcd is killed first, as by the crash that loses a disk.
func (l *Lab) wipe(ctx context.Context, h Host, down bool) error {
	if l.running(ctx, h) {
		_, err := podman(ctx, "exec", l.container(h), "sh", "-c", wipeScript(h, down))
		return err
	}
	dir, err := l.dataDirOnControl(ctx, h)
	if err != nil {
		return err
	}
	if !l.Options.MountData {
		defer podman(ctx, "unmount", l.container(h))
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// wipeScript leaves a service stopped, and a pod as a kubelet leaves it: started
// again and again with an empty directory. The kubelet is stopped meanwhile, or
// its next etcd would write into the directory that is being emptied; with down
// it stays so, since an etcd with STATE=existing would get its data back from the
// survivor, and end the loss.
func wipeScript(h Host, down bool) string {
	const empty = "; find /var/lib/etcd -mindepth 1 -delete"
	switch {
	case h.Pod && down:
		return "systemctl stop " + nodeUnit + "; pkill -KILL -x etcd; while pidof etcd; do sleep 0.05; done" + empty
	case h.Pod:
		return "systemctl stop " + nodeUnit + "; pkill -KILL -x etcd; while pidof etcd; do sleep 0.05; done" + empty + "; systemctl start " + nodeUnit
	}
	return "systemctl kill -s KILL etcd.service; systemctl stop etcd.service" + empty
}

// dataDirOnControl is where a stopped host's /var/lib/etcd is found.
func (l *Lab) dataDirOnControl(ctx context.Context, h Host) (string, error) {
	if l.Options.MountData {
		return podman(ctx, "volume", "inspect", "--format", "{{.Mountpoint}}", l.volume(h))
	}
	root, err := podman(ctx, "mount", l.container(h))
	return filepath.Join(root, "var/lib/etcd"), err
}

func (l *Lab) running(ctx context.Context, h Host) bool {
	pid, err := l.pid(ctx, h)
	return err == nil && pid != 0
}

// exec runs a command on a host with our own streams, and returns its exit
// status. It bypasses sshd, so it works while sshd does not.
func (l *Lab) exec(ctx context.Context, h Host, argv []string) error {
	return passThrough(ctx, "podman", append([]string{"exec", "-i", l.container(h)}, argv...)...)
}

// exitStatus ends the tool with a status of its own and no message.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
