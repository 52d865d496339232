// Package rehearsal forces a new cluster on a private copy of a stopped member, in isolation, to see the result of the real forced start
// beforehand. It writes only to the private copy, and no connection leaves it.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/member"
	"etcd-quorum-restore/modules/internal/plan/wording"
	"etcd-quorum-restore/modules/internal/program"
)

// Options of a rehearsal.
type Options struct {
	Etcd     string          // the binary, which package host has checked
	As       program.Account // the account it runs as; never root: program.Nobody where none is given
	Copy     string          // the stopped copy: a directory that holds `member`
	Name     string          // of the member
	Quota    string          // ETCD_QUOTA_BACKEND_BYTES, or ""
	Method   string          // force.ByLog, ByFlag or Auto
	KeepTail bool
	Expect   force.Expected
}

// Result is what the forced start did on the copy, and will do on the data.
type Result struct {
	force.Proof
	Method    string      `json:"method"`
	Kept      member.Kept `json:"kept"`
	Discarded string      `json:"discarded,omitempty"` // etcd's own message, where it threw entries away
	Took      float64     `json:"took"`                // seconds from the start of the copy to the proof

	Read map[string]string `json:"-"` // sums of the copy's files that were read in full, by path
}

// stopLimit is how long etcd may take to end on SIGTERM before it is killed; its files are removed anyway.
const stopLimit = 10 * time.Second

// Run does the whole rehearsal and leaves nothing behind.
func Run(ctx context.Context, o Options) (result Result, err error) {
	began := time.Now()
	private, err := os.MkdirTemp(o.Copy, ".rehearsal-")
	if err != nil {
		return Result{}, fault.Wrap(fault.Internal, err, "make room for the rehearsal beside the copy")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(private)) }()
	if result.Read, err = privateCopy(ctx, o.Copy, private); err != nil {
		return Result{}, err
	}
	extra := []string{"--heartbeat-interval", "100", "--election-timeout", "500"} // a single member waits for no other
	if result.Method = force.MethodFor(o.Method, host.VersionOf(ctx, o.Etcd)); result.Method == force.ByFlag {
		extra = append(extra, "--force-new-cluster")
	}
	if result.Kept, err = o.write(ctx, private, result.Method); err != nil {
		return result, err
	}
	if o.Quota != "" {
		extra = append(extra, "--quota-backend-bytes", o.Quota)
	}
	as, err := handOver(private, o.account())
	if err != nil {
		return result, fault.Wrap(fault.Internal, err, "give the private copy to etcd's user")
	}
	p, err := start(o.Etcd, as, o.Name, private, extra)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, p.stop(stopLimit)) }()
	result.Proof, err = p.prove(ctx, o.Expect)
	result.Took = time.Since(began).Seconds()
	result.Discarded = force.Discarded(p.output.lines())
	if err == nil && result.Discarded != "" && o.KeepTail {
		err = fault.New(fault.Corrupt, "the rehearsal threw entries of the log away: %s", result.Discarded)
	}
	return result, err
}

func (o Options) account() program.Account {
	if o.As.UID == 0 {
		return program.Nobody
	}
	return o.As
}

// write does to the private copy's log what the real forced start does to the data.
func (o Options) write(ctx context.Context, private, method string) (member.Kept, error) {
	switch {
	case method == force.ByLog:
		n, err := member.ForceNewCluster(ctx, private, "", o.KeepTail)
		if !o.KeepTail {
			return member.Kept{}, err
		}
		return n.Tail(), err
	case o.KeepTail:
		return member.KeepTail(ctx, private, "")
	}
	return member.Kept{}, nil
}

func (p *process) prove(ctx context.Context, want force.Expected) (force.Proof, error) {
	began := time.Now()
	client, err := p.connect(ctx)
	if err != nil {
		return force.Proof{}, err
	}
	defer client.Close()
	revision, err := force.WaitForRead(ctx, client, p.alive)
	if err != nil {
		return force.Proof{}, err
	}
	seconds := time.Since(began).Seconds()
	proof, err := force.Prove(ctx, client, revision, want)
	proof.Seconds = seconds
	return proof, err
}

// connect waits until etcd answers. Its socket exists long before: a database of some GB takes seconds to load.
func (p *process) connect(ctx context.Context) (*etcd.Client, error) {
	for {
		c, err := etcd.DialOne(ctx, p.clientEndpoint(), etcd.Config{Connect: 2 * time.Second, Call: 5 * time.Second})
		if err == nil {
			return c, nil
		}
		if dead := p.alive(); dead != nil {
			return nil, dead
		}
		select {
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Timeout, err, "the rehearsal's etcd was started and does not answer; its last log lines: %s", p.last())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) alive() error {
	select {
	case <-p.exited:
		return p.ended()
	default:
		return nil
	}
}

// ended quotes the line that says why, which a panic prints above its stack, and explains it where it is known.
func (p *process) ended() error {
	entries := etcdlog.ParsePlain(strings.Join(p.output.lines(), "\n"))
	why := p.last()
	if worst, some := etcdlog.Worst(entries); some && worst.Level <= etcdlog.Critical {
		why = worst.Text
	}
	cause := ""
	if problems := etcdlog.Explain(entries); len(problems) > 0 {
		cause = problems[0].Line + ". "
	}
	return fault.New(fault.Corrupt, "etcd ended in the rehearsal: %s", why).
		WithHint("%sNo data has changed. Fix the cause and run the same command again; or make another member the survivor, and give up what only this one holds: "+
			"ansible-playbook playbooks/restore_quorum.yml -e etcd_survivor=HOST -e etcd_accept_loss=yes", cause)
}

// last is the end of what etcd printed.
func (p *process) last() string {
	lines := p.output.lines()
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// Expectation is what the real forced start must give, according to this result.
func (r Result) Expectation() force.Expected {
	return force.Expected{MemberID: r.MemberID, ClusterID: r.ClusterID, Revision: r.Revision, Keys: r.Keys, V2Keys: r.V2Keys}
}

var _ force.Cluster = (*etcd.Client)(nil)

// Room says why there is no room for a rehearsal beside the copy; "" where there is. A rehearsal needs the member's size again, and a segment for
// what etcd writes.
func Room(ctx context.Context, dir string) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err.Error()
	}
	need, err := backup.Allocated(ctx, filepath.Join(dir, "member"))
	if err != nil {
		return err.Error()
	}
	need += 128 << 20
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Sprintf("%s has %d MB free, a rehearsal needs %d MB", dir, free>>20, need>>20)
	}
	return ""
}

// Lines are the result for people.
func (r Result) Lines() []string {
	return []string{fmt.Sprintf("Rehearsed on the copy: one member, revision %d, %d keys, %d v2 keys, serves after %.1f s; %s of the log kept beyond the commit index on disk.",
		r.Revision, r.Keys, r.V2Keys, r.Seconds, wording.Entries(r.Kept.To-r.Kept.From))}
}
