package force

import (
	"cmp"
	"context"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/guard"
	"etcd-quorum-restore/modules/internal/member"
)

func unreadable(err error, dataDir string) error {
	return fault.Wrap(fault.Refused, err, "read %s", dataDir).
		WithHint("without a log a forced start would make an empty cluster: take another host, or put a backup back (etcd_backup, etcd_data_dir state=restored)")
}

// nobodyElse refuses while an old member runs: it would take the survivor for one of its own, and two of them are a quorum. A port that accepts a
// connection and does not answer as etcd does may be a frozen member, or one with other certificates.
func (f *Forcer) nobodyElse(ctx context.Context, state *member.State) error {
	var urls []string
	for _, m := range state.Members {
		if m.ID != state.ID {
			urls = append(urls, m.PeerURLs...)
		}
	}
	found := make([]error, len(urls))
	var all guard.Group
	for i, url := range urls {
		all.Go(func() { found[i] = f.nobodyAt(ctx, url) })
	}
	all.Wait()
	return cmp.Or(found...)
}

func (f *Forcer) nobodyAt(ctx context.Context, url string) error {
	cfg := etcd.Config{TLS: f.Host.TLS, Connect: 2 * time.Second, Call: 2 * time.Second}
	_, err := etcd.AskPeer(ctx, url, cfg)
	if fault.KindOf(err) == fault.Unreachable {
		return nil
	}
	refusal := fault.New(fault.Refused, "another member answers at %s", url)
	if err != nil {
		refusal = fault.New(fault.Refused, "it is not clear whether another member runs at %s (%v)", url, err)
	}
	return refusal.WithHint("fence it first: ansible HOST -m etcd_fence -a 'state=present why=\"quorum restore\"'")
}

// mayForce holds every reason against a forced start that a stopped member's files can give. All are checked before the first change, so that a
// refusal leaves the host as it was.
func (f *Forcer) mayForce(s situation) error {
	if err := f.mayTouchLog(s); err != nil {
		return err
	}
	if err := member.RoomToStart(s.state, f.Host.DataDir, f.Host.Config.WALDir); err != nil {
		return err
	}
	if f.Rehearsed != nil && s.begun() {
		return f.Rehearsed.fits(FromFiles(s.state))
	}
	return nil
}

// mayTouchLog checks what the method needs of the log. A start with the flag alone throws the tail away, so only committed entries count there.
func (f *Forcer) mayTouchLog(s situation) error {
	state := s.state
	if s.method == ByLog {
		return state.MayForce(f.KeepTail)
	}
	if f.KeepTail {
		return state.MayKeep()
	}
	if len(state.Damage) > 0 {
		d := state.Damage[0]
		return fault.New(fault.Corrupt, "the member's files are damaged (%s): %s %s", d.Code, d.File, d.Text).
			WithHint("take another host as the survivor: -e etcd_survivor=HOST")
	}
	if state.Database != nil && state.Database.ConsistentIndex > state.HardState.Commit {
		return fault.New(fault.Refused, "the database has applied entry %d, the commit index on disk is %d: started plainly, this member would hang on every write, or diverge",
			state.Database.ConsistentIndex, state.HardState.Commit).WithHint("keep the log's tail: keep_log_tail=yes, the default")
	}
	return nil
}

// fits refuses a rehearsal that was made on a copy of other files.
func (want Expected) fits(files Expected) error {
	for _, c := range []struct {
		what            string
		rehearsed, here any
		wrong           bool
	}{
		{"member", want.MemberID, files.MemberID, want.MemberID != 0 && want.MemberID != files.MemberID},
		{"cluster", want.ClusterID, files.ClusterID, want.ClusterID != 0 && want.ClusterID != files.ClusterID},
		{"revision", want.Revision, files.Revision, want.Revision != 0 && want.Revision < files.Revision},
	} {
		if c.wrong {
			return fault.New(fault.Refused, "expect: the rehearsal was of %s %v, and here is %s %v: it was made on another copy", c.what, c.rehearsed, c.what, c.here).
				WithHint("make a stopped copy of this host's data (etcd_backup method=copy), rehearse on that, and give its result as expect")
		}
	}
	return nil
}
