// etcd_backup backs up this host's etcd data, verified. It never stops etcd itself.
package main

import (
	"cmp"
	"context"
	_ "embed"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
)

//go:embed etcd_backup.yml
var documentation []byte

type args struct {
	host.Options
	etcd.Access
	Method     string `json:"method"`
	Dest       string `json:"dest"`
	Required   bool   `json:"required"`
	AcceptLoss bool   `json:"accept_loss"`
}

type result struct {
	Backups []backup.Entry `json:"backups"`
	Path    string         `json:"path"`    // of the backup's directory
	Missing []missing      `json:"missing"` // what this state of etcd does not allow
	Lines   []string       `json:"lines"`
	Seconds float64        `json:"seconds"`
}

func main() { onhost.Main(documentation, ansible.Rules{}, run) }

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	begin := time.Now()
	job, err := look(ctx, a, h, call.CheckMode)
	if err != nil {
		return ansible.Result{}, err
	}
	defer job.close()
	methods, left, err := choose(a.Method, job.state)
	if err != nil {
		return without(a, err)
	}
	if err := job.mayWrite(ctx, a.Dest, methods); err != nil {
		return ansible.Result{}, err
	}
	out := result{Missing: left}
	if call.CheckMode {
		out.Backups, out.Path = job.planned(ctx, a.Dest, methods), job.name(a.Dest)
	} else if out.Backups, out.Path, err = job.take(ctx, a.Dest, methods); stoppedServing(err) {
		return without(a, err)
	} else if err != nil {
		return ansible.Result{}, err
	}
	call.MarkChanged()
	out.Seconds = time.Since(begin).Round(time.Millisecond).Seconds()
	out.Lines = lines(out, call.CheckMode)
	job.warn(call, a.Dest, methods, a.Required)
	for _, e := range out.Backups {
		if e.Damage != "" {
			call.Warn("The data is damaged: %s cannot be restored as it is. Keep it, and look for another backup: %s", e.Path, e.Damage)
		}
	}
	return ansible.Result{Changed: true, Data: out}, nil
}

// without is the answer where the state of etcd did not allow the backup.
func without(a args, why error) (ansible.Result, error) {
	if a.Required {
		return ansible.Result{}, why
	}
	out := result{Backups: []backup.Entry{}, Missing: []missing{{a.Method, why.Error()}}}
	out.Lines = lines(out, false)
	return ansible.Result{Data: out}, nil
}

// stoppedServing is true where the member ended or stopped answering during the backup, and false for an error of this host's disk or of the
// data.
func stoppedServing(err error) bool {
	kind := fault.KindOf(err)
	return err != nil && (kind == fault.Unreachable || kind == fault.Timeout)
}

func (j *job) name(dest string) string {
	return dest + "/" + backup.Stamp(j.now, hostName(j.host))
}

// hostName is ETCD_NAME where there is one, since that is what the member is known by.
func hostName(h *host.Host) string {
	return cmp.Or(h.Config.Name, backup.HostName())
}
