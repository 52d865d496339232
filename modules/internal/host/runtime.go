package host

import (
	"context"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/root"
)

// Runtime is what starts and stops etcd here. Its methods ask; whether it happened is proven by Host.
type Runtime interface {
	Name() string // facts.Systemd and so on

	// Look is the runtime's own view. It says nothing about processes that it does not know of.
	Look(ctx context.Context) (View, error)

	// Start and Stop ask and return at once, or as soon as the request is taken.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error

	// Undo takes a Stop back that did not end, and tells whether there was anything to take back.
	Undo(ctx context.Context) (bool, error)

	// Bar makes every start impossible for as long as the fence's record exists, also after a reboot; Unbar takes that back.
	// Barred tells whether it is in effect (it needs the record, too).
	Bar(ctx context.Context) error
	Unbar(ctx context.Context) error
	Barred(ctx context.Context) (bool, string, error) // the string says what is missing
	HasBar() bool                                     // there is something for Unbar to take back

	// SetForce asks for --force-new-cluster at the next start, and only there, or takes that back. While it is set, a start needs the
	// record forcing.json, and does not need the fence to be gone.
	SetForce(ctx context.Context, on bool) error

	// ForceFlags finds what asks for a forced start in the runtime's own files; RemoveForceFlag takes one out and says where the old file is kept.
	ForceFlags(ctx context.Context) ([]facts.ForceFlag, error)
	RemoveForceFlag(ctx context.Context, flag facts.ForceFlag) (kept string, err error)

	// Words are for messages.
	Words() Words

	// Log is the end of etcd's log, Entries the same with levels and times, from since on ("" = whatever there is).
	Log(ctx context.Context, lines int) ([]string, error)
	Entries(ctx context.Context, since string, lines int) ([]etcdlog.Entry, error)
}

// View is a runtime's own view of etcd.
type View struct {
	State   string // facts.Running, Starting, Stopped, Failed or Absent
	Detail  string // in the runtime's words, e.g. "activating (auto-restart)"
	Ready   bool   // etcd has said that it serves clients (READY=1), so it also ends in good order
	Pending bool   // the runtime is still working on a request
	PID     int    // of the process that the runtime started, or 0
	Enabled bool   // starts at boot
	Masked  bool
	Refused string // the last start was not even tried, and why
	User    string // that etcd runs as; "" = not known
	Killed  bool   // its last process was ended by SIGKILL
	Leaving bool   // it runs, and ends as soon as the runtime looks
	InPods  bool   // its process is known by the kubelet's cgroup, not only by PID
	Once    bool   // a process that ends is not worth waiting for: the next one comes after a delay that grows
}

// Words are how a runtime is spoken of.
type Words struct {
	Self    string // before a View's Detail
	Starter string // who starts etcd
	Log     string // where its log can be read
	Slow    string // what to do about a stop that takes too long
}

const unitName = "etcd.service"

// detect finds the runtime. A manifest counts more than a unit: masters whose etcd was moved into a pod may still have the package's unit, masked.
func detect(ctx context.Context, h *Host) (Runtime, error) {
	p := &pod{host: h}
	live, err := p.live()
	if err != nil {
		return nil, err
	}
	if len(live) > 0 || exists(p.out()) || exists(p.installed()) {
		return p, nil
	}
	state, err := unitState(ctx)
	if err != nil {
		return nil, err
	}
	found := state != "not-found"
	if (!found || state == "masked") && len(strays()) > 0 {
		return p, nil // as the chapter's `mv etcd.yaml .` leaves it
	}
	if !found && h.Conf == nil && exists(root.Path(AllInOneDataDir)) {
		return allInOne{unsupported{facts.AllInOne}, h}, nil
	}
	return &unit{host: h, missing: !found}, nil
}

// stoppedDir is where a stopped pod's manifest waits: beside the manifest directory, on the same filesystem.
func (h *Host) stoppedDir() string { return filepath.Clean(h.ManifestDir) + "-stopped" }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Processes finds the etcd processes of this host's data directory, however they were started. A process whose data directory cannot be told
// counts: better to stop for a stranger than to move data under a running etcd.
func (h *Host) Processes() ([]procfs.Process, error) {
	all, err := procfs.Processes(func(comm string) bool { return comm == "etcd" })
	if err != nil {
		return nil, err
	}
	var out []procfs.Process
	for _, p := range all {
		if !p.Zombie() && h.uses(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// uses compares directories, not names: an etcd in a container of somebody else may have a /var/lib/etcd of its own.
func (h *Host) uses(p procfs.Process) bool {
	dir, known := DataDirOf(p)
	if !known {
		return true
	}
	if same, err := p.SameFile(dir, h.DataDir); err == nil {
		return same
	}
	return filepath.Clean(dir) == filepath.Clean(h.DataDir)
}

// DataDirOf is the data directory that an etcd process was told; a flag counts more than the environment.
func DataDirOf(p procfs.Process) (string, bool) {
	if dir, ok := p.Flag("data-dir"); ok && dir != "" {
		return dir, true
	}
	dir, ok := p.Env["ETCD_DATA_DIR"]
	return dir, ok && dir != ""
}
