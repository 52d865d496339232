package main

import (
	"context"
	"os"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
)

const byInstaller = "openshift-ansible sets such a host up: put it into [new_etcd], run its playbooks/openshift-etcd/scaleup.yml while the first host of [etcd] has the CA's key"

// ready refuses a machine that could not run etcd, with the command that helps.
func ready(ctx context.Context, h *host.Host) error {
	name := h.Runtime.Name()
	_, err := os.Stat(h.ManifestDir)
	kubelet := err == nil
	switch {
	case name == facts.StaticPod, name == facts.None && kubelet:
		return fault.New(fault.Unsupported, "this host has a kubelet and no etcd.service: etcd would be a static pod here, which is not set up by this module").WithHint(byInstaller)
	case name == facts.None:
		return fault.New(fault.Refused, "there is no etcd.service on this host").WithHint("yum install etcd; then run the same command again")
	case name != facts.Systemd:
		return fault.New(fault.Unsupported, "etcd runs here as %s, which cannot be made a member's", name).WithHint(byInstaller)
	}
	if _, err := h.Binary(ctx, "etcd"); err != nil {
		return fault.Wrap(fault.Refused, err, "etcd's program").WithHint("yum reinstall etcd; then run the same command again")
	}
	if _, _, err := h.UnitUser(ctx); err != nil {
		return err
	}
	status, err := h.Status(ctx)
	if err != nil {
		return err
	}
	if status.Process != nil || len(status.Strangers) > 0 || status.View.State == facts.Starting {
		return fault.New(fault.Refused, "etcd runs on this host, with an etcd.conf that is no member's").
			WithHint("look whose data that is; if nobody needs it: systemctl disable --now etcd, then run the same command again")
	}
	return nil
}
