package main

import (
	"context"
	"slices"
	"strings"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// mayLeave refuses to move data that is in use: that of a running etcd, and that of a member which its cluster still counts on.
func (m mover) mayLeave(ctx context.Context) error {
	if err := m.host.MustBeIdle(ctx); err != nil {
		return err
	}
	self, err := m.host.Member()
	if err != nil {
		m.call.Warn("the log in %s does not say which member it belongs to: %v", m.host.WALDir(), err)
		return nil
	}
	if self == nil {
		m.call.Warn("there is no log in %s, so which member the data belongs to is not known", m.host.WALDir())
		return nil
	}
	members, err := m.clusterWithQuorum(ctx)
	if err != nil {
		return err
	}
	for i, each := range members {
		if each.ID == self.ID {
			return fault.New(fault.Refused, "member %s (%s), whose data this is, is in the list of a cluster that has quorum; without its data it could not come back",
				self.ID, each.Name).
				WithHint("start it with its data: ansible HOST -m etcd_service -a state=started; or remove it first: ansible HOST -m etcd_member -a 'state=absent id=%s endpoints=%s'",
					self.ID, strings.Join(clientURLs(slices.Delete(members, i, i+1)), ","))
		}
	}
	return nil
}

// clusterWithQuorum is the member list of a cluster that serves, or nil. Endpoints that the caller named must answer. Without them the other
// hosts of ETCD_INITIAL_CLUSTER are asked, and one that is down is passed over.
func (m mover) clusterWithQuorum(ctx context.Context) ([]facts.ClusterMember, error) {
	cfg := etcd.Config{TLS: m.host.TLS}
	if len(m.args.Endpoints) > 0 {
		given, err := m.args.Config(m.args.EtcdConf)
		if err != nil {
			return nil, err
		}
		return members(ctx, given)
	}
	for _, url := range m.host.OtherPeerURLs() {
		peer, err := etcd.AskPeer(ctx, url, cfg)
		if err != nil {
			continue
		}
		if list, err := members(ctx, cfg.At(clientURLs(peer.Members)...)); err == nil {
			return list, nil
		}
	}
	return nil, nil
}

func members(ctx context.Context, cfg etcd.Config) ([]facts.ClusterMember, error) {
	c, err := etcd.DialQuorum(ctx, cfg)
	if err != nil {
		return nil, fault.Wrap(fault.Unreachable, err, "cannot ask whether the cluster still lists this member")
	}
	defer c.Close()
	return c.MemberList(ctx)
}

func clientURLs(members []facts.ClusterMember) []string {
	var out []string
	for _, each := range members {
		out = append(out, each.ClientURLs...)
	}
	return out
}
