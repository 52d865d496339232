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
)

//go:embed etcd_config_backup.yml
var documentation []byte

type args struct {
	State       string `json:"state"`
	Dest        string `json:"dest"`
	Src         string `json:"src"`
	IfMissing   bool   `json:"if_missing"`
	CAHost      string `json:"ca_host"`
	EtcdConf    string `json:"etcd_conf"`
	ManifestDir string `json:"manifest_dir"`
	DataDir     string `json:"data_dir"`
	Timeout     int    `json:"timeout"`
}

type result struct {
	Backups  []backup.Entry  `json:"backups,omitempty"`
	Restored []backup.Change `json:"restored,omitempty"`
	From     string          `json:"from,omitempty"`
	SetAside string          `json:"set_aside,omitempty"`
	Lines    []string        `json:"lines"`
}

var rules = ansible.Rules{}

func main() { ansible.Main(documentation, rules, run) }

func run(call *ansible.Call, a args) (ansible.Result, error) {
	if a.Timeout < 1 {
		return ansible.Result{}, fault.New(fault.Invalid, "timeout is %d; expected at least 1 second", a.Timeout)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Timeout)*time.Second)
	defer cancel()
	h, err := host.Load(ctx, host.Options{EtcdConf: a.EtcdConf, ManifestDir: a.ManifestDir, DataDir: a.DataDir})
	if err != nil {
		return ansible.Result{}, err
	}
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
	if !filepath.IsAbs(a.Dest) || backup.Inside(a.Dest, source) || backup.Inside(a.Dest, h.DataDir) {
		return ansible.Result{}, fault.New(fault.Refused, "dest is %q; expected an absolute path outside %s and %s", a.Dest, source, h.DataDir)
	}
	size, err := backup.Allocated(source)
	if err != nil {
		return ansible.Result{}, fault.Wrap(fault.Corrupt, err, "%s", source)
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
	entry, err := take(ctx, a.Dest, name, source, h)
	if err != nil {
		return ansible.Result{}, err
	}
	call.MarkChanged()
	if backup.SameDisk(a.Dest, h.DataDir) {
		call.Warn("%s is on the same disk as the data in %s: copy the backup to another machine", a.Dest, h.DataDir)
	}
	lines := []string{"copied and verified: " + entry.Path + ", " + backup.Size(entry.Bytes)}
	return ansible.Result{Changed: true, Data: result{Backups: []backup.Entry{entry}, Lines: lines}}, nil
}

// take copies the directory under its own name, as `cp -R /etc/etcd/ DEST` in the chapter does.
func take(ctx context.Context, dest, name, source string, h *host.Host) (backup.Entry, error) {
	dir, err := backup.Create(dest, name)
	if err != nil {
		return backup.Entry{}, err
	}
	defer dir.Abandon() // nothing, once it has its name
	to := filepath.Join(dir.Path, filepath.Base(source))
	files, err := backup.CopyTree(ctx, source, to, backup.KeepLinks)
	if err != nil {
		return backup.Entry{}, err
	}
	dirs, err := backup.DescribeDirs(to)
	if err != nil {
		return backup.Entry{}, err
	}
	e := backup.Entry{Method: "config", Path: to, Verified: true}
	e.SHA256, e.Bytes = backup.SumOfSums(to, files)
	m := backup.Manifest{Created: time.Now().UTC().Format(time.RFC3339), Host: hostName(), Name: h.Config.Name, Files: files, Dirs: dirs}
	m.Backups = []backup.Entry{e}
	if err := m.Write(dir.Path); err != nil {
		return backup.Entry{}, err
	}
	e.Path = dir.Final
	return e, dir.Commit()
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
