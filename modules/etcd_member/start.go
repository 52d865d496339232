package main

import (
	"context"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/host"
)

// starter starts this host's etcd right after it was added. From one to two members the cluster has no quorum until the second one
// runs: a second task, with a module to be sent first, would make every client wait for a second or more.
type starter struct{ host *host.Host }

// ready makes the refusals of the start before the list is changed. A nil starter starts nothing.
func (a args) ready(ctx context.Context) (*starter, error) {
	if !a.Start {
		return nil, nil
	}
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return nil, err
	}
	status, err := h.Status(ctx)
	if err != nil {
		return nil, err
	}
	return &starter{h}, h.MayStart(status, host.StartOptions{})
}

func (s *starter) run(ctx context.Context, call *ansible.Call, out ansible.Result) (ansible.Result, error) {
	if s == nil || call.CheckMode {
		return out, nil
	}
	seen, err := s.host.Start(ctx, host.StartOptions{Wait: host.WaitProcess})
	if !seen.AlreadyRunning {
		call.MarkChanged()
		out.Changed = true
	}
	if data, ok := out.Data.(result); ok {
		data.Started = &seen
		out.Data = data
	}
	return out, err
}
