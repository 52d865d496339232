package restore

import (
	"context"
	"errors"
	"os"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcd/membership"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/rehearsal"
	"etcd-quorum-restore/modules/internal/safefile"
	"etcd-quorum-restore/modules/internal/setaside"
)

// Restorer puts one backup back on one host.
type Restorer struct {
	Host     *host.Host
	Name     string
	PeerURLs []string
	Binary   func(ctx context.Context, name string) (string, error) // path of etcd or etcdctl: host.Host.Binary
	Rehearse bool
	OnChange func() // called before the first change
	Warn     func(format string, a ...any)

	token    string
	expected *force.Expected // from the rehearsal
}

// Outcome is what was done.
type Outcome struct {
	Member   force.Proof       `json:"member"`
	Revision int64             `json:"revision"`
	V2Keys   int64             `json:"v2_keys"`
	Token    string            `json:"token"`
	Aside    string            `json:"set_aside"` // what was in the place of the data, "" where nothing was
	Rehearsd *rehearsal.Result `json:"rehearsal"`
	Changed  bool              `json:"-"`
}

// Ready makes the refusals that do not need the backup, and returns the record of a restore that was begun.
func (r *Restorer) Ready(ctx context.Context) (*facts.Restoring, error) {
	if name := r.Host.Runtime.Name(); name == facts.None || name == facts.AllInOne {
		return nil, fault.New(fault.Unsupported, "etcd does not run here as a service or a static pod (runtime %s)", name)
	}
	if r.Host.Config.WALDir != "" {
		return nil, fault.New(fault.Unsupported, "ETCD_WAL_DIR puts the log at %s, apart from the database; the two cannot be put in place in one step", r.Host.WALDir()).
			WithHint("take ETCD_WAL_DIR out of %s for the restore", r.Host.EtcdConf)
	}
	if r.Name == "" || len(r.PeerURLs) == 0 {
		return nil, fault.New(fault.Invalid, "name and peer_urls are not given, and %s has no ETCD_NAME or ETCD_INITIAL_ADVERTISE_PEER_URLS", r.Host.EtcdConf).
			WithHint("put the host's configuration back first: etcd_config_backup state=restored")
	}
	if own := r.Host.Config.Name; own != "" && own != r.Name {
		return nil, fault.New(fault.Invalid, "name is %q, and %s has ETCD_NAME=%s", r.Name, r.Host.EtcdConf, own)
	}
	if _, err := os.Stat(r.Host.DataDir); errors.Is(err, os.ErrNotExist) {
		return nil, fault.New(fault.Refused, "the data directory %s does not exist", r.Host.DataDir).
			WithHint("install etcd again, or: install -d -o etcd -g etcd -m 0700 %s", r.Host.DataDir)
	}
	record, err := ReadRecord(r.Host.RestoringFile())
	if err != nil {
		return nil, err
	}
	return record, r.nothingToLose(ctx, record)
}

// nothingToLose refuses where there is data that can be read to its end: it is newer than any backup of it. Damaged data is set aside.
func (r *Restorer) nothingToLose(ctx context.Context, record *facts.Restoring) error {
	own, err := r.inPlace(record)
	if err != nil || own {
		return err
	}
	s, err := member.Read(ctx, r.Host.DataDir, "")
	if fault.KindOf(err) == fault.Timeout {
		return err // data that could not be read in time may be whole
	}
	if err != nil || len(s.Damage) > 0 || bornEmpty(s) {
		return nil
	}
	return fault.New(fault.Refused, "%s holds a member whose data can be read (%s, revision %d): a backup is older than that; nothing was changed",
		r.Host.DataDir, s.ID, s.Database.Revision).
		WithHint("to continue with this data: ansible-playbook playbooks/restore_quorum.yml; to give it up: ansible HOST -m etcd_data_dir -a state=set_aside")
}

// bornEmpty is true where etcd started by itself on a wiped host, as a kubelet makes it do, and became a new cluster, and nothing was ever
// written to it. Such data is set aside like any other.
func bornEmpty(s *member.State) bool {
	return s.FirstIndex <= 1 && s.SnapshotIndex == 0 && s.Database.Revision <= 1 && s.V2Keys == 0
}

// inPlace is true where the data directory holds what this restore has put there.
func (r *Restorer) inPlace(record *facts.Restoring) (bool, error) {
	if record == nil {
		return false, nil
	}
	m, err := host.MemberAt(r.Host.WALDir())
	if err != nil { // damaged in its first records: not ours
		return false, nil
	}
	return m != nil && m.ClusterID == record.ClusterID && m.ID == record.MemberID, nil
}

// Source is the backup to put in place; nil where a restore that was begun has put it there already.
func (r *Restorer) Source(ctx context.Context, path, method string, record *facts.Restoring) (*Source, error) {
	own, err := r.inPlace(record)
	if err != nil {
		return nil, err
	}
	if !own {
		if path == "" {
			path = record.Backup
		}
		return Find(ctx, path, method)
	}
	if path != "" && !backup.Inside(record.Backup, path) && !backup.Inside(path, record.Backup) {
		return nil, fault.New(fault.Refused, "a restore of %s is under way here, and backup is %s", record.Backup, path).
			WithHint("finish it with the first one; or give it up: etcd_fence state=present, etcd_data_dir state=set_aside, etcd_restore state=finished")
	}
	return nil, nil
}

// Serves tells whether the restored member is proven.
func Serves(record *facts.Restoring) bool { return record != nil && record.Phase == phaseServes }

// Run does the restore, or continues it.
func (r *Restorer) Run(ctx context.Context, s *Source, record *facts.Restoring) (Outcome, error) {
	var out Outcome
	own, err := r.inPlace(record)
	if err != nil {
		return out, err
	}
	if !own {
		if record, err = r.place(ctx, s, &out); err != nil {
			return out, err
		}
	}
	out.Token = record.Token
	if record.Phase != phaseServes {
		r.change(&out)
	}
	return out, r.serve(ctx, record, &out)
}

func (r *Restorer) change(out *Outcome) {
	out.Changed = true
	r.OnChange()
}

// place fences the host, makes and rehearses the member, and moves it to its place.
func (r *Restorer) place(ctx context.Context, s *Source, out *Outcome) (*facts.Restoring, error) {
	need := s.Bytes
	if err := backup.Room(r.Host.DataDir, need); err != nil {
		return nil, err
	}
	r.change(out)
	if _, err := r.Host.Fence(ctx, host.Stamp(facts.Fence{Why: "a backup is being put back here", Kind: facts.FenceRecovery, Survivor: r.Name}, nil)); err != nil {
		return nil, err
	}
	var err error
	if r.token, err = newToken(); err != nil {
		return nil, err
	}
	at, err := r.newStaging()
	if err != nil {
		return nil, err
	}
	defer at.close()
	laid, err := r.lay(ctx, s, at)
	if err != nil {
		return nil, at.named(err)
	}
	if err := r.rehearse(ctx, laid, at, out); err != nil {
		return nil, at.named(err)
	}
	if err := at.hand(); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "give the restored member to the owner of %s", r.Host.DataDir)
	}
	record := facts.Restoring{Phase: phaseLaid, Backup: s.Path, Token: r.token, MemberID: laid.ID, ClusterID: laid.ClusterID}
	if err := r.write(record); err != nil {
		return nil, err
	}
	return &record, r.putInPlace(at, out)
}

// putInPlace makes two renames: between them no member is in place, and the fence holds.
func (r *Restorer) putInPlace(at *staging, out *Outcome) error {
	if readfile.Exists(r.Host.MemberDir()) {
		out.Aside = setaside.Place(r.Host.DataDir, time.Now())
		if err := setaside.Aside(r.Host.DataDir, out.Aside); err != nil {
			return err
		}
	}
	if err := at.dir.Rename("member", at.data, "member"); err != nil {
		return err
	}
	return at.data.RemoveAll(stagingName)
}

// rehearse starts the member on a private copy, in a network of its own, before anything is put in place.
func (r *Restorer) rehearse(ctx context.Context, laid *member.State, at *staging, out *Outcome) error {
	if !r.Rehearse {
		return nil
	}
	if room := rehearsal.Room(ctx, at.path()); room != "" {
		r.Warn("no rehearsal: %s", room)
		return nil
	}
	binary, err := r.Binary(ctx, "etcd")
	if fault.KindOf(err) == fault.Refused {
		return err
	}
	if err != nil {
		r.Warn("no rehearsal: %v", err)
		return nil
	}
	quota := r.Host.Conf.Get("ETCD_QUOTA_BACKEND_BYTES")
	as, err := r.Host.Account(ctx)
	if err != nil {
		return err
	}
	o := rehearsal.Options{Etcd: binary, As: as, Copy: at.path(), Name: r.Name, Quota: quota, KeepTail: true, Expect: force.FromFiles(laid)}
	result, err := rehearsal.Run(ctx, o)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the rehearsal failed; nothing was put in place")
	}
	want := result.Expectation()
	out.Rehearsd, r.expected = &result, &want
	return nil
}

// serve makes the member serve alone, at its right peer URL. The proof of package force compares what it serves with its files.
func (r *Restorer) serve(ctx context.Context, record *facts.Restoring, out *Outcome) error {
	if record.Phase == phaseServes {
		return r.look(ctx, record, out)
	}
	if r.servesAlready(ctx, record, out) {
		record.Phase = phaseServes
		return r.write(*record)
	}
	f := force.Forcer{Host: r.Host, KeepTail: true, Rehearsed: r.expected, OnChange: r.OnChange}
	forced, err := f.Run(ctx)
	out.Member = forced.Member
	if err != nil {
		return err
	}
	if !facts.SameURLs(out.Member.PeerURLs, r.PeerURLs) {
		if err := r.movePeerURL(ctx, out); err != nil {
			return err
		}
	}
	if err := r.look(ctx, record, out); err != nil {
		return err
	}
	record.Phase = phaseServes
	return r.write(*record)
}

// servesAlready is true where a run was killed after the proof, or restore_quorum.yml was run in between, so that others may have joined.
func (r *Restorer) servesAlready(ctx context.Context, record *facts.Restoring, out *Outcome) bool {
	forcing, err := r.Host.IsForcing()
	if err != nil || forcing {
		return false
	}
	status, err := r.Host.Status(ctx)
	if err != nil || status.Process == nil || status.Fence != nil {
		return false
	}
	flags, err := r.Host.ForceFlags(ctx)
	return err == nil && len(flags) == 0 && r.look(ctx, record, out) == nil
}

// movePeerURL sets this host's peer URL: a backup of another host has that host's address.
func (r *Restorer) movePeerURL(ctx context.Context, out *Outcome) error {
	want := membership.Want{Present: true, ID: out.Member.MemberID, PeerURLs: r.PeerURLs}
	if _, err := membership.Apply(ctx, r.config(), membership.Request{Want: want, Changed: r.OnChange}); err != nil {
		return fault.Wrap(fault.Internal, err, "give the member this host's peer URL")
	}
	out.Member.PeerURLs = r.PeerURLs
	return nil
}

func (r *Restorer) config() etcd.Config {
	return etcd.Config{TLS: r.Host.TLS, Endpoints: r.Host.Config.ClientURLs, Connect: 2 * time.Second, Call: 5 * time.Second}
}

// look asks the member that serves.
func (r *Restorer) look(ctx context.Context, record *facts.Restoring, out *Outcome) error {
	c, err := etcd.Dial(ctx, r.config())
	if err != nil {
		return err
	}
	defer c.Close()
	if out.Revision, err = c.LinearizableRead(ctx); err != nil {
		return err
	}
	live, err := c.State(ctx)
	if err != nil {
		return err
	}
	if live.ClusterID != record.ClusterID {
		return fault.New(fault.Internal, "the cluster ID is %s, expected %s", live.ClusterID, record.ClusterID)
	}
	out.Member.MemberID, out.Member.ClusterID, out.Member.Name, out.Member.PeerURLs = live.MemberID, live.ClusterID, r.Name, r.PeerURLs
	out.V2Keys, _, err = c.CountV2Keys(ctx)
	return err
}

// Finish removes the record: the platform uses the result.
func (r *Restorer) Finish() error { return safefile.Remove(r.Host.RestoringFile()) }
