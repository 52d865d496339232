// Package rehearsal forces a new cluster on a private copy of a stopped member, in isolation, to see what the real forced start
// will give. Nothing but the private copy is written, and no connection leaves it.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/force"
	"etcd-quorum-restore/modules/internal/member"
)

// Options of a rehearsal.
type Options struct {
	Etcd     string // the binary
	Copy     string // the stopped copy: a directory that holds `member`
	Name     string // of the member
	Quota    string // ETCD_QUOTA_BACKEND_BYTES, or ""
	KeepTail bool
	Expect   force.Expected
}

// Result is what the forced start gave on the copy, and what it will give on the data.
type Result struct {
	force.Proof
	Kept      member.Kept `json:"kept"`
	Discarded string      `json:"discarded,omitempty"` // etcd's own words, where it threw entries away
	Took      float64     `json:"took"`                // seconds from the copy's begin to the proof

	Read map[string]string `json:"-"` // sums of the copy's files that were read in full, by path
}

// stopLimit: an etcd that does not end on SIGTERM is killed; its files are thrown away anyway.
const stopLimit = 10 * time.Second

// Run does it all and leaves nothing behind.
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
	if o.KeepTail {
		if result.Kept, err = member.KeepTail(private, ""); err != nil {
			return result, err
		}
	}
	extra := []string{"--heartbeat-interval", "100", "--election-timeout", "500"} // alone, it needs not wait for anybody
	if o.Quota != "" {
		extra = append(extra, "--quota-backend-bytes", o.Quota)
	}
	p, err := start(o.Etcd, o.Name, private, extra)
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

// connect waits until etcd answers. It opens its socket long before: a database of some GB takes seconds to load.
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
			return nil, fault.Wrap(fault.Timeout, err, "the rehearsal's etcd was started and does not answer; its last words: %s", p.last())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) alive() error {
	select {
	case <-p.exited:
		return fault.New(fault.Corrupt, "etcd ended in the rehearsal: %s", p.last())
	default:
		return nil
	}
}

// last is etcd's last words, which say why it ended.
func (p *process) last() string {
	lines := p.output.lines()
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// Expectation is what the real forced start must give, by this result.
func (r Result) Expectation() force.Expected {
	return force.Expected{MemberID: r.MemberID, ClusterID: r.ClusterID, Revision: r.Revision, Keys: r.Keys, V2Keys: r.V2Keys}
}

var _ force.Cluster = (*etcd.Client)(nil)

// Room says why there is no room for a rehearsal beside the copy; "" where there is. It needs the database and one segment once more.
func Room(dir string, s *member.State) string {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err.Error()
	}
	need := int64(128 << 20)
	if s.Database != nil {
		need += s.Database.Bytes
	}
	if free := int64(fs.Bavail) * fs.Bsize; free < need {
		return fmt.Sprintf("%s has %d MB free, a rehearsal needs %d MB", dir, free>>20, need>>20)
	}
	return ""
}

// Lines say it to a person.
func (r Result) Lines() []string {
	return []string{fmt.Sprintf("Rehearsed on the copy: one member, revision %d, %d keys, %d v2 keys, serves after %.1f s; %d entries of the log kept beyond the commit index on disk.",
		r.Revision, r.Keys, r.V2Keys, r.Seconds, r.Kept.To-r.Kept.From)}
}
