package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/systemd"
)

// Places of a force flag, as facts.ForceFlag.Where has them.
const (
	InProcess  = "process"
	InConf     = "etcd.conf"
	InDropIn   = "drop-in"
	InUnit     = "unit"
	InManifest = "manifest"
)

// ForceKey is the variable of --force-new-cluster.
const ForceKey = "ETCD_FORCE_NEW_CLUSTER"

// ForceFlags finds every place that asks for --force-new-cluster: at the next start, or in the running process.
func (h *Host) ForceFlags(ctx context.Context) ([]facts.ForceFlag, error) {
	flags := []facts.ForceFlag{}
	if forces(h.Conf.Get(ForceKey)) {
		flags = append(flags, facts.ForceFlag{Where: InConf, Path: h.EtcdConf})
	}
	found, err := h.Runtime.ForceFlags(ctx)
	if err != nil {
		return nil, err
	}
	flags = append(flags, found...)
	processes, err := h.Processes()
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		value, set := p.Flag("force-new-cluster")
		if (set && value == "") || forces(value) || forces(p.Env[ForceKey]) {
			flags = append(flags, facts.ForceFlag{Where: InProcess, Path: filepath.Join("/proc", strconv.Itoa(p.PID))})
		}
	}
	return flags, nil
}

// forces reads a value as etcd does. A value that etcd would not understand counts too: it must not stay.
func forces(value string) bool {
	on, err := strconv.ParseBool(value)
	return value != "" && (err != nil || on)
}

// RemoveForceFlags removes the flags from files and returns where the old files are kept. A process keeps its flag until it is restarted.
func (h *Host) RemoveForceFlags(ctx context.Context, flags []facts.ForceFlag) (kept []string, err error) {
	for _, flag := range flags {
		where := ""
		switch flag.Where {
		case InProcess:
			continue
		case InConf:
			where, err = h.unsetForce()
		default:
			where, err = h.Runtime.RemoveForceFlag(ctx, flag)
		}
		if err != nil {
			return kept, fault.Wrap(fault.Internal, err, "take the force flag out of %s", flag.Path)
		}
		if where != "" {
			kept = append(kept, where)
		}
	}
	return kept, nil
}

// DropForceLine removes a line that switches the flag off from etcd.conf, and keeps a copy of the file. systemd reads EnvironmentFile= after
// Environment=, and a pod's command sources the file: such a line would overrule a forced start.
func (h *Host) DropForceLine() error {
	if h.Conf.Get(ForceKey) == "" {
		return nil
	}
	_, err := h.unsetForce()
	return err
}

func (h *Host) unsetForce() (string, error) {
	if err := h.Conf.File.Unset(ForceKey); err != nil {
		return "", err
	}
	backup, err := safefile.Backup(h.EtcdConf)
	if err != nil {
		return "", err
	}
	return backup, safefile.Write(h.EtcdConf, h.Conf.File.Bytes(), 0o644)
}

// ForceFlags searches the unit's own file and every drop-in, loaded or not: one that is not loaded yet counts after the next daemon-reload.
func (u *unit) ForceFlags(ctx context.Context) ([]facts.ForceFlag, error) {
	if u.missing {
		return nil, nil
	}
	p, err := systemd.Show(ctx, unitName, "FragmentPath", "DropInPaths")
	if err != nil {
		return nil, err
	}
	files := strings.Fields(p["DropInPaths"])
	for _, dir := range []string{permanent, volatile, "/usr/lib/systemd/system"} {
		found, err := filepath.Glob(filepath.Join(dropInDir(dir), "*.conf"))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	slices.Sort(files)
	var flags []facts.ForceFlag
	for _, file := range slices.Compact(files) {
		if err := findForce(file, InDropIn, &flags); err != nil {
			return nil, err
		}
	}
	return flags, findForce(p["FragmentPath"], InUnit, &flags)
}

func findForce(file, where string, flags *[]facts.ForceFlag) error {
	text, err := readfile.Read(file, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) || file == "" {
		return nil
	}
	if err != nil {
		return err
	}
	settings, err := systemd.Settings(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if slices.ContainsFunc(settings, settingForces) || (where == InDropIn && emptiesCommand(settings)) {
		*flags = append(*flags, facts.ForceFlag{Where: where, Path: file})
	}
	return nil
}

// emptiesCommand recognizes what the chapter's sed leaves where the unit's line does not end in a quote: an `ExecStart=` with nothing to start.
func emptiesCommand(settings []systemd.Setting) bool {
	for _, s := range settings {
		if s.Key != "ExecStart" || s.Value != "" {
			return false
		}
	}
	return len(settings) > 0
}

// forceWord is the flag or the variable, with blanks or a quote before it.
var forceWord = regexp.MustCompile(`[ \t]*(?:--?force-new-cluster|` + ForceKey + `)(?:=["']?([A-Za-z0-9]*)["']?)?`)

func settingForces(s systemd.Setting) bool {
	if !strings.HasPrefix(s.Key, "Exec") && s.Key != "Environment" {
		return false
	}
	for _, m := range forceWord.FindAllStringSubmatch(s.Value, -1) {
		if m[1] == "" || forces(m[1]) {
			return true
		}
	}
	return false
}

// RemoveForceFlag sets aside a drop-in that holds only the flag, as the chapter's temp.conf does, and removes this project's own. A drop-in with
// other settings is left to a person: to remove it would change more than was asked.
func (u *unit) RemoveForceFlag(ctx context.Context, flag facts.ForceFlag) (string, error) {
	if flag.Path == u.forcePath() {
		return "", u.SetForce(ctx, false)
	}
	text, err := readfile.Read(flag.Path, readfile.Text)
	if err != nil {
		return "", err
	}
	settings, err := systemd.Settings(string(text))
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag.Path, err)
	}
	if flag.Where != InDropIn || !onlyForces(settings) {
		return "", fault.New(fault.Refused, "%s has other settings beside --force-new-cluster", flag.Path).
			WithHint("take the flag out of it with an editor, run `systemctl daemon-reload`, then run this again")
	}
	aside := flag.Path + ".removed-" + time.Now().UTC().Format("20060102T150405Z") // does not end in .conf, so systemd does not read it
	if err := safefile.Rename(flag.Path, aside); err != nil {
		return "", err
	}
	return aside, systemd.Reload(ctx)
}

func onlyForces(settings []systemd.Setting) bool {
	for _, s := range settings {
		if s.Section != "Service" || (s.Key != "ExecStart" && s.Key != "Environment") {
			return false
		}
		if s.Key == "Environment" && len(strings.Fields(s.Value)) > 1 {
			return false
		}
	}
	return true
}
