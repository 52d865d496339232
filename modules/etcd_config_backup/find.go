package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

// newest is this host's latest backup in a directory. Where hosts share a mount, other hosts' backups lie beside it.
func newest(a args) (string, error) {
	var passed []string
	for _, name := range backupsIn(a.Dest) {
		src := filepath.Join(a.Dest, name)
		dir, err := locate(a, src)
		if err == nil {
			err = ofThisHost(filepath.Join(dir, filepath.Base(a.EtcdConf)))
		}
		if err == nil {
			return src, nil
		}
		passed = append(passed, err.Error())
	}
	found := a.Dest + " holds no etcd-config-*"
	if len(passed) > 0 {
		found = strings.Join(passed, "; ")
	}
	return "", fault.New(fault.Refused, "%s is not a member's configuration, and there is no backup of this host's: %s", a.EtcdConf, found).
		WithHint("%s", a.howToMakeOne())
}

func (a args) howToMakeOne() string {
	ca := a.CAHost
	if ca == "" {
		ca = "the host that has the CA's key (/etc/etcd/ca, on the first of [etcd])"
	} else {
		ca = fmt.Sprintf("%s, which has the CA's key (/etc/etcd/ca)", ca)
	}
	return "name the directory of the backup by -e etcd_backup_dir=…; without one, openshift-ansible has to make configuration and certificates again: put the host " +
		"into [new_etcd] and run its playbooks/openshift-etcd/scaleup.yml, which signs on " + ca + ", so that host must be up and the first of [etcd]"
}

var backupName = regexp.MustCompile(`^etcd-config-(\d{8})(?:-(\d+))?$`)

// backupsIn lists the backups of a directory, the latest first: by date, then by number (etcd-config-20261123-10 is later than -9).
func backupsIn(dir string) []string {
	entries, err := readfile.Dir(dir)
	if err != nil {
		return nil // the message names the directory
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && backupName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(x, y string) int {
		a, b := backupName.FindStringSubmatch(x), backupName.FindStringSubmatch(y)
		return cmp.Or(cmp.Compare(b[1], a[1]), cmp.Compare(number(b[2]), number(a[2])))
	})
	return names
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1 // the first of a day has no number
	}
	return n
}
