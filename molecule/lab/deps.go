package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// needed maps a program to the Debian package that brings it.
var needed = []struct{ program, pkg string }{
	{"podman", "podman"},
	{"runc", "runc"},
	{"mmdebstrap", "mmdebstrap"},
	{"ssh", "openssh-client"},
	{"ssh-keygen", "openssh-client"},
	{"iptables", "iptables"},
	{"nsenter", "util-linux"},
	{"ip", "iproute2"},
}

// deps installs what is missing, and nothing where all is there.
func deps(ctx context.Context) error {
	var missing []string
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			missing = append(missing, n.pkg)
		}
	}
	if _, err := os.Stat("/usr/lib/podman/netavark"); err != nil {
		missing = append(missing, "netavark")
	}
	if len(missing) == 0 {
		allowManyHosts()
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing packages %s: run `lab deps` as root", strings.Join(missing, ", "))
	}
	logf("installing %s", strings.Join(missing, ", "))
	if _, err := command(ctx, nil, "apt-get", "update"); err != nil {
		return err
	}
	args := []string{"DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends"}
	if _, err := command(ctx, nil, "env", append(args, missing...)...); err != nil {
		return err
	}
	allowManyHosts()
	return nil
}

// allowManyHosts tells where the machine does not let that be changed; smaller labs boot all the same.
func allowManyHosts() {
	if err := manyHosts(watchers); err != nil {
		logf("%v: a lab of more than about fifteen hosts may not boot whole", err)
	}
}

const watchers = "/proc/sys/fs/inotify/max_user_instances"

// manyHosts raises how many programs may watch files at a time: all hosts share the machine's limit, and with Debian's 128 the sixteenth or so boots
// without sshd or kubelet ("Failed to create inotify object").
func manyHosts(file string) error {
	const enough = 2048
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if now, err := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || now >= enough {
		return err
	}
	return os.WriteFile(file, []byte(strconv.Itoa(enough)), 0o644)
}
