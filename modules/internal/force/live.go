package force

import (
	"context"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/member"
)

// FromFiles is what a start must show, by the member's files. The log may hold later revisions than the database.
func FromFiles(s *member.State) Expected {
	want := Expected{MemberID: s.ID, ClusterID: s.ClusterID, V2Keys: s.V2Keys}
	if s.Database != nil {
		want.Revision = s.Database.Revision
	}
	return want
}

// expects is FromFiles. Where the tail is given up, all v2 keys may be in it, so that they are not compared.
func (f *Forcer) expects(s *member.State) Expected {
	want := FromFiles(s)
	if !f.KeepTail {
		want.V2Keys = 0
	}
	return want
}

// prove waits for this host's etcd, which was started just before, and checks it.
func (f *Forcer) prove(ctx context.Context, want Expected) (Proof, error) {
	began := time.Now()
	c, err := f.connect(ctx)
	if err != nil {
		return Proof{}, err
	}
	defer c.Close()
	revision, err := WaitForRead(ctx, c, func() error { return f.alive(ctx) })
	if err != nil {
		return Proof{}, err
	}
	seconds := time.Since(began).Seconds()
	p, err := Prove(ctx, c, revision, want)
	p.Seconds = seconds
	return p, err
}

func (f *Forcer) connect(ctx context.Context) (*etcd.Client, error) {
	cfg := etcd.Config{TLS: f.Host.TLS, Endpoints: f.Host.Config.ClientURLs, Connect: 2 * time.Second, Call: 5 * time.Second}
	for {
		c, err := etcd.Dial(ctx, cfg)
		if err == nil {
			return c, nil
		}
		if dead := f.alive(ctx); dead != nil {
			return nil, dead
		}
		select {
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Timeout, err, "etcd was started and does not answer")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (f *Forcer) alive(ctx context.Context) error {
	status, err := f.Host.Status(ctx)
	if err == nil && status.Process == nil {
		lines, _ := f.Host.Runtime.Log(ctx, 5) // etcd's last lines, if there are any
		err = fault.New(fault.Internal, "etcd ended after its start (%s): %s", status.View.Detail, strings.Join(lines, " | ")).
			WithHint("what it logged, explained: ansible HOST -m etcd_log_info")
	}
	return err
}

// discarded looks at what etcd logged since its last start.
func (f *Forcer) discarded(ctx context.Context) string {
	lines, err := f.Host.Runtime.Log(ctx, 500)
	if err != nil {
		return "" // no journal here; the proof's revision and the kept tail have to do
	}
	for i, line := range slices.Backward(lines) {
		if strings.Contains(line, "etcd Version:") {
			return Discarded(lines[i:])
		}
	}
	return Discarded(lines)
}

func (f *Forcer) unflagged(ctx context.Context) error {
	flags, err := f.Host.ForceFlags(ctx)
	if err == nil && len(flags) > 0 {
		err = fault.New(fault.Internal, "a force flag is left in %s (%s)", flags[0].Where, flags[0].Path)
	}
	return err
}

// listOwnURLs replaces the peer URLs of a member whose host has moved, while it is alone: the member list still has the old ones, etcd.conf's count
// for nothing once there is data, and a member that joins would ask there, in vain, with the quorum gone [etcd v3.2.32, etcdserver/cluster_util.go].
func (f *Forcer) listOwnURLs(ctx context.Context, p *Proof) error {
	if f.Host.MovedFrom(p.PeerURLs) == "" {
		return nil
	}
	c, err := f.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.MemberUpdate(ctx, p.MemberID, f.Host.Config.PeerURLs); err != nil {
		return fault.Wrap(fault.KindOf(err), err, "replace the peer URL of this member, %s, by the one of etcd.conf", strings.Join(p.PeerURLs, ","))
	}
	p.PeerURLs = f.Host.Config.PeerURLs
	return nil
}
