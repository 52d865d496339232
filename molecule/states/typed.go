package main

import (
	"fmt"
	"slices"
	"strings"
)

// line is a line of the chapter, as it is typed on a host. What fails there fails here; the next line is typed all the same.
type line struct{ name, script string }

// prelude is what the installer's profile sets up in an operator's shell.
const prelude = `cd /root; self=$(hostname -f); ip=$(hostname -i | cut -d' ' -f1)
etcdctl2() { ETCDCTL_API=2 etcdctl --cert-file /etc/etcd/peer.crt --key-file /etc/etcd/peer.key --ca-file /etc/etcd/ca.crt -C https://$self:2379 "$@"; }
etcdctl3() { ETCDCTL_API=3 etcdctl --cert /etc/etcd/peer.crt --key /etc/etcd/peer.key --cacert /etc/etcd/ca.crt --endpoints https://$self:2379 "$@"; }
`

// service is chapter 39.1.1 to 39.1.3, for etcd as a service: what is typed on the host that is to be the survivor.
func service() []line {
	others := `for other in master-0 master-1 master-2; do [ $other.example.com = $self ] || `
	return []line{
		{"39.1.1.1 cp /etc/etcd", `mkdir -p /backup/etcd-config-$(date +%Y%m%d)/; cp -R /etc/etcd/ /backup/etcd-config-$(date +%Y%m%d)/`},
		{"39.1.1.2 snapshot save", `mkdir -p /backup/etcd-$(date +%Y%m%d); timeout 20 sh -c "ETCDCTL_API=3 etcdctl --cert /etc/etcd/peer.crt --key /etc/etcd/peer.key --cacert /etc/etcd/ca.crt --endpoints https://$self:2379 snapshot save /backup/etcd-$(date +%Y%m%d)/db"`},
		{"39.1.1.2 mv pods", `mkdir -p /etc/origin/node/pods-stopped; mv /etc/origin/node/pods/* /etc/origin/node/pods-stopped/`},
		{"39.1.1.2 etcdctl backup", `etcdctl2 backup --data-dir /var/lib/etcd --backup-dir /backup/etcd-$(date +%Y%m%d)`},
		{"39.1.2 member remove", `for id in $(etcdctl2 member list 2>/dev/null | grep -v $self | cut -d: -f1); do etcdctl2 member remove $id; done`},
		{"39.1.2 URLs", others + `sed -i "/https:..$other.example.com:2379/d" /etc/origin/master/master-config.yaml; done`},
		{"39.1.2 master-restart", `master-restart api restart-master controller`},
		{"39.1.2 INITIAL_CLUSTER", `sed -i "s#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=$self=https://$ip:2380#" /etc/etcd/etcd.conf`},
		{"39.1.2 flanneld", `sed -i "s#^FLANNEL_ETCD_ENDPOINTS=.*#FLANNEL_ETCD_ENDPOINTS=https://$self:2379#" /etc/sysconfig/flanneld; systemctl restart flanneld.service`},
		{"39.1.3 stop node", `mv /etc/origin/node/pods/etcd.yaml /etc/origin/node/pods-stopped/; systemctl stop atomic-openshift-node; mv /etc/origin/node/pods-stopped/etcd.yaml /etc/origin/node/pods/`},
		{"39.1.3 mkdir drop-in", `mkdir -p /etc/systemd/system/etcd.service.d/`},
		{"39.1.3 echo Service", `echo "[Service]" > /etc/systemd/system/etcd.service.d/temp.conf`},
		{"39.1.3 echo ExecStart", `echo "ExecStart=" >> /etc/systemd/system/etcd.service.d/temp.conf`},
		{"39.1.3 sed", `sed -n '/ExecStart/s/"$/ --force-new-cluster"/p' /usr/lib/systemd/system/etcd.service >> /etc/systemd/system/etcd.service.d/temp.conf`},
		{"39.1.3 daemon-reload", `systemctl daemon-reload`},
		{"39.1.3 restart", `systemctl restart etcd`}, // `master-restart etcd` finds no pod
		{"39.1.3 member update", `etcdctl2 member update $(etcdctl2 member list | cut -d: -f1) https://$ip:2380`},
	}
}

// joining is 39.1.4 for master-1, typed on it and on the survivor in turn.
func joining() []step {
	return []step{
		on("master-1", `systemctl stop etcd; rm -Rf /var/lib/etcd/*`),
		on("master-0", prelude+`etcdctl3 member add master-1.example.com --peer-urls="https://$(getent hosts master-1.example.com | cut -d' ' -f1):2380"`),
		on("master-1", `sed -i "s#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=master-0.example.com=https://$(getent hosts master-0.example.com | cut -d' ' -f1):2380,master-1.example.com=https://$(hostname -i | cut -d' ' -f1):2380#; s/^ETCD_INITIAL_CLUSTER_STATE=.*/ETCD_INITIAL_CLUSTER_STATE=existing/" /etc/etcd/etcd.conf`),
		on("master-1", `systemctl start --no-block etcd.service`),
	}
}

// typed is the chapter up to each line, on one host, on two, on all. On one: the others have lost their data; on two: one has; on all: none has.
func typed() (all []state) {
	lines := service()
	forced := slices.IndexFunc(lines, func(l line) bool { return l.name == "39.1.3 restart" })
	for _, who := range []struct {
		name    string
		on      []string
		trouble []step
	}{
		{"one", []string{"master-0"}, twoLost()},
		{"two", []string{"master-0", "master-1"}, []step{wiped("master-2"), stopped("master-1")}},
		{"all", []string{"master-0", "master-1", "master-2"}, []step{stopped("master-1"), stopped("master-2")}},
	} {
		for i, last := range lines {
			s := state{Name: fmt.Sprintf("chapter on %s, up to %s", who.name, last.name), Trouble: who.trouble[:len(who.trouble):len(who.trouble)],
				Short: who.name == "one" && last.name == "39.1.3 restart"}
			// Two that were forced separately have both acknowledged writes: those of one are given up.
			if len(who.on) > 1 && i >= forced {
				s.End = consent
			}
			for _, host := range who.on {
				s.Trouble = append(s.Trouble, on(host, prelude+scripts(lines[:i+1])))
			}
			all = append(all, s)
		}
	}
	whole := on("master-0", prelude+scripts(lines))
	for i := range joining() {
		all = append(all, state{Name: fmt.Sprintf("chapter on one, up to 39.1.4 step %d", i+1), Trouble: twoLost(append([]step{whole}, joining()[:i+1]...)...)})
	}
	return all
}

// scripts are typed one after the other, whether or not each succeeds.
func scripts(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("{ " + l.script + "; }\n")
	}
	return b.String() + "true\n"
}
