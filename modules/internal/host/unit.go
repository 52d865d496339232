package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/systemd"
)

// unit is etcd as etcd.service.
type unit struct {
	host    *Host
	missing bool   // no such unit here; it can still be blocked for later
	checked uint64 // when systemd last checked conditions and assertions before our start
	main    int    // MainPID at the last look
}

// unitGroup is the unit's cgroup, in systemd's own hierarchy: only slices lie above it. A user's service of that name lies in user@UID.service.
var unitGroup = regexp.MustCompile(`(?m)^(?:[0-9]+:name=systemd|0:):(?:/[^/\n]+\.slice)*/etcd\.service(?:/|$)`)

// Owns also accepts the main process and its children: on a host in a container the path of the cgroup is longer.
func (u *unit) Owns(p procfs.Process) bool {
	return unitGroup.MatchString(p.CGroup) || u.main != 0 && (p.PID == u.main || p.Parent == u.main)
}

// unitFile is what systemd knows of a unit that does not run for us.
type unitFile struct {
	load            string // loaded, masked, or not-found, as on a host that was not booted by systemd
	active, enabled bool
}

func (u unitFile) found() bool { return u.load != "not-found" && u.load != "masked" }

// unused is true for a unit that neither runs nor starts at boot.
func (u unitFile) unused() bool { return !u.found() || !u.active && !u.enabled }

func unitAt(ctx context.Context, name string) (unitFile, error) {
	if !exists(root.Path("/run/systemd/system")) {
		return unitFile{load: "not-found"}, nil
	}
	p, err := systemd.Show(ctx, name, "LoadState", "ActiveState", "UnitFileState")
	v := viewOf(p)
	return unitFile{load: p["LoadState"], active: v.State == facts.Running || v.State == facts.Starting, enabled: v.Enabled}, err
}

func (u *unit) Name() string {
	if u.missing {
		return facts.None
	}
	return facts.Systemd
}

var viewProperties = []string{"LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID", "Job", "Result",
	"ExecMainCode", "ExecMainStatus", "AssertResult", "AssertTimestampMonotonic", "ConditionResult", "ConditionTimestampMonotonic", "User"}

func (u *unit) Look(ctx context.Context) (View, error) {
	if u.missing {
		return View{State: facts.Absent, Detail: "there is no " + unitName}, nil
	}
	p, err := systemd.Show(ctx, unitName, viewProperties...)
	if err != nil {
		return View{}, err
	}
	v := viewOf(p)
	u.main = v.PID
	if u.checked != 0 && monotonic(p) == u.checked {
		v.Refused = "" // systemd has not checked again since our start
	}
	return v, nil
}

func viewOf(p map[string]string) View {
	v := View{
		Detail:  fmt.Sprintf("%s (%s)", p["ActiveState"], p["SubState"]),
		Ready:   p["ActiveState"] == "active" || p["ActiveState"] == "reloading",
		Pending: p["Job"] != "" && p["Job"] != "0",
		Enabled: p["UnitFileState"] == "enabled" || p["UnitFileState"] == "enabled-runtime" || p["UnitFileState"] == "static",
		Masked:  p["LoadState"] == "masked",
		Refused: refusedOf(p),
		User:    p["User"],
		Killed:  p["ExecMainCode"] == "2" && p["ExecMainStatus"] == "9", // CLD_KILLED by SIGKILL
	}
	v.PID, _ = strconv.Atoi(p["MainPID"]) // 0 where there is none
	switch p["ActiveState"] {
	case "active", "reloading", "deactivating":
		v.State = facts.Running
	case "activating":
		v.State = facts.Starting
	case "failed":
		v.State = facts.Failed
	default:
		v.State = facts.Stopped
	}
	return v
}

// refusedOf says why systemd did not even try the last start. The timestamps tell a check that failed from one that was never made.
func refusedOf(p map[string]string) string {
	switch {
	case p["AssertResult"] == "no" && p["AssertTimestampMonotonic"] != "0":
		return "an assertion of the unit does not hold"
	case p["ConditionResult"] == "no" && p["ConditionTimestampMonotonic"] != "0":
		return "a condition of the unit does not hold"
	}
	return ""
}

func monotonic(p map[string]string) uint64 {
	a, _ := strconv.ParseUint(p["AssertTimestampMonotonic"], 10, 64)
	c, _ := strconv.ParseUint(p["ConditionTimestampMonotonic"], 10, 64)
	return max(a, c)
}

// Start does not wait for systemd: the unit is Type=notify, and without a quorum etcd never says that it is ready. reset-failed comes first,
// since earlier crashes may have used up the start limit.
func (u *unit) Start(ctx context.Context) error {
	if u.missing {
		return fault.New(fault.Unsupported, "there is no %s on this host", unitName)
	}
	before, err := systemd.Show(ctx, unitName, viewProperties...)
	if err != nil {
		return err
	}
	if before["LoadState"] == "masked" {
		return fault.New(fault.Refused, "%s is masked", unitName).WithHint("systemctl unmask %s", unitName)
	}
	u.checked = monotonic(before)
	if _, err := systemd.Run(ctx, "reset-failed", unitName); err != nil && before["ActiveState"] == "failed" {
		return err // systemd has nothing to reset for a unit that it has not loaded yet, and says so
	}
	_, err = systemd.Run(ctx, "start", "--no-block", unitName)
	return err
}

func (u *unit) Stop(ctx context.Context) error {
	if u.missing {
		return nil
	}
	_, err := systemd.Run(ctx, "stop", "--no-block", unitName)
	return err
}

// Undo does nothing: a unit that does not end in time ends later, and systemd starts it again when asked.
func (u *unit) Undo(context.Context) (bool, error) { return false, nil }

func (u *unit) Words() Words {
	return Words{Self: "the unit is ", Starter: unitName, Log: "etcd_log_info, or journalctl -u etcd -n 50",
		Slow: "systemctl status " + unitName + "; a larger timeout may be enough, since systemd waits 90 seconds before it kills"}
}

// Log is what etcd printed last, as the journal keeps it.
func (u *unit) Log(ctx context.Context, lines int) ([]string, error) {
	entries, err := u.Entries(ctx, "", lines)
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out, err
}

func (u *unit) Entries(ctx context.Context, since string, lines int) ([]etcdlog.Entry, error) {
	args := []string{"-u", unitName, "-n", strconv.Itoa(lines), "-o", "json"}
	if since != "" {
		args = append(args, "--since="+since)
	}
	out, err := systemd.Journalctl(ctx, args...)
	return etcdlog.ParseJournal(out), err
}

// dropInDir is where an administrator, or this project, puts drop-ins of the unit.
func dropInDir(kind string) string {
	return filepath.Join(root.Path(kind), unitName+".d")
}

const (
	permanent = "/etc/systemd/system"
	volatile  = "/run/systemd/system" // a reboot clears it
)

func ensureDir(dir string) error { return os.MkdirAll(dir, 0o755) }
