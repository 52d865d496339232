# What the chapter has an operator type for static pods (39.2, then 39.1.4), as a script that waits for what each step needs; run by `run`
# over one shared ssh connection a host. A manifest that goes in before the kubelet has cleared the old pod away waits 14 s, and the same bytes
# again can wait 300 s: so it waits for the pod's directory to go, and numbers the manifest. With the chapter's backups of 39.1.1 where the survivor still
# serves them: /etc/etcd, and a snapshot. No check, no fence.
# Takes: ssh_to HOST COMMAND, names (array), addresses (array), now. Sets alone: when one member served without the flag.
ctl="master-exec etcd etcd env ETCDCTL_API=3 etcdctl --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/peer.crt --key=/etc/etcd/peer.key --endpoints=https://${addresses[0]}:2379"

# master-exec ends with status 0 where the pod is stopped: what it prints counts.
until_healthy() { until ssh_to 0 "$ctl endpoint health 2>&1" | grep -q 'is healthy'; do :; done; }

pod_out() { ssh_to "$1" "mv /etc/origin/node/pods/etcd.yaml /root/; while ls -d /var/lib/kubelet/pods/*/containers/etcd; do sleep 0.05; done >/dev/null 2>&1; sleep 1"; }
pod_in() { ssh_to "$1" "sed -i \"s/critical-pod: .*/critical-pod: '\$(date +%s%N)'/\" /root/etcd.yaml; mv /root/etcd.yaml /etc/origin/node/pods/"; }

for i in 0 1 2; do ssh_to "$i" "mkdir -p /backup/chapter && cp -R /etc/etcd /backup/chapter/"; done
ssh_to 0 "$ctl snapshot save /var/lib/etcd/chapter.db >/dev/null; mv /var/lib/etcd/chapter.db /backup/chapter/db"
# First, or the two that have nothing would make an empty cluster while the survivor is stopped.
pod_out 1
pod_out 2
pod_out 0
ssh_to 0 "cp /etc/etcd/etcd.conf /root/etcd.conf.bak; echo ETCD_FORCE_NEW_CLUSTER=true >>/etc/etcd/etcd.conf"
pod_in 0
until_healthy
pod_out 0
ssh_to 0 "mv /root/etcd.conf.bak /etc/etcd/etcd.conf"
pod_in 0
until_healthy
alone=$(now)
members="${names[0]}=https://${addresses[0]}:2380"
for i in 1 2; do
    members="$members,${names[i]}=https://${addresses[i]}:2380"
    ssh_to "$i" "rm -rf /var/lib/etcd/*
      sed -i 's#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=$members#; s#^ETCD_INITIAL_CLUSTER_STATE=.*#ETCD_INITIAL_CLUSTER_STATE=existing#' /etc/etcd/etcd.conf"
    until ssh_to 0 "$ctl member add ${names[i]} --peer-urls=https://${addresses[i]}:2380 2>&1" | grep -q 'added to cluster'; do :; done
    pod_in "$i"
    until_healthy
done
