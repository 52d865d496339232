package backup

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

// apply gives a file the mode and the owner, by name, that the manifest has.
func (f File) apply(path string) error {
	mode, err := strconv.ParseUint(f.Mode, 8, 12)
	if err != nil {
		return fault.New(fault.Corrupt, "%s has the mode %q in the manifest", path, f.Mode)
	}
	uid, err := id(f.Owner, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
	if err != nil {
		return err
	}
	gid, err := id(f.Group, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	if err != nil {
		return err
	}
	if err := os.Lchown(path, uid, gid); err != nil {
		return fmt.Errorf("chown: %w", err)
	}
	return unix.Chmod(path, uint32(mode))
}

func id(name string, lookup func(string) (string, error)) (int, error) {
	text, err := lookup(name)
	if err != nil {
		text = name // a number stands for an owner that had no name
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fault.New(fault.Refused, "the user or group %q of the backup does not exist on this host", name).
			WithHint("install etcd first: its package makes the user etcd")
	}
	return n, nil
}
