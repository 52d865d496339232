package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/systemd"
)

// Names of the two drop-ins. systemd merges the drop-ins of all directories by file NAME: "force" is read after "fence", so its reset of the
// assertions removes the fence's, although for equal names /run counts less than /etc [systemd.unit(5)].
const (
	fenceDropIn = "etcd-quorum-restore-fence.conf"
	forceDropIn = "etcd-quorum-restore-force.conf"
)

func (u *unit) fencePath() string { return filepath.Join(dropInDir(permanent), fenceDropIn) }
func (u *unit) forcePath() string { return filepath.Join(dropInDir(volatile), forceDropIn) }

func (u *unit) fenceText() string {
	return fmt.Sprintf("# Written by etcd_fence: this host's etcd must not start. `etcd_fence state=absent` takes it back.\n"+
		"[Unit]\nAssertPathExists=!%s\n", inUnit(u.host.FenceFile()))
}

// forceText replaces the fence's assertion by one on forcing.json, so that a drop-in that was left behind forces nothing.
func (u *unit) forceText() string {
	return fmt.Sprintf("# Written by etcd_force_new_cluster, for one start.\n[Unit]\nAssertPathExists=\nAssertPathExists=%s\n"+
		"[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\nRestart=no\n", inUnit(u.host.ForcingFile()))
}

// inUnit writes a path as a value of a unit's setting, in which systemd expands specifiers such as %n.
func inUnit(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// Block writes the drop-in. A left-over force drop-in goes first, since it would undo this one.
func (u *unit) Block(ctx context.Context) error {
	if err := safefile.Remove(u.forcePath()); err != nil {
		return err
	}
	return u.put(ctx, u.fencePath(), u.fenceText())
}

func (u *unit) IsBlocked() bool { return exists(u.fencePath()) }

func (u *unit) Unblock(ctx context.Context) error { return u.drop(ctx, u.fencePath()) }

func (u *unit) SetForce(ctx context.Context, on bool) error {
	if on {
		return u.put(ctx, u.forcePath(), u.forceText())
	}
	return u.drop(ctx, u.forcePath())
}

// put writes a drop-in and makes systemd load it. It always reloads: an earlier run may have been killed between the two.
func (u *unit) put(ctx context.Context, path, text string) error {
	if err := ensureDir(filepath.Dir(path)); err != nil {
		return err
	}
	if old, err := readfile.Read(path, readfile.Text); err != nil || !bytes.Equal(old, []byte(text)) {
		if err := safefile.Write(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := safefile.SyncDir(filepath.Dir(filepath.Dir(path))); err != nil { // the directory may be new
		return err
	}
	if err := systemd.Reload(ctx); err != nil {
		return err
	}
	loaded, reads, err := u.dropIns(ctx)
	if err == nil && reads && !slices.Contains(loaded, path) {
		return fault.New(fault.Internal, "systemd was reloaded and does not read %s (it reads: %s)", path, strings.Join(loaded, ", "))
	}
	return err
}

// drop removes a drop-in and, where that leaves it empty, its directory.
func (u *unit) drop(ctx context.Context, path string) error {
	if err := safefile.Remove(path); err != nil {
		return err
	}
	if err := os.Remove(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotEmpty(err) {
		return err
	}
	return systemd.Reload(ctx)
}

// dropIns are the drop-ins that systemd has loaded, in the order in which they count. reads is false for a unit that is missing or masked:
// systemd loads nothing for it, and nothing can start it; when that changes, the files on disk count.
func (u *unit) dropIns(ctx context.Context) (paths []string, reads bool, err error) {
	if u.missing {
		return nil, false, nil
	}
	p, err := systemd.Show(ctx, unitName, "DropInPaths", "LoadState")
	return strings.Fields(p["DropInPaths"]), p["LoadState"] != "masked", err
}

// Blocked looks for the drop-in on disk and in what systemd has loaded, and for one behind it that resets its assertion.
func (u *unit) Blocked(ctx context.Context) (bool, string, error) {
	text, err := readfile.Read(u.fencePath(), readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return false, u.fencePath() + " is missing", nil
	}
	if err != nil {
		return false, "", err
	}
	if string(text) != u.fenceText() {
		return false, u.fencePath() + " was changed", nil
	}
	loaded, reads, err := u.dropIns(ctx)
	if err != nil || !reads {
		return err == nil, "", err
	}
	at := slices.Index(loaded, u.fencePath())
	if at < 0 {
		return false, "systemd has not loaded " + u.fencePath(), nil
	}
	for _, later := range loaded[at+1:] {
		resets, err := systemd.ResetsAsserts(later)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, "", err
		}
		if resets {
			return false, later + " resets the unit's assertions", nil
		}
	}
	return true, "", nil
}
