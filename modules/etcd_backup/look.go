package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/program"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/root"
)

// job is one run: the host, the member, and what is possible.
type job struct {
	host   *host.Host
	state  state
	client *etcd.Client // nil unless it serves
	live   etcd.State
	links  []backup.Link
	// acceptLoss keeps a copy of damaged data.
	acceptLoss bool
	v2Keys     *int64 // user keys of the v2 store, of a running member; nil where it does not tell
	now        time.Time
}

func look(ctx context.Context, a args, h *host.Host, check bool) (j *job, err error) {
	j = &job{host: h, now: time.Now(), acceptLoss: a.AcceptLoss}
	j.state.dataDir = h.DataDir
	if j.state.hasData, err = h.HasData(); err != nil {
		return nil, err
	}
	left, err := h.Left(ctx)
	if err != nil {
		return nil, err
	}
	j.state.stopped, j.state.left = len(left) == 0, strings.Join(left, ", ")
	j.findEtcdctl(ctx, a.Method, check)
	if j.state.stopped && len(a.Endpoints) == 0 {
		j.state.silence = fault.New(fault.Refused, "etcd is stopped")
		return j, nil
	}
	j.state.silence = j.connect(ctx, a)
	j.state.serves = j.state.silence == nil
	return j, nil
}

// connect speaks to this host's own member, never to another one: each host is backed up by itself.
func (j *job) connect(ctx context.Context, a args) error {
	cfg, err := a.Config(a.EtcdConf)
	if err != nil {
		return err
	}
	if j.client, err = etcd.Dial(ctx, cfg); err != nil {
		return err
	}
	if j.live, err = j.client.State(ctx); err != nil {
		return err
	}
	if keys, _, err := j.client.V2().UserKeys(ctx); err == nil { // for a warning, and for who restores the snapshot
		j.v2Keys = &keys
	}
	return nil
}

func (j *job) close() {
	if !readfile.Exists(j.host.FenceFile()) { // in a recovery the rehearsal comes next, and needs the copied binaries
		_ = j.host.DropBinaries() // the next start of etcd removes them as well
	}
	if j.client != nil {
		j.client.Close()
	}
}

// findEtcdctl looks on the host. Where etcd is a static pod, only its image has etcdctl: it is copied out of the image where a method needs it.
func (j *job) findEtcdctl(ctx context.Context, method string, check bool) {
	j.findOnHost(ctx)
	if j.host.Runtime.Name() != facts.StaticPod || !j.state.stopped || method == snapshot || method == copyAll || method == "auto" {
		return
	}
	j.state.etcdctl2 = "etcd's image"
	if check {
		j.state.etcdctl = j.state.etcdctl2 // check mode runs nothing
		return
	}
	if path, err := j.host.Binary(ctx, "etcdctl"); err == nil {
		j.state.etcdctl = path
	} else {
		j.state.etcdctl, j.state.etcdctl2 = "", "etcdctl of the image ("+err.Error()+")"
	}
}

// findOnHost finds etcdctl on the host's filesystem. It runs as root, so one that another user can replace is not used.
func (j *job) findOnHost(ctx context.Context) {
	path := root.Command("etcdctl")
	if j.host.Runtime.Name() == facts.Systemd {
		if own, err := j.host.Binary(ctx, "etcdctl"); err == nil {
			path = own
		}
	}
	j.state.etcdctl2 = path
	switch err := program.Check(path); {
	case err == nil:
		j.state.etcdctl = path
	case !errors.Is(err, os.ErrNotExist):
		j.state.etcdctl2 += " (" + err.Error() + ")"
	}
}

// mayWrite refuses, before the first byte is written, a destination that is no place for a backup or has too little space.
func (j *job) mayWrite(ctx context.Context, dest string, methods []string) error {
	if err := backup.Destination(dest); err != nil {
		return err
	}
	if backup.Inside(dest, j.host.DataDir) {
		return fault.New(fault.Refused, "dest %s is inside the data directory %s: such a backup goes with the data", dest, j.host.DataDir)
	}
	need, err := j.need(ctx, methods)
	if err != nil {
		return err
	}
	return backup.Room(dest, need)
}

func (j *job) need(ctx context.Context, methods []string) (int64, error) {
	var need int64
	for _, method := range methods {
		n, err := j.needOf(ctx, method)
		if err != nil {
			return 0, err
		}
		need += n
	}
	return need, nil
}

func (j *job) needOf(ctx context.Context, method string) (int64, error) {
	if method == snapshot {
		return j.live.DBBytes, nil
	}
	total, err := backup.Allocated(ctx, j.host.MemberDir())
	if err != nil || backup.Inside(j.host.WALDir(), j.host.MemberDir()) {
		return total, err
	}
	wal, err := backup.Allocated(ctx, j.host.WALDir())
	return total + wal, err
}

func (j *job) planned(ctx context.Context, dest string, methods []string) []backup.Entry {
	out := []backup.Entry{}
	for _, method := range methods {
		size, err := j.needOf(ctx, method)
		if err != nil {
			continue // mayWrite has asked the same before
		}
		out = append(out, backup.Entry{Method: method, Path: j.name(dest), Bytes: size})
	}
	return out
}

// warn says what the operator should know of the backup. Where it is not required a copy follows, which has the v2 store.
func (j *job) warn(call *ansible.Call, dest string, methods []string, required bool) {
	if backup.SameDisk(dest, j.host.DataDir) {
		call.Warn("%s is on the same disk as the data in %s: copy the backup to another machine", dest, j.host.DataDir)
	}
	if len(methods) == 1 && methods[0] == snapshot && required && j.v2Keys != nil && *j.v2Keys > 0 {
		call.Warn("the v2 store holds %s, which a snapshot does not have: stop etcd and take method=copy as well", plural(*j.v2Keys, "key"))
	}
	for _, l := range j.links {
		call.Warn("%s", l)
	}
	for _, path := range backup.Leftovers(dest) {
		if path != j.name(dest)+".partial" {
			call.Warn("%s was left by an interrupted run; it is no backup and may be deleted", path)
		}
	}
}
