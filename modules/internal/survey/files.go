package survey

import (
	"context"
	"errors"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/record"
	"etcd-quorum-restore/modules/internal/rotation"
	"etcd-quorum-restore/modules/internal/setaside"
)

// fromFiles fails only at its time limit: what was not read completely is no fact.
func fromFiles(ctx context.Context, out *facts.Host, h *host.Host) error {
	out.DataDir = dataDir(ctx, h)
	out.SetAside, _ = setaside.List(ctx, h.DataDir) // copies that cannot be listed are not offered
	out.Forcing = forcing(h.ForcingFile())
	out.Restoring = restoring(h.RestoringFile())
	out.ClientsLeft = clientsLeft(facts.ClientsLeftPath(h.EtcdConf))
	ca := filepath.Join(filepath.Dir(h.EtcdConf), "ca")
	out.CAKey, out.CARenewal = cacopy.There(ca), rotation.StageOf(ca)
	s, err := member.Read(ctx, h.DataDir, h.Config.WALDir)
	if over := readfile.Over(ctx, h.DataDir); over != nil {
		return over
	}
	switch {
	case errors.Is(err, member.ErrNoMember):
	case err != nil:
		out.Log = &facts.Log{Damage: []facts.Damage{{Code: "unreadable", File: h.DataDir, Text: err.Error()}}}
	default:
		fromMember(out, s)
	}
	return nil
}

func fromMember(out *facts.Host, s *member.State) {
	out.Log = logFacts(s)
	if s.ID != 0 {
		out.Member = &facts.Member{ID: s.ID, ClusterID: s.ClusterID}
	}
	for _, p := range s.Members {
		if p.ID == s.ID && out.Member != nil {
			out.Member.Name = p.Name
		}
		out.Members = append(out.Members, facts.ClusterMember{ID: p.ID, Name: p.Name, PeerURLs: p.PeerURLs, ClientURLs: p.ClientURLs})
	}
	if len(out.Members) > 0 {
		out.MembersFrom = "files"
	}
	if s.Database != nil {
		out.Database = &facts.Database{ConsistentIndex: s.Database.ConsistentIndex, Revision: s.Database.Revision, Bytes: s.Database.Bytes}
	}
	out.V2Data = &facts.V2Data{Present: s.V2Keys > 0, Keys: s.V2Keys}
}

func logFacts(s *member.State) *facts.Log {
	l := &facts.Log{
		FirstIndex: s.FirstIndex, LastTerm: s.LastTerm, LastIndex: s.LastIndex,
		Term: s.HardState.Term, Vote: s.HardState.Vote, Commit: s.HardState.Commit, KnownCommitted: s.KnownCommitted(),
		SnapshotIndex: s.SnapshotIndex, SnapshotTerm: s.SnapshotTerm, TailEntries: s.TailEntries(), Torn: s.Torn,
	}
	for _, t := range s.Terms {
		l.Terms = append(l.Terms, facts.TermRange(t))
	}
	for _, e := range s.Sums {
		l.Sums = append(l.Sums, facts.EntrySum(e))
	}
	for _, c := range s.Tail {
		l.ConfChanges = append(l.ConfChanges, facts.ConfChange{Index: c.Index, Type: c.Type, MemberID: c.MemberID, PeerURLs: c.PeerURLs, Name: c.Name, Forced: c.Forced})
	}
	for _, d := range s.Damage {
		l.Damage = append(l.Damage, facts.Damage(d))
	}
	for _, d := range s.BrokenSnapshots {
		l.BrokenSnapshots = append(l.BrokenSnapshots, facts.Damage(d))
	}
	return l
}

func dataDir(ctx context.Context, h *host.Host) facts.DataDir {
	d := facts.DataDir{Path: h.DataDir, Empty: true}
	var st, parent unix.Stat_t
	if unix.Stat(h.DataDir, &st) != nil {
		return d
	}
	d.Exists = true
	if unix.Stat(filepath.Dir(filepath.Clean(h.DataDir)), &parent) == nil {
		d.IsMountPoint = st.Dev != parent.Dev
	}
	d.Owner = ownerName(st.Uid)
	d.FreeBytes = freeBytes(h.DataDir)
	var member unix.Stat_t
	if unix.Lstat(h.MemberDir(), &member) == nil {
		d.Empty = false
		d.MemberIsMountPoint = member.Dev != st.Dev
		d.Bytes, _ = setaside.Bytes(ctx, h.MemberDir()) // as far as it can be read
	}
	return d
}

func ownerName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// freeBytes is the free space of the filesystem that holds path, or its nearest parent that exists; -1 where it is not known.
func freeBytes(path string) int64 {
	var st unix.Statfs_t
	for ; ; path = filepath.Dir(path) {
		err := unix.Statfs(path, &st)
		if err == nil {
			return int64(st.Bavail) * st.Bsize
		}
		if !errors.Is(err, unix.ENOENT) || path == filepath.Dir(path) {
			return -1
		}
	}
}

// forcing reads the record of an interrupted forced start. An unreadable one counts too: a start was begun.
func forcing(path string) *facts.Forcing {
	f, err := record.Read[facts.Forcing](path)
	switch {
	case err != nil:
		return &facts.Forcing{Phase: "unknown"}
	case f != nil && strings.TrimSpace(f.Phase) == "":
		f.Phase = "unknown"
	}
	return f
}

// restoring reads the record of a restore that is under way; an unreadable one counts as well.
func restoring(path string) *facts.Restoring {
	r, err := record.Read[facts.Restoring](path)
	if err != nil {
		return &facts.Restoring{Phase: "unknown"}
	}
	return r
}

func clientsLeft(path string) *facts.ClientsLeft {
	left, err := record.Read[facts.ClientsLeft](path)
	if err != nil {
		return &facts.ClientsLeft{All: true}
	}
	return left
}
