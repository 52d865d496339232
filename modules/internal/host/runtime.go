package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/root"
)

// Runtime is what starts and stops etcd here. Its methods make requests; Host proves their effect.
type Runtime interface {
	Name() string // facts.Systemd and so on

	// Owns tells whether the runtime has started this process, by what no other user can have: the unit's or the static pod's cgroup.
	Owns(p procfs.Process) bool

	// Look is the runtime's own view. It says nothing about processes that it does not know of.
	Look(ctx context.Context) (View, error)

	// Start and Stop make a request, and return as soon as it is taken.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error

	// Undo takes back a Stop that did not end, and tells whether there was anything to take back.
	Undo(ctx context.Context) (bool, error)

	// Block makes every start impossible for as long as the fence's record exists, also after a reboot; Unblock takes that back. Blocked tells
	// whether it is in effect (the record has to exist, too).
	Block(ctx context.Context) error
	Unblock(ctx context.Context) error
	Blocked(ctx context.Context) (bool, string, error) // the string says what is missing
	IsBlocked() bool                                   // there is something for Unblock to take back

	// SetForce asks for --force-new-cluster at the next start only, or takes that back. While it is set, a start needs the record forcing.json,
	// and the fence does not stop it.
	SetForce(ctx context.Context, on bool) error

	// ForceFlags finds what asks for a forced start in the runtime's own files; RemoveForceFlag removes one and returns where the old file is
	// kept.
	ForceFlags(ctx context.Context) ([]facts.ForceFlag, error)
	RemoveForceFlag(ctx context.Context, flag facts.ForceFlag) (kept string, err error)

	// Words are for messages.
	Words() Words

	// Log is the end of etcd's log. Entries is the same with levels and times, from since on ("" = whatever there is).
	Log(ctx context.Context, lines int) ([]string, error)
	Entries(ctx context.Context, since string, lines int) ([]etcdlog.Entry, error)
}

// View is a runtime's own view of etcd.
type View struct {
	State   string // facts.Running, Starting, Stopped, Failed or Absent
	Detail  string // in the runtime's words, e.g. "activating (auto-restart)"
	Ready   bool   // etcd has said that it serves clients (READY=1), so it handles SIGTERM
	Pending bool   // the runtime is still working on a request
	PID     int    // of the process that the runtime started, or 0
	Enabled bool   // starts at boot
	Masked  bool
	Refused string // why the last start was not even tried
	User    string // the user that etcd runs as; "" = not known
	Killed  bool   // its last process was ended by SIGKILL
	Leaving bool   // it runs, and ends when the runtime notices that it is to go
	Once    bool   // do not wait for the next process: it comes after a delay that grows
}

// Words are the words of messages about a runtime.
type Words struct {
	Self    string // before a View's Detail
	Starter string // who starts etcd
	Log     string // where its log can be read
	Slow    string // what to do about a stop that takes too long
}

const unitName = "etcd.service"

// detect finds the runtime. A manifest counts more than a unit: masters whose etcd was moved into a pod may keep the package's unit, masked or
// merely disabled, for the sake of etcdctl.
func detect(ctx context.Context, h *Host) (Runtime, error) {
	p := &pod{host: h}
	live, err := p.live()
	if err != nil {
		return nil, err
	}
	if len(live) > 0 || exists(p.out()) || exists(p.installed()) {
		return p, nil
	}
	service, err := unitAt(ctx, unitName)
	if err != nil {
		return nil, err
	}
	docker, err := containerUnit(ctx)
	if err != nil {
		return nil, err
	}
	if docker.active || docker.enabled || docker.found() && service.unused() {
		return container{unsupported{facts.Container}}, nil
	}
	if service.unused() && h.lostManifest(service, len(p.strays()) > 0) {
		return p, nil
	}
	if service.load == "not-found" && h.Conf.File == nil && exists(root.Path(AllInOneDataDir)) {
		return allInOne{unsupported{facts.AllInOne}, h}, nil
	}
	return &unit{host: h, missing: service.load == "not-found"}, nil
}

// lostManifest is true where the kubelet ran etcd here, and the manifest is elsewhere, as the chapter's `mv etcd.yaml .` leaves it, or gone.
// Where there is a unit as well, the owner of the data decides: in the pod etcd is root, as a service it is not.
func (h *Host) lostManifest(service unitFile, stashed bool) bool {
	dir := h.Conf.Get("ETCD_DATA_DIR")
	if dir == "" {
		dir = root.Path(DefaultDataDir)
	}
	data, err := os.Stat(filepath.Join(dir, "member"))
	kubelet := exists(h.ManifestDir)
	switch {
	case !service.found() && stashed:
		return true
	case err != nil:
		return kubelet && stashed
	case service.load == "not-found":
		return kubelet
	}
	st, ok := data.Sys().(*syscall.Stat_t)
	pods, _ := readDir(h.ManifestDir)
	return kubelet && ok && st.Uid == 0 && (stashed || len(pods) > 0)
}

// stoppedDir is where a stopped pod's manifest waits: beside the manifest directory, on the same filesystem.
func (h *Host) stoppedDir() string { return filepath.Clean(h.ManifestDir) + "-stopped" }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Processes finds this host's etcd: what the runtime has started, and whatever else has a file of the data open, however it was started.
func (h *Host) Processes() ([]procfs.Process, error) {
	ours, _, err := h.processes()
	return ours, err
}

// processes tells this host's etcd from namesakes. Any user can name a program etcd, give it etcd's environment and so keep a host from being
// fenced. What counts is what such a user cannot have: the unit's cgroup, the static pod's, and open files of the data. Namesakes' settings are not
// even read: they can be without an end.
func (h *Host) processes() (ours, namesakes []procfs.Process, err error) {
	all, err := procfs.Processes(func(comm string) bool { return comm == "etcd" })
	if err != nil {
		return nil, nil, err
	}
	data, err := h.dataFiles()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		switch {
		case p.Zombie():
		case h.Runtime.Owns(p) || h.holds(p, data):
			if p.ReadSettings() == nil { // else it has ended
				ours = append(ours, p)
			}
		default:
			namesakes = append(namesakes, p)
		}
	}
	return ours, namesakes, nil
}

// holds tells whether a process has files of the data open. Where its open files cannot be read, its own flags and environment decide.
func (h *Host) holds(p procfs.Process, data []os.FileInfo) bool {
	open, err := p.Opens(data)
	if errors.Is(err, fs.ErrPermission) {
		return p.ReadSettings() == nil && h.uses(p)
	}
	return open // a process that is gone holds nothing
}

// dataFiles are the files that a running etcd has open.
func (h *Host) dataFiles() ([]os.FileInfo, error) {
	segments, err := readDir(h.WALDir())
	if err != nil {
		return nil, err
	}
	paths := []string{filepath.Join(h.MemberDir(), "snap", "db")}
	for _, s := range segments {
		if strings.HasSuffix(s.Name(), ".wal") {
			paths = append(paths, filepath.Join(h.WALDir(), s.Name()))
		}
	}
	var out []os.FileInfo
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			out = append(out, info)
		}
	}
	return out, nil
}

// uses compares directories, not names: an etcd in another user's container may have a /var/lib/etcd of its own.
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

// DataDirOf is the data directory that an etcd process was given; a flag counts more than the environment.
func DataDirOf(p procfs.Process) (string, bool) {
	if dir, ok := p.Flag("data-dir"); ok && dir != "" {
		return dir, true
	}
	dir, ok := p.Env["ETCD_DATA_DIR"]
	return dir, ok && dir != ""
}
