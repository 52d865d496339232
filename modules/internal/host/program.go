package host

import (
	"context"
	"errors"
	"io/fs"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/systemd"
)

// Account is the user for a program of etcd that runs outside of the unit: the unit's user, or the data's owner where the unit names no existing
// user. Instead of root, as for a pod, it is nobody.
func (h *Host) Account(ctx context.Context) (program.Account, error) {
	view, err := h.Runtime.Look(ctx)
	if err != nil {
		return program.Nobody, err
	}
	if view.User != "" {
		if a, ok := accountOf(view.User); ok {
			return a, nil
		}
	}
	dir, err := safefile.OpenDir(h.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return program.Nobody, nil
	}
	if err != nil {
		return program.Nobody, err
	}
	defer dir.Close()
	uid, gid, err := dir.Owner()
	if err != nil || uid == 0 {
		return program.Nobody, err
	}
	return program.Account{UID: uint32(uid), GID: uint32(gid)}, nil
}

// accountOf finds a user by name or number, as systemd does; for root it is nobody.
func accountOf(name string) (program.Account, bool) {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return program.Nobody, false
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil || err2 != nil {
		return program.Nobody, false
	}
	if uid == 0 {
		return program.Nobody, true
	}
	return program.Account{UID: uint32(uid), GID: uint32(gid)}, true
}

// program is the path of etcd as the unit starts it, or of the etcdctl beside it.
func (u *unit) program(ctx context.Context, name string) (string, error) {
	if u.missing {
		return "", fault.New(fault.Unsupported, "there is no %s on this host", unitName)
	}
	command, err := u.command(ctx)
	if err != nil {
		return "", err
	}
	path, err := startedBy(command)
	if err != nil || name == "etcd" {
		return path, err
	}
	if beside := filepath.Join(filepath.Dir(path), name); readfile.IsFile(beside) {
		return beside, nil
	}
	return root.Command(name), nil
}

// startedBy is the path of etcd in a unit's command. A unit without a command starts nothing; a command without a visible etcd is refused: nobody
// has checked what it starts.
func startedBy(command string) (string, error) {
	path := etcdIn(command)
	switch {
	case command == "":
		return "", fault.New(fault.Unsupported, "%s has no ExecStart=, so its etcd is not known", unitName)
	case path == "":
		return "", fault.New(fault.Refused, "%s starts %q, in which no etcd is to be seen", unitName, command).
			WithHint("have ExecStart= name etcd by its full path; or skip the rehearsal with -e etcd_rehearse=no")
	}
	return path, nil
}

// command is ExecStart= as systemd has it; where a drop-in or a mask has removed it, as the unit's own file has it.
func (u *unit) command(ctx context.Context) (string, error) {
	p, err := systemd.Show(ctx, unitName, "ExecStart", "FragmentPath")
	if err != nil {
		return "", err
	}
	if _, argv, ok := strings.Cut(p["ExecStart"], "argv[]="); ok {
		argv, _, _ = strings.Cut(argv, " ; ignore_errors=")
		return argv, nil
	}
	for _, file := range []string{p["FragmentPath"], filepath.Join(root.Path("/usr/lib/systemd/system"), unitName)} {
		if command, err := commandIn(file); command != "" || err != nil {
			return command, err
		}
	}
	return "", nil
}

// commandIn is the last ExecStart= of a unit's file; "" where there is none.
func commandIn(file string) (command string, err error) {
	text, err := readfile.Read(file, readfile.Text)
	if file == "" || errors.Is(err, fs.ErrNotExist) || errors.Is(err, readfile.ErrNotRegular) { // a mask is a link to a device
		return "", nil
	}
	if err != nil {
		return "", err
	}
	settings, err := systemd.Settings(string(text))
	for _, s := range settings {
		if s.Section == "Service" && s.Key == "ExecStart" {
			command = strings.TrimLeft(s.Value, "-@:+!")
		}
	}
	return command, err
}

// etcdIn is the first word of a command, which systemd wants to be an absolute path. Where that starts another program, as in the package's unit
// (/bin/bash -c "GOMAXPROCS=$(nproc) /usr/bin/etcd --name=…"), it is the etcd among the words behind it.
func etcdIn(command string) string {
	words := strings.FieldsFunc(command, func(r rune) bool { return strings.ContainsRune(" \t\n\"';&|()", r) })
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return ""
	}
	if !wraps(filepath.Base(words[0])) {
		return filepath.Clean(words[0])
	}
	for _, w := range words[1:] {
		if filepath.IsAbs(w) && filepath.Base(w) == "etcd" && readfile.IsFile(w) { // /var/lib/etcd may be one of the words, too
			return filepath.Clean(w)
		}
	}
	return ""
}

// wraps is true for programs that start another one.
func wraps(name string) bool {
	return slices.Contains([]string{"sh", "bash", "dash", "ksh", "env", "nice", "ionice", "taskset", "numactl"}, name)
}
