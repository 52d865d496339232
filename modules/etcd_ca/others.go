package main

import (
	"os"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/procfs"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/rotation"
)

// bystanders read a master's files, or have copies of them, and no playbook restarts them.
func bystanders(a args) (rotation.Bystanders, error) {
	found, _ := filepath.Glob(root.Path("/etc/cni/net.d/*calico*"))
	out := rotation.Bystanders{Calico: len(found) > 0}
	master, err := masterconfig.Read(a.MasterConfig)
	if err != nil || master.EtcdConfig != nil {
		return out, nil // no master
	}
	out.Catalog, err = catalogIsOld(master.TLS())
	return out, err
}

// catalogIsOld: the service catalog's API server names the master's files as arguments, and reads them when it starts [openshift-ansible
// release-3.11, roles/openshift_service_catalog/templates/api_server.j2].
func catalogIsOld(files clienttls.Files) (bool, error) {
	var changed time.Time
	for _, path := range []string{files.CA, files.Cert} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(changed) {
			changed = info.ModTime()
		}
	}
	all, err := procfs.Processes(func(comm string) bool { return comm == "apiserver" })
	for _, p := range all {
		file, ok := p.Flag("etcd-cafile")
		began, err := p.StartedAt()
		if ok && file == files.CA && (err != nil || began.Before(changed)) {
			return true, nil
		}
	}
	return false, err
}
