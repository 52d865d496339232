package host

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// CheckOwner refuses to start an etcd that may not read all of its own data. etcd 3.2 takes a log directory that it may not list for a missing
// one, and starts as a new member on top of it; forced, it would make an empty cluster there (tried).
func (h *Host) CheckOwner(ctx context.Context, unitUser string) error {
	want, err := h.owner(unitUser)
	if err != nil || want == 0 { // root may read everything
		return err
	}
	return readfile.Walk(ctx, h.MemberDir(), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		has := info.Sys().(*syscall.Stat_t).Uid
		if has == want {
			return nil
		}
		return fault.New(fault.Refused, "%s belongs to %s, and etcd runs as %s: it could not read its own data", path, name(has), name(want)).
			WithHint("chown -R %s: %s && restorecon -R %s, then run this again", name(want), h.DataDir, h.DataDir)
	})
}

// owner is the user that etcd runs as; where that is not known, the owner of the data directory.
func (h *Host) owner(unitUser string) (uint32, error) {
	if u, err := user.Lookup(unitUser); unitUser != "" && err == nil {
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		return uint32(uid), err
	}
	info, err := os.Stat(h.DataDir)
	if err != nil {
		return 0, err
	}
	return info.Sys().(*syscall.Stat_t).Uid, nil
}

func name(uid uint32) string {
	if u, err := user.LookupId(fmt.Sprint(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %d", uid)
}
