package main

import (
	"context"
	"errors"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/confedit"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/membership"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosturl"
)

// prepare does what can fail for a reason of this host alone: etcd.conf, then the fence. The cluster has not changed by its end, so another host
// can still join without this one. All refusals come before the first change.
func (a args) prepare(ctx context.Context, call *ansible.Call, h *host.Host, want membership.Want, outcome membership.Outcome) (ansible.Result, error) {
	fenced, err := isFenced(ctx, h)
	if err != nil {
		return ansible.Result{}, err
	}
	data := answer(want, outcome).Data.(result)
	data.Lines = printed(data.Variables)
	e, err := inConf(h.EtcdConf, data.Variables)
	if err != nil {
		return ansible.Result{}, err
	}
	out := ansible.Result{Changed: fenced || e.Changes(), Data: data}
	if e.Changes() {
		out.Diff = []ansible.Diff{{Before: e.OldLines, After: e.NewLines, BeforeHeader: e.Path, AfterHeader: e.Path}}
	}
	if call.CheckMode {
		out.Msg = "etcd.conf would get the list with this host, and etcd could start then; the list of the cluster stays as it is"
		return out, nil
	}
	if err := write(ctx, call, h, e, fenced); err != nil {
		return ansible.Result{Data: data}, err // changed is what was marked
	}
	out.Msg = "etcd.conf has the list with this host, and etcd could start; the list of the cluster is as it was"
	return out, nil
}

// write is safe to repeat after a kill: the fence is what goes last.
func write(ctx context.Context, call *ansible.Call, h *host.Host, e confedit.Edit, fenced bool) error {
	if _, err := e.Save(false); err != nil {
		return err
	}
	if e.Changes() {
		call.MarkChanged()
	}
	if !fenced {
		return nil
	}
	call.MarkChanged()
	return errors.Join(h.Unfence(ctx), h.DropBinaries())
}

// isFenced refuses a fence that may not be taken off: data in place are those of a member that the list does not have, or that has to keep them.
func isFenced(ctx context.Context, h *host.Host) (bool, error) {
	status, err := h.Status(ctx)
	if err != nil || status.Fence == nil && !h.Runtime.IsBlocked() {
		return false, err
	}
	return true, h.MayUnfence(false)
}

// inConf is the edit that `etcdctl member add` asks for.
func inConf(path string, variables map[string]string) (confedit.Edit, error) {
	listed, err := hosturl.ParseMembers(variables[confedit.ClusterKey])
	if err != nil {
		return confedit.Edit{}, fault.Wrap(fault.Invalid, err, "the member list cannot be written to %s", path)
	}
	existing := variables[confedit.StateKey]
	return confedit.Plan(path, confedit.Request{Settings: map[string]*string{confedit.StateKey: &existing}, Cluster: true, Exact: listed})
}

// reachable refuses where no member answers this host at the peer URLs of the list: etcd asks one of them at its first start, and ends again and
// again where none answers, while two members are without quorum for it [etcd v3.2.32, etcdserver/cluster_util.go].
func reachable(ctx context.Context, cfg etcd.Config, want membership.Want, members []facts.ClusterMember) error {
	var urls []string
	for _, m := range members {
		if m.Name != "" && !facts.ShareURL(m.PeerURLs, want.PeerURLs) {
			urls = append(urls, m.PeerURLs...)
		}
	}
	last := ""
	for url, seen := range etcd.SeesPeers(ctx, urls, cfg) {
		if seen.Error == "" {
			return nil
		}
		last = url + ": " + seen.Error
	}
	if last == "" {
		return nil
	}
	return fault.New(fault.Refused, "no member answers this host at the peer URL that the member list has of it (%s), so etcd here could not start", last).
		WithHint("where that member's host has a new address: ansible-playbook playbooks/readdress.yml -e etcd_host=NAME; else open its port 2380 for this host")
}
