// etcd_config_backup copies /etc/etcd, or puts such a copy back.
package main

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/onhost"
)

//go:embed etcd_config_backup.yml
var documentation []byte

type args struct {
	host.Options
	State     string `json:"state"`
	Dest      string `json:"dest"`
	Src       string `json:"src"`
	IfMissing bool   `json:"if_missing"`
	IfFound   bool   `json:"if_found"`
	CAHost    string `json:"ca_host"`
}

type result struct {
	Backups  []backup.Entry  `json:"backups,omitempty"`
	Restored []backup.Change `json:"restored,omitempty"`
	From     string          `json:"from,omitempty"`
	SetAside string          `json:"set_aside,omitempty"`
	Lines    []string        `json:"lines"`
}

func main() { onhost.Main(documentation, ansible.Rules{}, run) }

// OfHost: etcd.conf is one of the files that are put back.
func (a args) OfHost() (host.Options, error) {
	a.ConfIsLost = a.State == "restored"
	return a.Options, nil
}

func run(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	if a.State == "restored" {
		return restore(ctx, call, a, h)
	}
	return save(ctx, call, a, h)
}

func save(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	source := filepath.Dir(a.EtcdConf)
	if _, err := os.Stat(a.EtcdConf); err != nil {
		return ansible.Result{}, fault.Wrap(fault.Invalid, err, "there is no etcd configuration to back up").
			WithHint("give etcd_conf, the path of etcd.conf")
	}
	if backup.Inside(a.Dest, source) || backup.Inside(a.Dest, h.DataDir) {
		return ansible.Result{}, fault.New(fault.Refused, "dest is %q; expected a path outside %s and %s", a.Dest, source, h.DataDir)
	}
	size, err := backup.Allocated(ctx, source)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Corrupt, err, "%s", source)
	}
	if err := backup.Destination(a.Dest); err != nil {
		return ansible.Result{}, err
	}
	if err := backup.Room(a.Dest, size); err != nil {
		return ansible.Result{}, err
	}
	name := "etcd-config-" + time.Now().Format("20060102")
	if call.CheckMode {
		path := filepath.Join(a.Dest, name)
		return ansible.Result{Changed: true, Data: result{
			Backups: []backup.Entry{{Method: "config", Path: path, Bytes: size}},
			Lines:   []string{source + " would be copied to " + path},
		}}, nil
	}
	entry, links, err := take(ctx, a.Dest, name, source, h)
	if err != nil {
		return ansible.Result{}, err
	}
	call.MarkChanged()
	for _, l := range links {
		call.Warn("%s", l)
	}
	if backup.SameDisk(a.Dest, h.DataDir) {
		call.Warn("%s is on the same disk as the data in %s: copy the backup to another machine", a.Dest, h.DataDir)
	}
	lines := []string{"copied and verified: " + entry.Path + ", " + backup.Size(entry.Bytes)}
	return ansible.Result{Changed: true, Data: result{Backups: []backup.Entry{entry}, Lines: lines}}, nil
}

// take copies the directory under its own name, as `cp -R /etc/etcd/ DEST` in the chapter does.
func take(ctx context.Context, dest, name, source string, h *host.Host) (backup.Entry, []backup.Link, error) {
	dir, err := backup.Create(dest, name)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	defer dir.Abandon() // does nothing once the directory has its name
	to := filepath.Join(dir.Path, filepath.Base(source))
	files, err := backup.CopyTree(ctx, source, to)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	dirs, err := backup.DescribeDirs(ctx, to)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	links, err := backup.DescribeLinks(ctx, to)
	if err != nil {
		return backup.Entry{}, nil, err
	}
	e := backup.Entry{Method: "config", Path: to, Verified: true}
	e.SHA256, e.Bytes = backup.SumOfSums(to, files)
	m := backup.Manifest{Created: time.Now().UTC().Format(time.RFC3339), Host: backup.HostName(), Name: h.Config.Name, Files: files, Links: links, Dirs: dirs}
	m.Backups = []backup.Entry{e}
	if err := m.Write(dir.Path); err != nil {
		return backup.Entry{}, nil, err
	}
	e.Path = dir.Final
	return e, links, dir.Commit()
}
