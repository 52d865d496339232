package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/cacopy"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/opensslca"
)

// restored makes the CA's directory from a copy that lies on this host. One that has its key already is not changed.
func restored(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf) (ansible.Result, error) {
	now := time.Now()
	if cacopy.There(a.CADir) {
		return present(ctx, a, now)
	}
	c, err := bestCopy(ctx, call, a, conf)
	if err != nil {
		return ansible.Result{}, err
	}
	return putBack(ctx, call, a, c, now)
}

func present(ctx context.Context, a args, now time.Time) (ansible.Result, error) {
	ca, err := opensslca.Open(ctx, a.CADir, false)
	if err != nil {
		return ansible.Result{}, err
	}
	defer ca.Close()
	return ansible.Result{Data: describe(ca.File(), ca.Cert, a, now)}, nil
}

func bestCopy(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf) (cacopy.Copy, error) {
	trusted, err := cacopy.Trusted(conf)
	if err != nil {
		return cacopy.Copy{}, err
	}
	dirs := append([]string{filepath.Dir(conf.Path)}, a.Search...)
	found, missed, err := cacopy.Find(ctx, trusted, dirs...)
	if err != nil {
		return cacopy.Copy{}, err
	}
	if len(missed) > 0 {
		call.Warn("not looked at, since it cannot be read or is too large: %s", strings.Join(missed, ", "))
	}
	if len(found) == 0 {
		return cacopy.Copy{}, fault.New(fault.Refused, "no copy of the CA's directory whose key belongs to the CA in use is in %s; nothing was changed", strings.Join(dirs, ", ")).
			WithHint("put a backup of the CA's /etc/etcd, as it is or as .tgz, into /backup of a host of etcd, and run this again")
	}
	return found[0], nil
}

func putBack(ctx context.Context, call *ansible.Call, a args, c cacopy.Copy, now time.Time) (ansible.Result, error) {
	file := filepath.Join(a.CADir, "ca.crt")
	data := describe(file, c.Cert, a, now)
	data.From = c.Path
	result := ansible.Result{Changed: true, Data: data, Diff: []ansible.Diff{{After: line(c.Cert), BeforeHeader: file, AfterHeader: file}}}
	for _, name := range c.Lacks() {
		call.Warn("%s, the copy, has no %s: openshift-ansible's playbooks cannot issue certificates there until it is back, these can", c.Path, name)
	}
	if call.CheckMode {
		return result, nil
	}
	call.MarkChanged()
	aside, err := c.PutBack(ctx, a.CADir, now)
	data.SetAside = append(data.SetAside, aside...)
	result.Data = data
	return result, err
}

// wouldExtend is for check mode, in which the copy that a run would extend was not put back.
func wouldExtend(ctx context.Context, call *ansible.Call, a args, conf etcdconf.Conf, now time.Time) (ansible.Result, error) {
	c, err := bestCopy(ctx, call, a, conf)
	if err != nil {
		return extended(ctx, call, a, now) // which says that there is no CA here
	}
	data := describe(filepath.Join(a.CADir, "ca.crt"), c.Cert, a, now)
	data.From = c.Path
	return ansible.Result{Changed: data.Due, Data: data}, nil
}
