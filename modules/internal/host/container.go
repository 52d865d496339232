package host

import (
	"context"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/systemd"
)

// containerName is the unit of a containerized installation before 3.10 [openshift-ansible release-3.9, roles/etcd]: docker runs etcd for it, and
// systemd restarts it after every end (Restart=always).
const containerName = "etcd_container.service"

// container is recognized, so that nobody takes the host for one without etcd; it is not started or stopped.
type container struct{ unsupported }

// containerUnit asks systemd only where such a unit file exists.
func containerUnit(ctx context.Context) (unitFile, error) {
	for _, dir := range []string{"/etc/systemd/system/", "/usr/lib/systemd/system/"} {
		if exists(root.Path(dir + containerName)) {
			return unitAt(ctx, containerName)
		}
	}
	return unitFile{load: "not-found"}, nil
}

func (c container) Look(ctx context.Context) (View, error) {
	p, err := systemd.Show(ctx, containerName, viewProperties...)
	return viewOf(p), err
}

func (c container) Words() Words {
	return Words{Starter: containerName, Log: "journalctl -u " + containerName}
}

func errContainer() error {
	return fault.New(fault.Unsupported, "etcd runs here in docker, as %s, which is not supported: systemd restarts it each time it ends", containerName).
		WithHint("make it a service: systemctl disable --now %s, install the etcd package of the same version, give the data to its user "+
			"(chown -R etcd:etcd /var/lib/etcd), systemctl unmask etcd && systemctl enable etcd, then run this again", containerName)
}
