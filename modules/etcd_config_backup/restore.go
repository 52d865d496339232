package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/ansible"
	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/etcdconf"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
)

// ofThePresent are the records of what is under way on this host now. A backup's records are of another time: they could lift a fence, begin a
// forced start or end a restore.
func ofThePresent(h *host.Host) []string {
	return []string{filepath.Base(h.FenceFile()), filepath.Base(h.PutBackFile()), filepath.Base(h.ForcingFile()), filepath.Base(h.RestoringFile())}
}

func restore(ctx context.Context, call *ansible.Call, a args, h *host.Host) (ansible.Result, error) {
	if a.IfMissing && h.Configured() {
		return ansible.Result{Data: result{Lines: []string{a.EtcdConf + " is a member's; nothing was changed"}}}, nil
	}
	src := a.Src
	if src == "" {
		var err error
		src, err = newest(a)
		if err != nil && a.IfFound {
			return ansible.Result{Data: result{Lines: []string{"no backup of this host was found; nothing was changed"}}}, nil
		}
		if err != nil {
			return ansible.Result{}, err
		}
	}
	copyDir, err := locate(a, src)
	if err != nil {
		return ansible.Result{}, err
	}
	if err := backup.Trusted(src); err != nil {
		return ansible.Result{}, err
	}
	m, err := verify(ctx, call, src)
	if err != nil {
		return ansible.Result{}, err
	}
	if err := ofThisHost(filepath.Join(copyDir, filepath.Base(a.EtcdConf))); err != nil {
		return ansible.Result{}, err
	}
	dir := filepath.Dir(a.EtcdConf)
	changes, err := backup.PlanRestore(ctx, copyDir, dir, m, ofThePresent(h))
	if err != nil {
		return ansible.Result{}, err
	}
	out := result{Restored: changes, From: src, Lines: lines(changes, call.CheckMode)}
	if len(changes) == 0 {
		return ansible.Result{Data: out}, nil
	}
	if err := stopped(ctx, h); err != nil {
		return ansible.Result{}, err
	}
	if call.CheckMode {
		return ansible.Result{Changed: true, Data: out}, nil
	}
	if err := backup.RestoreDirs(ctx, copyDir, dir, m, call.MarkChanged); err != nil {
		return ansible.Result{}, err
	}
	out.SetAside, err = backup.Restore(ctx, dir, changes, time.Now(), call.MarkChanged)
	if out.SetAside != "" {
		out.Lines = append(out.Lines, "the files that were there before are in "+out.SetAside)
	}
	return ansible.Result{Changed: true, Data: out}, err
}

// locate accepts what this module makes, and what the chapter's `cp -R` makes.
func locate(a args, src string) (string, error) {
	conf := filepath.Base(a.EtcdConf)
	for _, dir := range []string{filepath.Join(src, filepath.Base(filepath.Dir(a.EtcdConf))), src} {
		if _, err := os.Stat(filepath.Join(dir, conf)); err == nil {
			return dir, nil
		}
	}
	return "", fault.New(fault.Invalid, "src %s holds no %s; expected a directory that state=present made, e.g. /backup/etcd-config-20261123", src, conf).
		WithHint("%s", a.howToMakeOne())
}

func verify(ctx context.Context, call *ansible.Call, src string) (*backup.Manifest, error) {
	_, err := os.Stat(filepath.Join(src, backup.ManifestFile))
	if errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(strings.TrimRight(src, "/"), ".partial") {
		call.Warn("%s has no %s, so the files in it could not be verified", src, backup.ManifestFile)
		return nil, nil
	}
	m, err := backup.Verify(ctx, src)
	return &m, err
}

// ofThisHost: certificates and configuration are each member's own; another member's would make two hosts claim one identity.
func ofThisHost(path string) error {
	conf, err := etcdconf.ReadCopy(path)
	if err != nil {
		return err
	}
	for _, each := range conf.List("ETCD_LISTEN_PEER_URLS") {
		u, err := url.Parse(each)
		if err != nil {
			return fault.New(fault.Corrupt, "%s: ETCD_LISTEN_PEER_URLS is %q", path, conf.Get("ETCD_LISTEN_PEER_URLS"))
		}
		ip := net.ParseIP(u.Hostname())
		if ip != nil && !ip.IsUnspecified() && !host.HasAddress(ip) {
			return fault.New(fault.Refused, "%s is of the member %s at %s, and this host does not have that address", path, conf.Get("ETCD_NAME"), ip).
				WithHint("give the backup of this very host")
		}
	}
	return nil
}

// stopped refuses while etcd runs: etcd reads its certificates at every handshake, so half a set would cut it off.
func stopped(ctx context.Context, h *host.Host) error {
	left, err := h.Left(ctx)
	if err == nil && len(left) > 0 {
		err = fault.New(fault.Refused, "etcd runs (%s); its files are not replaced under it", strings.Join(left, ", ")).
			WithHint("stop it first: etcd_service state=stopped")
	}
	return err
}

func lines(changes []backup.Change, check bool) []string {
	if len(changes) == 0 {
		return []string{"every file is as in the backup; nothing was changed"}
	}
	out := []string{}
	for _, c := range changes {
		word := map[string]string{"create": "put back", "replace": "put back (the old one set aside)"}[c.Action]
		if check {
			word = "would be " + word
		}
		out = append(out, fmt.Sprintf("%s %s", c.Path, word))
	}
	return out
}
