package main

import (
	"fmt"
	"slices"
)

// What the operator sees before the next line is typed: the kubelet needs some seconds for each of them.
const (
	podGone = `; for i in $(seq 60); do pidof etcd >/dev/null || break; sleep 1; done`
	podRuns = `; for i in $(seq 60); do pidof etcd >/dev/null && break; sleep 1; done; for i in 1 2 3 4; do etcdctl3 endpoint health && break; sleep 1; done`
)

// podPrelude is prelude where the host itself has no etcdctl.
const podPrelude = prelude + `etcdctl() { timeout 20 master-exec etcd etcd env ETCDCTL_API=${ETCDCTL_API:-2} etcdctl "$@"; }
`

// pods is chapter 39.2, for etcd as a static pod, and of 39.1.1 what is typed before it.
func pods() []line {
	return []line{
		{"39.1.1.2 snapshot save", `etcdctl3 snapshot save /var/lib/etcd/snapshot.db`},
		{"39.2 mv etcd.yaml", `mv /etc/origin/node/pods/etcd.yaml .` + podGone},
		{"39.2 cp etcd.conf", `cp /etc/etcd/etcd.conf etcd.conf.bak`},
		{"39.2 echo FORCE", `echo "ETCD_FORCE_NEW_CLUSTER=true" >> /etc/etcd/etcd.conf`},
		{"39.2 mv back", `mv etcd.yaml /etc/origin/node/pods/.` + podRuns},
		{"39.2 mv out again", `mv /etc/origin/node/pods/etcd.yaml .` + podGone},
		{"39.2 rm etcd.conf", `rm /etc/etcd/etcd.conf`},
		{"39.2 mv etcd.conf.bak", `mv etcd.conf.bak /etc/etcd/etcd.conf`},
		{"39.2 mv back again", `mv etcd.yaml /etc/origin/node/pods/.` + podRuns},
	}
}

// podStopped is what a kubelet with a manifest less makes of etcd.
func podStopped(host string) step {
	return strictly(host, `mv /etc/origin/node/pods/etcd.yaml /root/`+podGone+`; ! pidof etcd`)
}

// typedPods is the chapter for static pods up to each line, on one host, on two, on all.
func typedPods() (all []state) {
	lines := pods()
	forced := slices.IndexFunc(lines, func(l line) bool { return l.name == "39.2 mv back" })
	for _, who := range []struct {
		name    string
		on      []string
		trouble []step
		out     []string
	}{
		// Two wiped pods that run would form an empty cluster, and take the writer's writes in; then only a person can tell which is the real one.
		{"one", []string{"master-0"}, []step{wiped("master-1"), off("master-2")}, []string{"master-2"}},
		{"two", []string{"master-0", "master-1"}, []step{wiped("master-2"), podStopped("master-1")}, nil},
		{"all", []string{"master-0", "master-1", "master-2"}, []step{podStopped("master-1"), podStopped("master-2")}, nil},
	} {
		for i, last := range lines {
			s := state{Name: fmt.Sprintf("pods, chapter on %s, up to %s", who.name, last.name), Pods: true, Trouble: slices.Clip(who.trouble), Out: who.out}
			// As with services: two that were forced separately have both acknowledged writes.
			if len(who.on) > 1 && i >= forced {
				s.End = consent
			}
			// Without etcd.conf nobody knows what the host is; where its copy lies is said.
			if last.name == "39.2 rm etcd.conf" {
				s.End, s.Says = mended, `cp -p /root/etcd\.conf\.bak /etc/etcd/etcd\.conf`
				for _, host := range who.on {
					s.Cure = append(s.Cure, strictly(host, "cp -p /root/etcd.conf.bak /etc/etcd/etcd.conf"))
				}
			}
			for _, host := range who.on {
				s.Trouble = append(s.Trouble, on(host, podPrelude+scripts(lines[:i+1])))
			}
			all = append(all, s)
		}
	}
	return all
}
