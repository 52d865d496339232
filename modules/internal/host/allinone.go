package host

import (
	"context"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/masterconfig"
	"etcd-quorum-restore/modules/internal/root"
)

// allInOne is an etcd inside the master's process: no etcd.conf, no unit or pod of its own, data in openshift.local.etcd. It can be looked at and
// backed up. It is not started or stopped by this project: it takes no flag, and runs only with the master. An all-in-one host whose etcd is a
// service or a pod is not this: there ETCD_DATA_DIR of etcd.conf names that directory, and everything works as elsewhere.
type allInOne struct {
	unsupported
	host *Host
}

// Look goes by the locks on etcd's files, since the process that holds them is not called etcd.
func (a allInOne) Look(context.Context) (View, error) {
	held, err := a.host.locked()
	if len(held) == 0 {
		return View{State: facts.Stopped, Detail: "the master does not hold its data"}, err
	}
	return View{State: facts.Running, Detail: "inside the master's process", Ready: true}, nil
}

// errAllInOne says what to do instead.
func errAllInOne() error {
	return fault.New(fault.Unsupported, "etcd runs inside the master's process here (all-in-one), which cannot be made to force a new cluster, and etcd cannot be stopped alone").
		WithHint("stop the master, back the data up (etcd_backup method=copy), install the etcd package, write its etcd.conf with ETCD_DATA_DIR=%s and the certificates, "+
			"give the files to the user etcd, take etcdConfig out of master-config.yaml, and run this again: etcd is a service then", AllInOneDataDir)
}

// readMaster fills in what etcd.conf says elsewhere. A configuration that cannot be read leaves it empty: the files give facts without it.
func (h *Host) readMaster() {
	c, err := masterconfig.Read(root.Path(masterconfig.DefaultPath))
	if err != nil || c.EtcdConfig == nil {
		return
	}
	h.Config.ClientURLs, h.TLS = c.EtcdClientInfo.URLs, c.TLS()
	if c.EtcdConfig.PeerAddress != "" {
		h.Config.PeerURLs = []string{"https://" + c.EtcdConfig.PeerAddress}
	}
	if c.EtcdConfig.StorageDirectory != "" && h.DataDir == root.Path(AllInOneDataDir) {
		h.DataDir = filepath.Clean(c.EtcdConfig.StorageDirectory)
	}
}
