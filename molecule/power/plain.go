package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// The control: etcd's own forced start, as the chapter has it, on a copy of the same data. It runs in a network namespace of its own, which
// has nothing but the member's address: it must meet neither the old peers nor the survivor that is restored meanwhile.

// plain is what the parent asks of the child in the namespace.
type plain struct {
	Dir   string // of this host: etcd (untouched), certs, and what is made here
	PKI   string
	IP    string
	Etcd  string // the binary
	Acked map[string]bool
	InLog map[string]bool
}

// run starts the child.
func (p plain) run(ctx context.Context) outcome {
	request, err := json.Marshal(p)
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "plain")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(request), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	answer, err := cmd.Output()
	if err != nil {
		return outcome{Failed: "the control: " + err.Error()}
	}
	var out outcome
	if err := json.Unmarshal(answer, &out); err != nil {
		return outcome{Failed: "the control: " + err.Error()}
	}
	return out
}

func plainMain(ctx context.Context) error {
	var p plain
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return err
	}
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"address", "add", p.IP + "/32", "dev", "lo"}} {
		if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(p.force(ctx))
}

// force does the chapter's 39.1.3 without the restart that follows it: that neither brings anything back nor ends a hang.
func (p plain) force(ctx context.Context) outcome {
	data := filepath.Join(p.Dir, "plain")
	if out, err := exec.CommandContext(ctx, "cp", "-a", filepath.Join(p.Dir, "etcd"), data).CombinedOutput(); err != nil {
		return outcome{Failed: string(out)}
	}
	conf, err := os.ReadFile(filepath.Join(p.Dir, "certs", "etcd.conf"))
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	log, err := os.Create(filepath.Join(p.Dir, "plain.log"))
	if err != nil {
		return outcome{Failed: err.Error()}
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, p.Etcd)
	cmd.Env = append(environment(string(conf), filepath.Join(p.Dir, "certs"), data), "ETCD_FORCE_NEW_CLUSTER=true")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return outcome{Failed: err.Error()}
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	s := survivor{ip: p.IP, pki: p.PKI, second: func(ctx context.Context, initialCluster string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, p.Etcd, secondFlags(p.IP, filepath.Join(p.Dir, "certs"), filepath.Join(p.Dir, "second"), initialCluster)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return cmd
	}}
	out := s.examine(ctx, p.Acked, p.InLog)
	said, _ := os.ReadFile(log.Name())
	out.Discarded = discarded(string(said))
	return out
}

// environment is etcd.conf as the unit hands it to etcd, with the directories of the copy.
func environment(conf, certs, data string) []string {
	var env []string
	for line := range strings.Lines(conf) {
		if strings.HasPrefix(line, "ETCD_") {
			line = strings.Replace(strings.TrimSpace(line), "/etc/etcd/", certs+"/", 1)
			env = append(env, strings.Replace(line, "/var/lib/etcd/", data+"/", 1))
		}
	}
	return env
}

// secondFlags are those of an etcd that joins the survivor on the survivor's own host, with its certificates.
func secondFlags(ip, certs, data, initialCluster string) []string {
	peer, client := "https://"+ip+":12380", "https://"+ip+":12379"
	return []string{
		"--name", "second", "--data-dir", data, "--initial-cluster", initialCluster, "--initial-cluster-state", "existing",
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--listen-client-urls", client, "--advertise-client-urls", client,
		"--heartbeat-interval", "500", "--election-timeout", "2500",
		"--cert-file", certs + "/server.crt", "--key-file", certs + "/server.key", "--trusted-ca-file", certs + "/ca.crt", "--client-cert-auth",
		"--peer-cert-file", certs + "/peer.crt", "--peer-key-file", certs + "/peer.key", "--peer-trusted-ca-file", certs + "/ca.crt", "--peer-client-cert-auth",
	}
}

var discarding = regexp.MustCompile(`discarding (\d+) uncommitted WAL entries`)

// discarded counts the entries that etcd says it threw away.
func discarded(log string) (n int) {
	for _, found := range discarding.FindAllStringSubmatch(log, -1) {
		some, _ := strconv.Atoi(found[1])
		n += some
	}
	return n
}
