package force

import (
	"context"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
)

// Cluster is what a proof needs from a running etcd. Every call ends with its context.
type Cluster interface {
	Status(ctx context.Context) (facts.Live, error)
	MemberList(ctx context.Context) ([]facts.ClusterMember, error)
	LinearizableRead(ctx context.Context) (revision int64, err error)
	CountKeys(ctx context.Context, revision int64) (int64, error)
	CountV2Keys(ctx context.Context) (keys int64, present bool, err error)
	ProbeWrite(ctx context.Context) error
}

// Expected is what the files say before the start; a zero field is not compared.
type Expected struct {
	MemberID  facts.ID `json:"member_id"`
	ClusterID facts.ID `json:"cluster_id"`
	Revision  int64    `json:"revision"` // the least that is right; clients may write as soon as etcd serves
	Keys      int64    `json:"keys"`     // at Revision, where a rehearsal on the same bytes has counted them
	V2Keys    int64    `json:"v2_keys"`  // by the files; some may expire meanwhile, so only the loss of all of them is an error
}

// Proof is what the forced member showed.
type Proof struct {
	MemberID  facts.ID `json:"member_id"`
	ClusterID facts.ID `json:"cluster_id"`
	Name      string   `json:"name"`
	PeerURLs  []string `json:"peer_urls"`
	Revision  int64    `json:"revision"`
	Keys      int64    `json:"keys"`
	V2Keys    int64    `json:"v2_keys"`
	Term      uint64   `json:"term"`
	Seconds   float64  `json:"seconds"` // from the start of the process to the first linearizable read
}

// WaitForRead polls until a linearizable read answers; a single member needs one election timeout for that.
func WaitForRead(ctx context.Context, c Cluster, alive func() error) (revision int64, err error) {
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		revision, err = c.LinearizableRead(try)
		cancel()
		if err == nil {
			return revision, nil
		}
		if dead := alive(); dead != nil {
			return 0, dead
		}
		select {
		case <-ctx.Done():
			return 0, fault.Wrap(fault.Timeout, err, "etcd runs, and answers no linearizable read")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Prove checks the effect of a forced start: one member, the same identity, no older revision, and one write that returns. Only the write shows a
// member whose applied index is ahead of its log: there reads and /health look fine, and every write hangs.
func Prove(ctx context.Context, c Cluster, revision int64, want Expected) (Proof, error) {
	members, err := c.MemberList(ctx)
	if err != nil {
		return Proof{}, fault.Wrap(fault.Internal, err, "member list after the forced start")
	}
	if len(members) != 1 {
		return Proof{}, fault.New(fault.Internal, "after the forced start the member list has %d entries, expected 1", len(members))
	}
	live, err := c.Status(ctx)
	if err != nil {
		return Proof{}, fault.Wrap(fault.Internal, err, "status after the forced start")
	}
	p := Proof{MemberID: live.MemberID, ClusterID: live.ClusterID, Name: members[0].Name, PeerURLs: members[0].PeerURLs, Revision: revision, Term: live.Term}
	if p.Keys, err = c.CountKeys(ctx, revision); err != nil {
		return p, fault.Wrap(fault.Internal, err, "count the keys at revision %d", revision)
	}
	if err := want.compare(p); err != nil {
		return p, err
	}
	if err := want.compareKeys(ctx, c); err != nil {
		return p, err
	}
	if err := want.compareV2(ctx, c, &p); err != nil {
		return p, err
	}
	if err := c.ProbeWrite(ctx); err != nil {
		return p, fault.Wrap(fault.Internal, err, "the cluster reads, and a write does not return")
	}
	return p, nil
}

// compareV2 compares the count of v2 keys: the v2 store has no revision to ask for. A server without it (the default from 3.4 on) is not
// compared.
func (want Expected) compareV2(ctx context.Context, c Cluster, p *Proof) (err error) {
	present := false
	if p.V2Keys, present, err = c.CountV2Keys(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "count the v2 keys")
	}
	if present && p.V2Keys == 0 && want.V2Keys > 0 {
		return fault.New(fault.Corrupt, "there are no v2 keys, expected %d", want.V2Keys).
			WithHint("the stopped copy still holds them; nothing else was added to this cluster yet")
	}
	return nil
}

func (want Expected) compare(p Proof) error {
	switch {
	case want.MemberID != 0 && p.MemberID != want.MemberID:
		return fault.New(fault.Internal, "the member ID is %s, expected %s", p.MemberID, want.MemberID)
	case want.ClusterID != 0 && p.ClusterID != want.ClusterID:
		return fault.New(fault.Internal, "the cluster ID is %s, expected %s", p.ClusterID, want.ClusterID)
	case p.Revision < want.Revision:
		return fault.New(fault.Internal, "the revision is %d, expected at least %d", p.Revision, want.Revision)
	}
	return nil
}

// goesOnFrom compares with the start before, the one with the flag; the zero Proof where there was none. Clients have written in between: what is
// expected of the keys is of the revision that was rehearsed, not of that start's.
func (p Proof) goesOnFrom(earlier Proof) error {
	if p.Revision < earlier.Revision {
		return fault.New(fault.Corrupt, "the revision is %d, and with the flag it was %d", p.Revision, earlier.Revision).
			WithHint("the stopped copy holds the data as they were before; nothing else was added to this cluster yet")
	}
	return nil
}

// compareKeys counts at the expected revision, so that later writes of clients do not matter.
func (want Expected) compareKeys(ctx context.Context, c Cluster) error {
	if want.Keys == 0 {
		return nil
	}
	keys, err := c.CountKeys(ctx, want.Revision)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "count the keys at revision %d", want.Revision)
	}
	if keys != want.Keys {
		return fault.New(fault.Internal, "there are %d keys at revision %d, expected %d", keys, want.Revision, want.Keys)
	}
	return nil
}

// Discarded finds etcd's own message for log entries that it threw away: "discarding N uncommitted WAL entries" [etcd v3.2.32,
// etcdserver/raft.go, restartAsStandaloneNode].
func Discarded(lines []string) string {
	for _, line := range lines {
		if strings.Contains(line, "discarding") && strings.Contains(line, "uncommitted WAL entries") && !strings.Contains(line, "discarding 0 ") {
			return line
		}
	}
	return ""
}
