package host

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/etcdlog"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
	"etcd-quorum-restore/modules/internal/systemd"
)

// Log is what etcd printed last.
func (p *pod) Log(ctx context.Context, lines int) ([]string, error) {
	entries, err := p.Entries(ctx, "", lines)
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out, err
}

// Entries reads the container's log files, or the journal where Docker logs there. The kubelet removes the files of a pod that is gone, so after
// a stop there may be nothing.
func (p *pod) Entries(ctx context.Context, since string, lines int) ([]etcdlog.Entry, error) {
	from, err := etcdlog.Since(since, time.Now())
	if err != nil {
		return nil, err
	}
	var entries []etcdlog.Entry
	for _, path := range p.logFiles() {
		raw, err := end(path, int64(lines)*400)
		if err != nil {
			return nil, err
		}
		entries = append(entries, etcdlog.ParseContainer(raw)...)
	}
	if len(entries) == 0 {
		if entries, err = p.journal(ctx, lines); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(entries, func(a, b etcdlog.Entry) int { return a.Time.Compare(b.Time) })
	entries = slices.DeleteFunc(entries, func(e etcdlog.Entry) bool { return e.Time.Before(from) })
	return entries[max(0, len(entries)-lines):], nil
}

// logFiles are the log files of static pods' containers called etcd: /var/log/pods/<UID>/etcd/0.log with the kubelet of 3.11,
// <namespace>_<pod>_<UID> with later ones. /var/log/containers holds links to the same files.
func (p *pod) logFiles() []string {
	var out []string
	for _, pattern := range []string{"*/etcd/*.log", "*/etcd_*.log"} {
		found, _ := filepath.Glob(filepath.Join(root.Path("/var/log/pods"), pattern)) // the patterns are valid
		for _, path := range found {
			dir, _, _ := strings.Cut(strings.TrimPrefix(path, root.Path("/var/log/pods")+"/"), "/")
			if staticUID.MatchString(dir[strings.LastIndexByte(dir, '_')+1:]) {
				out = append(out, path)
			}
		}
	}
	if len(out) == 0 {
		out, _ = filepath.Glob(filepath.Join(root.Path("/var/log/containers"), p.podName()+"-*_etcd-*.log"))
	}
	return slices.DeleteFunc(out, func(path string) bool { return !readfile.IsFile(path) })
}

// podName is the pod's name; the installer's name where the manifest cannot be read.
func (p *pod) podName() string {
	if _, m, err := p.parsed(); err == nil && m.PodName() != "" {
		return m.PodName()
	}
	return "master-etcd"
}

// end is the end of a file; etcd's lines are some 100 bytes long.
func end(path string, most int64) ([]byte, error) {
	f, info, err := readfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := info.Size()
	raw := make([]byte, min(size, most))
	n, err := f.ReadAt(raw, size-int64(len(raw)))
	if err == io.EOF {
		err = nil
	}
	return raw[:n], err
}

// journal reads what Docker's log driver journald, RHEL 7's default, has written. Its fields match whole values only, so the containers are
// looked up first.
func (p *pod) journal(ctx context.Context, lines int) ([]etcdlog.Entry, error) {
	names, err := systemd.Journalctl(ctx, "-F", "CONTAINER_NAME")
	if err != nil {
		return nil, nil // no journal on this host, so nothing to read
	}
	args := []string{"-n", strconv.Itoa(lines), "-o", "json"}
	for _, name := range strings.Fields(string(names)) {
		if strings.HasPrefix(name, "k8s_etcd_"+p.podName()+"-") {
			args = append(args, "CONTAINER_NAME="+name)
		}
	}
	if len(args) == 4 {
		return nil, nil
	}
	out, err := systemd.Journalctl(ctx, args...)
	return etcdlog.ParseJournal(out), err
}
