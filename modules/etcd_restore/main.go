// etcd_restore puts a verified backup back as the single member of a new cluster.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/restore"
)

//go:embed etcd_restore.yml
var documentation []byte

type args struct {
	host.Options
	State      string   `json:"state"`
	Backup     string   `json:"backup"`
	Method     string   `json:"method"`
	BackupDir  string   `json:"backup_dir"`
	AcceptLoss bool     `json:"accept_loss"`
	Rehearse   bool     `json:"rehearse"`
	Name       string   `json:"name"`
	PeerURLs   []string `json:"peer_urls"`
}

type answer struct {
	restore.Outcome
	Backup         *restore.Source     `json:"backup,omitempty"`
	Candidates     []restore.Candidate `json:"candidates,omitempty"`
	InitialCluster string              `json:"initial_cluster"` // for etcd.conf: this member alone
	Seconds        float64             `json:"seconds"`
	Lines          []string            `json:"lines"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(ctx context.Context, call *ansible.Call, a args) (ansible.Result, error) {
	if a.State == "listed" {
		return list(ctx, a) // also of a host whose etcd.conf is lost
	}
	return onhost.Loaded(onHost)(ctx, call, a)
}

func onHost(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	r := &restore.Restorer{Host: h, Name: a.Name, PeerURLs: a.PeerURLs, Binary: h.Binary, Rehearse: a.Rehearse, OnChange: call.MarkChanged, Warn: call.Warn}
	if r.Name == "" {
		r.Name = h.Config.Name
	}
	if len(r.PeerURLs) == 0 {
		r.PeerURLs = h.Config.PeerURLs
	}
	if a.State == "finished" {
		return finish(call, r)
	}
	return put(ctx, call, r, a)
}

func list(ctx context.Context, a args) (ansible.Result, error) {
	found, err := restore.Candidates(ctx, a.BackupDir)
	if err != nil {
		return ansible.Result{}, err
	}
	return ansible.Result{Data: answer{Candidates: found, Lines: restore.Lines(a.BackupDir, found)}}, nil
}

// finish ends the restore: the platform uses its result, or it is given up.
func finish(call *ansible.Call, r *restore.Restorer) (ansible.Result, error) {
	if !readfile.Exists(r.Host.RestoringFile()) {
		return ansible.Result{Msg: "no restore is under way here"}, nil
	}
	if call.CheckMode {
		return ansible.Result{Changed: true, Msg: "the restore would be ended"}, nil
	}
	call.MarkChanged()
	return ansible.Result{Changed: true, Msg: "the restore is ended"}, errors.Join(r.Finish(), r.Host.DropBinaries())
}

func put(ctx context.Context, call *ansible.Call, r *restore.Restorer, a args) (ansible.Result, error) {
	began := time.Now()
	record, err := r.Ready(ctx)
	if err != nil {
		return ansible.Result{}, err
	}
	if a.Backup == "" && record == nil {
		found, err := list(ctx, a)
		if err == nil {
			err = fault.New(fault.Invalid, "backup is not given; expected the path of one on this host").WithHint("choose one of `lines`: -e etcd_backup=PATH")
		}
		return found, err
	}
	source, err := r.Source(ctx, a.Backup, a.Method, record)
	if err != nil {
		return ansible.Result{}, err
	}
	if source != nil {
		if err := source.KeepsAll(a.AcceptLoss); err != nil {
			return ansible.Result{Data: answer{Backup: source}}, err
		}
		if source.Method == restore.Snapshot {
			if err := r.Host.HasBinary(ctx, "etcdctl"); err != nil {
				return ansible.Result{Data: answer{Backup: source}}, restore.NoEtcdctl(err)
			}
		}
		warn(call, source)
	}
	if call.CheckMode {
		return preview(r, source, record), nil
	}
	out, err := r.Run(ctx, source, record)
	if dropErr := r.Host.DropBinaries(); err == nil {
		err = dropErr
	}
	result := answer{Outcome: out, Backup: source, Seconds: time.Since(began).Round(time.Millisecond).Seconds()}
	if err != nil {
		return ansible.Result{Changed: out.Changed, Data: result}, err
	}
	result.InitialCluster = etcd.InitialCluster([]facts.ClusterMember{{Name: r.Name, PeerURLs: r.PeerURLs}})
	result.Lines = lines(r, result)
	return ansible.Result{Changed: out.Changed, Data: result, Diff: diff(r, source)}, nil
}

func warn(call *ansible.Call, s *restore.Source) {
	switch {
	case s.NoSum:
		call.Warn("%s lacks %s", s.Path, s.Lacks)
	case s.Method != restore.Snapshot && !s.Checked:
		call.Warn("%s has no backup.json, so its sums could not be compared; its log and database were read in full", s.Path)
	case s.Lost > 0:
		call.Warn("%d v2 keys are given up: a v3 snapshot does not hold them", s.Lost)
	case s.Method == restore.Snapshot && !s.LostKnown:
		call.Warn("%s does not tell whether its cluster had v2 keys; if it had, they are not in it", s.Path)
	}
}

func preview(r *restore.Restorer, s *restore.Source, record *facts.Restoring) ansible.Result {
	if s == nil {
		return ansible.Result{Changed: !restore.Serves(record), Data: answer{Lines: []string{"A restore of " + record.Backup + " is under way here; it would be continued."}}}
	}
	return ansible.Result{Changed: true, Data: answer{Backup: s, Lines: []string{"Would put back: " + s.Line()}}, Diff: diff(r, s)}
}

func diff(r *restore.Restorer, s *restore.Source) []ansible.Diff {
	if s == nil {
		return nil
	}
	return []ansible.Diff{{BeforeHeader: r.Host.MemberDir(), AfterHeader: r.Host.MemberDir(), Before: "no usable member\n", After: s.Line() + "\n"}}
}

func lines(r *restore.Restorer, a answer) []string {
	from := "what was put in place before"
	if a.Backup != nil {
		from = a.Backup.Line()
	}
	out := []string{
		"Restored from " + from,
		fmt.Sprintf("%s serves alone as member %s of the new cluster %s, revision %d, %d v2 keys; token %s", r.Name, a.Member.MemberID, a.Member.ClusterID, a.Revision, a.V2Keys, a.Token),
	}
	if a.Aside != "" {
		out = append(out, "What was in the data directory is in "+a.Aside)
	}
	return out
}
