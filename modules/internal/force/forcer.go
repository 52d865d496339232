package force

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Phases of forcing.json. Until `proven`, only a forced start can start this host's etcd: the fence's assertion stands in the
// permanent drop-in, and the forced start's drop-in is in /run and needs forcing.json. A reboot in any phase leaves etcd stopped.
const (
	phaseBegun  = "begun"  // nothing is changed yet, or the log's tail is being kept
	phaseStart  = "start"  // the forced start was asked for
	phaseProven = "proven" // the data are those of a single member; what is left is to start it without the flag
)

// Forcer makes the member of one host a cluster of its own. It can be killed anywhere and run again.
type Forcer struct {
	Host      *host.Host
	KeepTail  bool
	Rehearsed *Expected // the result of a rehearsal on a copy of the same bytes, or nil
	OnChange  func()    // called before the first change
}

// Outcome is what happened.
type Outcome struct {
	Member         Proof       `json:"member"`
	RevisionBefore int64       `json:"revision_before"` // of the database file; the log may hold more
	Kept           member.Kept `json:"kept"`
	GivenUp        uint64      `json:"given_up"` // entries beyond the commit index that a plain forced start throws away
	ServesSince    string      `json:"serves_since"`
	Changed        bool        `json:"-"`
	alone          bool        // it ran alone already
}

// Run goes through the phases.
func (f *Forcer) Run(ctx context.Context) (Outcome, error) {
	var out Outcome
	record, err := readRecord(f.Host.ForcingFile())
	if err != nil {
		return out, err
	}
	state, err := member.Read(f.Host.DataDir, f.Host.Config.WALDir)
	if err != nil {
		return out, unreadable(err, f.Host.DataDir)
	}
	if state.Database != nil {
		out.RevisionBefore = state.Database.Revision
	}
	if err := f.nobodyElse(ctx, state); err != nil {
		return out, err
	}
	if record == nil {
		if done, err := f.alreadyDone(ctx, state, &out); done || err != nil {
			return out, err
		}
	}
	if record == nil || record.Phase != phaseProven {
		if err := f.forced(ctx, state, record, &out); err != nil {
			return out, err
		}
	}
	return out, f.unforced(ctx, state, &out)
}

// alreadyDone: a member that runs alone, without the flag, has nothing left to force.
func (f *Forcer) alreadyDone(ctx context.Context, state *member.State, out *Outcome) (bool, error) {
	status, err := f.Host.Status(ctx)
	if err != nil || status.Process == nil {
		return false, err
	}
	flags, err := f.Host.ForceFlags(ctx)
	if err != nil {
		return false, err
	}
	if len(flags) > 0 && len(state.Members) == 1 {
		return false, nil // forced, by hand or by an older tool: prove it, and start it again without the flag
	}
	if len(flags) > 0 {
		return false, fault.New(fault.Refused, "etcd runs here with the force flag, and %d members: another forced start would drop those added since", len(state.Members)).
			WithHint("take the flag out and restart it: etcd_service state=restarted")
	}
	if len(state.Members) == 1 {
		out.Member, err = f.prove(ctx, FromFiles(state), nil)
		out.alone = err == nil
		return true, err
	}
	return false, fault.New(fault.Refused, "etcd runs here as one of %d members, without the flag", len(state.Members)).
		WithHint("stop and fence it first, when the others are fenced: etcd_fence state=present; playbooks/single_node.yml does it all")
}

// Would is what a run would do.
type Would struct {
	Changed     bool     `json:"-"`
	TailEntries uint64   `json:"tail_entries"` // beyond the commit index on disk: kept with keep_log_tail, else given up
	Lines       []string `json:"lines"`
}

// Preview makes the refusals of a run, and touches nothing. The other members are asked, etcd here is not.
func (f *Forcer) Preview(ctx context.Context) (Would, error) {
	state, err := member.Read(f.Host.DataDir, f.Host.Config.WALDir)
	if err != nil {
		return Would{}, unreadable(err, f.Host.DataDir)
	}
	record, err := readRecord(f.Host.ForcingFile())
	if err != nil {
		return Would{}, err
	}
	status, err := f.Host.Status(ctx)
	if err != nil {
		return Would{}, err
	}
	flags, err := f.Host.ForceFlags(ctx)
	if err != nil {
		return Would{}, err
	}
	if record == nil && status.Process != nil && len(flags) == 0 && len(state.Members) == 1 {
		return Would{Lines: []string{"etcd runs here as the only member, without the flag: nothing to do."}}, nil
	}
	if err := f.nobodyElse(ctx, state); err != nil {
		return Would{}, err
	}
	if err := f.mayForce(state); err != nil {
		return Would{}, err
	}
	w := Would{Changed: true, TailEntries: state.TailEntries()}
	w.Lines = []string{fmt.Sprintf("Would force a new cluster of member %x alone; its log holds %d entries beyond the commit index on disk.", state.ID, w.TailEntries)}
	return w, nil
}

func unreadable(err error, dataDir string) error {
	return fault.Wrap(fault.Refused, err, "read %s", dataDir).
		WithHint("without a log a forced start would make an empty cluster: take another host, or put a backup back (etcd_backup, etcd_data_dir state=restored)")
}

// nobodyElse: an old member that runs would take the survivor for one of its own, and two of them are a quorum.
func (f *Forcer) nobodyElse(ctx context.Context, state *member.State) error {
	var urls []string
	for _, m := range state.Members {
		if m.ID != state.ID {
			urls = append(urls, m.PeerURLs...)
		}
	}
	cfg := etcd.Config{TLS: etcd.TLSFiles(f.Host.TLS), Connect: 2 * time.Second, Call: 2 * time.Second}
	for url, seen := range etcd.SeesPeers(ctx, urls, cfg) {
		if seen.Error == "" {
			return fault.New(fault.Refused, "another member answers at %s (id %s)", url, seen.ID).
				WithHint("fence it first: ansible HOST -m etcd_fence -a 'state=present why=\"quorum restore\"'")
		}
	}
	return nil
}

// forced: fence, record, tail, forced start, proof.
func (f *Forcer) forced(ctx context.Context, state *member.State, record *facts.Forcing, out *Outcome) error {
	fresh := record == nil || record.Phase == phaseBegun
	if err := f.mayForce(state); err != nil {
		return err
	}
	f.change(out)
	if err := f.fence(ctx, state); err != nil {
		return err
	}
	if err := f.record(state, phaseBegun); err != nil {
		return err
	}
	if err := f.start(ctx, state, out); err != nil {
		return err
	}
	want := FromFiles(state)
	if !f.KeepTail {
		want.V2Keys = 0 // they may all be in what is given up
	}
	if fresh && f.Rehearsed != nil {
		want = *f.Rehearsed
	}
	var err error
	if out.Member, err = f.prove(ctx, want, nil); err != nil {
		return err
	}
	if line := f.discarded(ctx); line != "" && f.KeepTail {
		return fault.New(fault.Corrupt, "etcd threw entries of its log away: %s", line).
			WithHint("the stopped copy still holds them; nothing else was added to this cluster yet")
	}
	return f.record(state, phaseProven)
}

// mayForce holds the refusals that need no etcd. With the tail kept, KeepTail has its own.
func (f *Forcer) mayForce(state *member.State) error {
	if len(state.Damage) > 0 {
		d := state.Damage[0]
		return fault.New(fault.Corrupt, "the member's files are damaged (%s): %s %s", d.Code, d.File, d.Text).
			WithHint("take another host as the survivor: -e etcd_survivor=HOST")
	}
	if !f.KeepTail && state.Database != nil && state.Database.ConsistentIndex > state.HardState.Commit {
		return fault.New(fault.Refused, "the database has applied entry %d, the commit index on disk is %d: started plainly, this member would hang on every write, or diverge",
			state.Database.ConsistentIndex, state.HardState.Commit).WithHint("keep the log's tail: keep_log_tail=yes, the default")
	}
	return nil
}

// fence also when the caller did not: a reboot from here on must not start this member unforced.
func (f *Forcer) fence(ctx context.Context, state *member.State) error {
	status, err := f.Host.Status(ctx)
	if err != nil {
		return err
	}
	if status.Fence != nil && status.FenceHole == "" && status.Process == nil {
		return nil
	}
	own := &facts.Member{ID: etcd.FormatID(state.ID), ClusterID: etcd.FormatID(state.ClusterID)}
	_, err = f.Host.Fence(ctx, host.NewFence("a forced start is under way here", f.Host.Config.Name, own))
	return err
}

func (f *Forcer) start(ctx context.Context, state *member.State, out *Outcome) error {
	out.GivenUp = state.TailEntries()
	if f.KeepTail {
		kept, err := member.KeepTail(f.Host.DataDir, f.Host.Config.WALDir)
		if err != nil {
			return err
		}
		out.Kept, out.GivenUp = kept, 0
	}
	if err := f.record(state, phaseStart); err != nil {
		return err
	}
	if err := f.Host.Runtime.SetForce(ctx, true); err != nil {
		return fault.Wrap(fault.Internal, err, "ask for the forced start")
	}
	_, err := f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess, Forced: true})
	return err
}

// unforced: the data are a single member's now, so the plain start is safe, and the flag must go from the process too: with it,
// each restart would drop the members that were added since.
func (f *Forcer) unforced(ctx context.Context, state *member.State, out *Outcome) error {
	f.change(out)
	flags, err := f.Host.ForceFlags(ctx)
	if err != nil {
		return err
	}
	if len(flags) > 0 {
		if _, err := f.Host.Stop(ctx); err != nil {
			return err
		}
		if err := f.Host.Runtime.SetForce(ctx, false); err != nil {
			return fault.Wrap(fault.Internal, err, "take the force flag back")
		}
		if _, err := f.Host.RemoveForceFlags(ctx, flags); err != nil {
			return fault.Wrap(fault.Internal, err, "take the force flag out of files")
		}
	}
	now, err := member.Read(f.Host.DataDir, f.Host.Config.WALDir)
	if err != nil {
		return err
	}
	if len(now.Members) != 1 || now.ID != state.ID {
		return fault.New(fault.Internal, "after the forced start the files name %d members, expected this one alone", len(now.Members))
	}
	if err := f.Host.Unfence(ctx); err != nil {
		return fault.Wrap(fault.Internal, err, "take the fence back")
	}
	if _, err := f.Host.Start(ctx, host.StartOptions{Wait: host.WaitProcess}); err != nil {
		return err
	}
	want := FromFiles(state)
	want.Revision = max(want.Revision, out.Member.Revision)
	if out.Member, err = f.prove(ctx, want, f.unflagged); err != nil {
		return err
	}
	out.ServesSince = time.Now().UTC().Format(time.RFC3339)
	return safefile.Remove(f.Host.ForcingFile())
}

func (f *Forcer) unflagged(ctx context.Context) error {
	flags, err := f.Host.ForceFlags(ctx)
	if err == nil && len(flags) > 0 {
		err = fault.New(fault.Internal, "a force flag is left in %s (%s)", flags[0].Where, flags[0].Path)
	}
	return err
}

func (f *Forcer) prove(ctx context.Context, want Expected, also func(context.Context) error) (Proof, error) {
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
	if err == nil && also != nil {
		err = also(ctx)
	}
	return p, err
}

func (f *Forcer) connect(ctx context.Context) (*etcd.Client, error) {
	cfg := etcd.Config{TLS: etcd.TLSFiles(f.Host.TLS), Endpoints: f.Host.Config.ClientURLs, Connect: 2 * time.Second, Call: 5 * time.Second}
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
		lines, _ := f.Host.Runtime.Log(ctx, 5) // its last words, where they can be had
		err = fault.New(fault.Internal, "etcd ended after its start (%s): %s", status.View.Detail, strings.Join(lines, " | ")).
			WithHint("ansible HOST -m etcd_log_info explains it")
	}
	return err
}

// FromFiles is what a member's files let expect of its start. The log may hold more than the database's revision.
func FromFiles(s *member.State) Expected {
	want := Expected{MemberID: etcd.FormatID(s.ID), ClusterID: etcd.FormatID(s.ClusterID), V2Keys: s.V2Keys}
	if s.Database != nil {
		want.Revision = s.Database.Revision
	}
	return want
}

// discarded looks at what etcd logged since its last start.
func (f *Forcer) discarded(ctx context.Context) string {
	lines, err := f.Host.Runtime.Log(ctx, 500)
	if err != nil {
		return ""
	}
	for i, line := range slices.Backward(lines) {
		if strings.Contains(line, "etcd Version:") {
			return Discarded(lines[i:])
		}
	}
	return Discarded(lines)
}

func (f *Forcer) change(out *Outcome) {
	out.Changed = true
	f.OnChange()
}

// record writes forcing.json durably, before what it announces.
func (f *Forcer) record(s *member.State, phase string) error {
	r := facts.Forcing{When: time.Now().UTC().Format(time.RFC3339), Phase: phase, MemberID: etcd.FormatID(s.ID), ClusterID: etcd.FormatID(s.ClusterID)}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := safefile.Write(f.Host.ForcingFile(), append(raw, '\n'), 0o644); err != nil {
		return fault.Wrap(fault.Internal, err, "write %s", f.Host.ForcingFile())
	}
	return nil
}

func readRecord(path string) (*facts.Forcing, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &facts.Forcing{}
	if err := json.Unmarshal(raw, r); err != nil {
		return &facts.Forcing{Phase: phaseStart}, nil // torn: go through it all again, which is safe
	}
	return r, nil
}

// Lines say it to a person.
func (o Outcome) Lines() []string {
	if o.ServesSince == "" && !o.alone {
		return nil // it failed; the message says all
	}
	if o.alone {
		return []string{fmt.Sprintf("etcd runs here as the only member, without the flag: nothing to do. Revision %d, %d keys, %d v2 keys.", o.Member.Revision, o.Member.Keys, o.Member.V2Keys)}
	}
	lines := []string{fmt.Sprintf("etcd serves writes again since %s: member %s (%s) alone, revision %d, %d keys, %d v2 keys.",
		o.ServesSince, o.Member.MemberID, o.Member.Name, o.Member.Revision, o.Member.Keys, o.Member.V2Keys)}
	switch {
	case o.Kept.To > o.Kept.From:
		lines = append(lines, fmt.Sprintf("Kept: %d entries of the log beyond the commit index on disk (%d to %d); a plain forced start would have thrown them away.",
			o.Kept.To-o.Kept.From, o.Kept.From+1, o.Kept.To))
	case o.GivenUp > 0:
		lines = append(lines, fmt.Sprintf("Given up: %d entries of the log beyond the commit index on disk.", o.GivenUp))
	default:
		lines = append(lines, "The log ended at its commit index: nothing in it was given up.")
	}
	return lines
}
