// etcd_backup backs up this host's etcd data, verified. It never stops etcd itself.
package main

import (
	"context"
	_ "embed"
	"os"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
)

//go:embed etcd_backup.yml
var documentation []byte

type args struct {
	etcd.Access
	Method      string `json:"method"`
	Dest        string `json:"dest"`
	DataDir     string `json:"data_dir"`
	ManifestDir string `json:"manifest_dir"`
	Required    bool   `json:"required"`
	Timeout     int    `json:"timeout"`
}

type result struct {
	Backups []backup.Entry `json:"backups"`
	Path    string         `json:"path"`    // of the backup's directory
	Missing []missing      `json:"missing"` // what this state of etcd does not allow
	Lines   []string       `json:"lines"`
	Seconds float64        `json:"seconds"`
}

func main() { ansible.Main(documentation, ansible.Rules{}, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected at least 1 second", a.Timeout)
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	job, err := look(ctx, a, call.CheckMode)
	if err != nil {
		return ansible.Result{}, err
	}
	defer job.close()
	methods, left, err := choose(a.Method, job.state)
	if err != nil {
		return without(a, err)
	}
	if err := job.mayWrite(a.Dest, methods); err != nil {
		return ansible.Result{}, err
	}
	out := result{Missing: left}
	if call.CheckMode {
		out.Backups, out.Path = job.planned(a.Dest, methods), job.name(a.Dest)
	} else if out.Backups, out.Path, err = job.take(ctx, a.Dest, methods); stoppedServing(err) {
		return without(a, err)
	} else if err != nil {
		return ansible.Result{}, err
	}
	call.MarkChanged()
	out.Seconds = time.Since(begin).Round(time.Millisecond).Seconds()
	out.Lines = lines(out, call.CheckMode)
	job.warn(call, a.Dest, methods)
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

// stoppedServing tells the errors of a member that ended or fell silent while it was asked from those of this host's disk and of the data.
func stoppedServing(err error) bool {
	kind := fault.KindOf(err)
	return err != nil && (kind == fault.Unreachable || kind == fault.Timeout)
}

func (j *job) name(dest string) string {
	return dest + "/" + backup.Stamp(j.now, hostName(j.host))
}

// hostName is ETCD_NAME where there is one, since that is what the member is known by.
func hostName(h *host.Host) string {
	if h.Config.Name != "" {
		return h.Config.Name
	}
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
