package host

import (
	"context"
	"os/user"
	"strconv"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/hosturl"
)

// Configured is true where etcd.conf is a member's. The RPM's own etcd.conf is not: it has the name default, and URLs of localhost only
// [etcd-3.2.32, etcd.conf of the RPM].
func (h *Host) Configured() bool {
	return !hosturl.OnlyLoopback(h.Config.PeerURLs)
}

// UnitUser is the user that the unit runs etcd as; it must exist.
func (h *Host) UnitUser(ctx context.Context) (uid, gid int, err error) {
	view, err := h.Runtime.Look(ctx)
	if err != nil || view.User == "" {
		return 0, 0, err
	}
	u, err := user.Lookup(view.User)
	if err != nil {
		if u, err = user.LookupId(view.User); err != nil {
			return 0, 0, fault.New(fault.Refused, "%s runs etcd as user %s, and there is no such user", unitName, view.User).WithHint("yum reinstall etcd")
		}
	}
	if uid, err = strconv.Atoi(u.Uid); err == nil {
		gid, err = strconv.Atoi(u.Gid)
	}
	return uid, gid, err
}
