// Package unfinished waits for modules that a run has left on this host. Who kills ansible-playbook, or loses the connection, kills no module: it goes
// on to its end. What a look sees meanwhile, such as a member that is in the list and does not run yet, lasts for a moment only.
package unfinished

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/root"
)

// prefix is what every Ansible of the range puts before a module's name.
const prefix = "AnsiballZ_"

// acting are the modules that change something. A test keeps the list complete.
var acting = []string{
	"etcd_address", "etcd_backup", "etcd_ca", "etcd_certificates", "etcd_clients_left", "etcd_config", "etcd_config_backup", "etcd_data_dir",
	"etcd_fence", "etcd_force_new_cluster", "etcd_inventory", "etcd_member", "etcd_new_host", "etcd_quorum_plan", "etcd_report", "etcd_restore",
	"etcd_run_lock", "etcd_service", "flannel_etcd_endpoints", "openshift_etcd_urls", "openshift_master_restart", "systemd_unit",
}

// pause is between two looks.
const pause = 200 * time.Millisecond

// Await waits until no module acts on this host, for limit at most, and names those that are left then. waited: some acted when it began.
func Await(ctx context.Context, limit time.Duration) (left []string, waited bool, err error) {
	return await(ctx, limit, running)
}

func await(ctx context.Context, limit time.Duration, running func() ([]string, error)) (left []string, waited bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for ; ; waited = true {
		left, err = running()
		if err != nil || len(left) == 0 {
			return nil, waited, err
		}
		select {
		case <-ctx.Done():
			return left, true, nil
		case <-time.After(pause):
		}
	}
}

// running names the modules that act on this host, each with its process. Those of another user, or in a container, act on something else.
func running() ([]string, error) {
	processes, err := procfs.Processes(func(comm string) bool { return strings.HasPrefix(comm, prefix) })
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []string
	for _, p := range processes {
		if name := module(&p); slices.Contains(acting, name) && p.PID != os.Getpid() && ours(p.PID) && !p.Zombie() {
			found = append(found, fmt.Sprintf("%s (process %d)", name, p.PID))
		}
	}
	return found, nil
}

// module is the name of what the process runs: the kernel keeps only 15 characters of it.
func module(p *procfs.Process) string {
	if err := p.ReadSettings(); err != nil || p.Exiting() {
		return "" // it ends
	}
	return strings.TrimPrefix(filepath.Base(p.Args[0]), prefix)
}

func ours(pid int) bool {
	proc := fmt.Sprintf("/proc/%d", pid)
	info, err := os.Stat(proc)
	if err != nil {
		return false
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	here, err := os.Readlink("/proc/self/ns/pid")
	there, err2 := os.Readlink(filepath.Join(proc, "ns/pid"))
	binary, err3 := os.Readlink(filepath.Join(proc, "exe"))
	return known && int(owner.Uid) == os.Geteuid() && err == nil && err2 == nil && err3 == nil && here == there && strings.HasPrefix(binary, root.Path("/"))
}
