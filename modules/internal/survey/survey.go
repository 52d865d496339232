// Package survey collects what is known of one host's etcd, from files, processes, and the sockets that answer. It changes nothing, and it works
// whether etcd is up, down, or hangs.
package survey

import (
	"context"
	"maps"
	"slices"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
	"etcd-quorum-restore/modules/internal/host"
)

// Options of a survey.
type Options struct {
	Settle    time.Duration // without quorum, how long to look again: short losses, such as elections, are ignored
	BackupDir string        // where backups will go; "" omits the check of its space
	Now       time.Time
}

// Gather looks at one host. A file that cannot be read is a fact or a check, never an error of the survey.
func Gather(ctx context.Context, h *host.Host, o Options) (facts.Host, error) {
	out := facts.Host{Runtime: h.Runtime.Name(), Config: h.Config, Clock: o.Now.UTC().Format("2006-01-02T15:04:05.000Z")}
	status, err := h.Status(ctx)
	if err != nil {
		return out, fault.Wrap(fault.Internal, err, "how etcd runs here")
	}
	describe(&out, status)
	if out.PutBack, err = h.PutBackRecord(); err != nil {
		return out, fault.Wrap(fault.Internal, err, "the record of a fence that was removed")
	}
	if out.ForceFlags, err = h.ForceFlags(ctx); err != nil {
		return out, fault.Wrap(fault.Internal, err, "flags of a forced start")
	}
	out.Live.ForceProcess = slices.ContainsFunc(out.ForceFlags, func(f facts.ForceFlag) bool { return f.Where == "process" })
	out.Probe, out.NodeService = h.Probe(), h.NodeService(ctx)
	if err := fromFiles(ctx, &out, h); err != nil {
		return out, err
	}
	if o.BackupDir != "" {
		out.BackupDir = &facts.Space{Path: o.BackupDir, FreeBytes: freeBytes(o.BackupDir), SameFilesystem: backup.SameDisk(o.BackupDir, h.DataDir)}
	}
	if out.Runtime == facts.None && h.Conf.File == nil {
		return out, nil // no host of etcd
	}
	if !out.CAKey {
		out.CACopy = copyOfCA(ctx, h, o.BackupDir)
	}
	live(ctx, &out, h, o.Settle)
	out.MovedFrom = h.MovedFrom(listedURLs(out))
	out.Joined = joined(out)
	var issued []facts.Check
	out.Certificates, issued = Certificates(certificateFiles(h), o.Now)
	out.Checks = append(append(checks(ctx, out, h, status), issued...), notLoaded(out.Certificates, status.Process)...)
	return out, nil
}

func describe(out *facts.Host, s host.Status) {
	out.State, out.Enabled, out.Fenced = s.State, s.View.Enabled, s.Fence
	p := s.Process
	if p == nil && len(s.Strangers) > 0 {
		p = &s.Strangers[0] // started by hand; it is asked like any other
	}
	if p == nil {
		return
	}
	out.PID = p.PID
	if at, err := p.StartedAt(); err == nil {
		out.StartedAt = at.UTC().Format(time.RFC3339)
	}
}

// live asks the running etcd, and every peer that the membership names, for as long as no quorum is seen.
func live(ctx context.Context, out *facts.Host, h *host.Host, settle time.Duration) {
	cfg := etcd.Config{TLS: h.TLS, Endpoints: h.Config.ClientURLs, PeerURLs: h.Config.PeerURLs, Connect: 2 * time.Second, Call: 3 * time.Second}
	peers := otherPeers(*out)
	dropped := askDropped(ctx, droppedPeers(*out), cfg)
	defer dropped.end()
	for began := time.Now(); ; {
		var peersSeen map[string]facts.Seen
		var look guard.Group
		look.Go(func() { peersSeen = etcd.SeesPeers(ctx, peers, cfg) })
		if out.PID != 0 {
			askSelf(ctx, out, cfg)
		}
		look.Wait()
		out.Sees = peersSeen
		if out.Live.Quorum {
			lookTwice(ctx, out.Sees, cfg)
			return
		}
		if time.Since(began) > patience(*out, settle) {
			maps.Copy(out.Sees, dropped.wait())
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// question is one that is asked beside others, and whose answer may not be needed.
type question struct {
	end   context.CancelFunc
	group guard.Group
	seen  map[string]facts.Seen
}

// askDropped asks removed members: without quorum, one that runs on would serve beside a forced start. With quorum nobody waits for their answers.
func askDropped(ctx context.Context, urls []string, cfg etcd.Config) *question {
	ctx, cancel := context.WithCancel(ctx)
	q := &question{end: cancel}
	q.group.Go(func() { q.seen = etcd.SeesPeers(ctx, urls, cfg) })
	return q
}

func (q *question) wait() map[string]facts.Seen {
	q.group.Wait()
	return q.seen
}

// readStall is how long a member with quorum can leave linearizable reads without an answer: etcd 3.2 drops one that comes while there is no
// leader, and makes all others wait behind it until it has timed out, after 5 s plus twice the election timeout, which is 2.5 s on OpenShift
// (etcdserver/v3_server.go, linearizableReadLoop; etcdserver/config.go, ReqTimeout).
const readStall = 12 * time.Second

// patience is longer where a majority is up: its quorum may only be slow to show. A loss of hosts shows without it.
func patience(out facts.Host, settle time.Duration) time.Duration {
	up := 1
	for _, peer := range out.Sees {
		if peer.Error == "" {
			up++
		}
	}
	if settle == 0 || out.PID == 0 || up <= (len(out.Sees)+1)/2 {
		return settle
	}
	return max(settle, readStall)
}

// lookTwice asks silent peers again: with quorum the survey does not wait for seconds, and one late answer would be reported as a broken network.
func lookTwice(ctx context.Context, seen map[string]facts.Seen, cfg etcd.Config) {
	var silent []string
	for url, peer := range seen {
		if peer.Error != "" {
			silent = append(silent, url)
		}
	}
	maps.Copy(seen, etcd.SeesPeers(ctx, silent, cfg))
}

func askSelf(ctx context.Context, out *facts.Host, cfg etcd.Config) {
	force := out.Live.ForceProcess
	c, err := etcd.Dial(ctx, cfg)
	if err != nil {
		out.Live = facts.Live{Error: err.Error(), ForceProcess: force}
		fromPeerPort(ctx, out, cfg)
		return
	}
	defer c.Close()
	out.Version = c.Version
	out.Live = c.Probe(ctx)
	out.Live.Serves = out.Live.MemberID != 0
	out.Live.ForceProcess = force
	if members, err := c.MemberList(ctx); err == nil {
		out.Members, out.MembersFrom = members, "client"
	}
	if keys, present, err := c.V2().UserKeys(ctx); err == nil && present {
		out.V2Data = &facts.V2Data{Present: keys > 0, Keys: keys}
	}
}

// fromPeerPort asks the peer port: a member that was restarted without quorum answers no client.
func fromPeerPort(ctx context.Context, out *facts.Host, cfg etcd.Config) {
	for _, url := range cfg.PeerURLs {
		if p, err := etcd.AskPeer(ctx, url, cfg); err == nil {
			out.Version = p.Version
			if len(p.Members) > 0 {
				out.Members, out.MembersFrom = p.Members, "peer_port"
			}
			return
		}
	}
}

// otherPeers are the peer URLs of the membership, or of etcd.conf where none is known, without this host's own.
func otherPeers(out facts.Host) []string {
	var urls []string
	for _, m := range out.Members {
		urls = append(urls, m.PeerURLs...)
	}
	if len(out.Members) == 0 {
		for _, m := range facts.ParseInitialCluster(out.Config.InitialCluster) {
			urls = append(urls, m.URL)
		}
	}
	return slices.DeleteFunc(urls, func(url string) bool { return facts.HasURL(out.Config.PeerURLs, url) })
}

// droppedPeers are those of etcd.conf that the membership does not have: removed members, until etcd.conf is written again after their removal.
func droppedPeers(out facts.Host) (urls []string) {
	if len(out.Members) == 0 {
		return nil
	}
	for _, listed := range facts.ParseInitialCluster(out.Config.InitialCluster) {
		member := slices.ContainsFunc(out.Members, func(m facts.ClusterMember) bool { return facts.HasURL(m.PeerURLs, listed.URL) })
		if !member && !facts.HasURL(out.Config.PeerURLs, listed.URL) {
			urls = append(urls, listed.URL)
		}
	}
	return urls
}

// listedURLs are this host's own peer URLs in the member list.
func listedURLs(out facts.Host) []string {
	if out.Member == nil {
		return nil
	}
	if i := slices.IndexFunc(out.Members, func(m facts.ClusterMember) bool { return m.ID == out.Member.ID }); i >= 0 {
		return out.Members[i].PeerURLs
	}
	return nil
}

// joined is true where this host runs as a member of a cluster that has quorum.
func joined(out facts.Host) bool {
	return out.State == facts.Running && out.Live.Quorum && slices.ContainsFunc(out.Members, func(m facts.ClusterMember) bool {
		return m.ID == out.Live.MemberID && m.Name != ""
	})
}
