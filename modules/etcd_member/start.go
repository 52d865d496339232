package main

import (
	"context"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
)

// starter starts this host's etcd right after it was added. From one to two members the cluster has no quorum until the second one
// runs: a second task, with a module to be sent first, would make every client wait for a second or more.
type starter struct {
	host         *host.Host
	probeOutFrom int64 // bytes of database
}

// ready makes the refusals of a start before the list is changed. A nil starter starts nothing.
func (a args) ready(ctx context.Context, h *host.Host) (*starter, error) {
	if !a.Start {
		return nil, nil
	}
	status, err := h.Status(ctx)
	if err != nil {
		return nil, err
	}
	return &starter{h, a.ProbeMB << 20}, h.MayStart(ctx, status, host.StartOptions{})
}

// run starts etcd. While the member receives a database that takes longer than 75 seconds, the pod's liveness probe would end it again and again:
// the probe is removed before, and etcd_service puts it back when the member has caught up.
func (s *starter) run(ctx context.Context, call *ansible.Call, out ansible.Result, bytes int64) (ansible.Result, error) {
	if s == nil || call.CheckMode {
		return out, nil
	}
	if bytes > s.probeOutFrom {
		if err := s.host.DropProbe(); err != nil {
			return out, err
		}
	}
	seen, err := s.host.Start(ctx, host.StartOptions{Wait: host.WaitProcess})
	if !seen.AlreadyRunning {
		call.MarkChanged()
		out.Changed = true
	}
	if data, ok := out.Data.(result); ok {
		data.Started, data.Probe = &seen, s.host.Probe()
		out.Data = data
	}
	return out, err
}
