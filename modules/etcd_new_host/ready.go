package main

import (
	"context"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
)

const byInstaller = "openshift-ansible sets such a host up: put it into [new_etcd], run its playbooks/openshift-etcd/scaleup.yml while the first host of [etcd] has the CA's key"

// ready says what etcd is to be here, and refuses a machine that could not run it, with the command that helps.
func ready(ctx context.Context, h *host.Host) (runtime string, err error) {
	if runtime, err = runtimeOf(ctx, h); err != nil {
		return "", err
	}
	if runtime == facts.StaticPod {
		err = podReady(ctx, h)
	} else {
		err = serviceReady(ctx, h)
	}
	if err != nil {
		return "", err
	}
	return runtime, idle(ctx, h)
}

// idle refuses where an etcd runs: whose it is, is not known.
func idle(ctx context.Context, h *host.Host) error {
	status, err := h.Status(ctx)
	if err != nil {
		return err
	}
	stop := "systemctl disable --now etcd"
	switch {
	case len(status.Strangers) > 0:
		stop = h.EndBy(status.Strangers[0])
	case status.Process == nil && status.View.State != facts.Starting:
		return nil
	}
	return fault.New(fault.Refused, "etcd runs on this host, with an etcd.conf that is no member's").
		WithHint("look whose data that is; if nobody needs it: %s, then run the same command again", stop)
}

func serviceReady(ctx context.Context, h *host.Host) error {
	if _, err := h.Binary(ctx, "etcd"); err != nil {
		return fault.Wrap(fault.Refused, err, "etcd's program").WithHint("yum reinstall etcd; then run the same command again")
	}
	_, _, err := h.UnitUser(ctx)
	return err
}
