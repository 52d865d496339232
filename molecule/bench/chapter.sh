# What the chapter has an operator type (39.1.3 and 39.1.4), as a script that polls without pauses; run by `run` over one shared ssh
# connection a host. With the chapter's backups of 39.1.1 where the survivor still serves them: /etc/etcd, and a snapshot. No check, no fence: that
# is what it is compared with.
# Takes: ssh_to HOST COMMAND, names (array), addresses (array).
ctl="ETCDCTL_API=3 etcdctl --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/peer.crt --key=/etc/etcd/peer.key --endpoints=https://${addresses[0]}:2379"

until_healthy() { until ssh_to 0 "$ctl endpoint health" >/dev/null 2>&1; do :; done; }

for i in 0 1 2; do ssh_to "$i" "mkdir -p /backup/chapter && cp -R /etc/etcd /backup/chapter/"; done
ssh_to 0 "$ctl snapshot save /backup/chapter/db" >/dev/null
ssh_to 0 "systemctl stop etcd; mkdir -p /etc/systemd/system/etcd.service.d
  printf '[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n' >/etc/systemd/system/etcd.service.d/temp.conf
  systemctl daemon-reload; systemctl start etcd"
until_healthy
ssh_to 0 "rm /etc/systemd/system/etcd.service.d/temp.conf; systemctl daemon-reload; systemctl restart etcd"
until_healthy
members="${names[0]}=https://${addresses[0]}:2380"
for i in 1 2; do
    members="$members,${names[i]}=https://${addresses[i]}:2380"
    ssh_to "$i" "systemctl stop etcd; rm -rf /var/lib/etcd/*
      sed -i 's#^ETCD_INITIAL_CLUSTER=.*#ETCD_INITIAL_CLUSTER=$members#; s#^ETCD_INITIAL_CLUSTER_STATE=.*#ETCD_INITIAL_CLUSTER_STATE=existing#' /etc/etcd/etcd.conf"
    until ssh_to 0 "$ctl member add ${names[i]} --peer-urls=https://${addresses[i]}:2380" >/dev/null 2>&1; do :; done
    ssh_to "$i" "systemctl reset-failed etcd; systemctl start etcd"
    until_healthy
done
