package main

// hosts have two of three hosts lost, and a further fault on one host.
func hosts() []state {
	var all []state
	for _, one := range []struct {
		name  string
		host  string
		short bool
		make  []step
		end   end
		says  string
		cure  []step
	}{
		{name: "data directory full", short: true, host: "master-0", make: []step{small("master-0", "/var/lib/etcd")},
			end: mended, says: `(?i)(room|space|full)`, cure: []step{strictly("master-0", "mount -o remount,size=1g /var/lib/etcd")}},
		{name: "backup directory full", host: "master-0", make: []step{small("master-0", "/backup")},
			end: mended, says: `make room there`, cure: []step{strictly("master-0", "umount /backup")}},
		{name: "data directory read-only", host: "master-0", make: []step{readOnly("master-0", "/var/lib/etcd")},
			end: mended, says: `(?i)read-only`, cure: []step{strictly("master-0", "umount -l /var/lib/etcd; systemctl restart --no-block etcd")}},
		{name: "/etc/etcd read-only", host: "master-0", make: []step{readOnly("master-0", "/etc/etcd")},
			end: mended, says: `(?i)read-only`, cure: []step{strictly("master-0", "umount -l /etc/etcd")}},
		{name: "/etc/etcd of a lost host read-only", host: "master-1", make: []step{readOnly("master-1", "/etc/etcd")},
			end: mended, says: `(?i)read-only`, cure: []step{strictly("master-1", "umount -l /etc/etcd")}},
		{name: "/var/lib/etcd of a lost host full", host: "master-1", make: []step{small("master-1", "/var/lib/etcd")},
			end: mended, says: `(?i)(room|space|full)`, cure: []step{strictly("master-1", "umount -l /var/lib/etcd")}},
		{name: "certificates expired", host: "master-0", make: []step{{"cert", "master-0", "--expired"}, strictly("master-0", "systemctl restart --no-block etcd")},
			end: mended, says: `(?i)expired`, cure: []step{{"cert", "master-0"}}},
		{name: "certificates of a lost host expired", host: "master-1", make: []step{{"cert", "master-1", "--expired"}},
			end: mended, says: `(?i)expired`, cure: []step{{"cert", "master-1"}}},
		{name: "sshd dead, etcd lives", host: "master-0", make: []step{on("master-0", "systemctl stop ssh.socket ssh.service sshd.service; pkill -x sshd")},
			end: mended, says: `(?i)cannot reach it`, cure: []step{strictly("master-0", "systemctl start ssh.service")}},
		{name: "etcd frozen", short: true, host: "master-0", make: []step{strictly("master-0", "pkill -STOP -x etcd")}},
		{name: "data of another owner", host: "master-0",
			make: []step{strictly("master-0", "systemctl stop etcd; chown -R root:root /var/lib/etcd/member; chmod -R go= /var/lib/etcd/member; systemctl start --no-block etcd")},
			end:  mended, says: `belongs to root`, cure: []step{strictly("master-0", "chown -R etcd: /var/lib/etcd")}},
		{name: "member/snap cannot be entered", host: "master-0",
			make: []step{strictly("master-0", "systemctl stop etcd; chown root:root /var/lib/etcd/member/snap; chmod 0700 /var/lib/etcd/member/snap; systemctl start --no-block etcd")},
			end:  mended, says: `belongs to root`, cure: []step{strictly("master-0", "chown -R etcd: /var/lib/etcd")}},
		{name: "files an hour ahead", host: "master-0", make: []step{strictly("master-0", "find /var/lib/etcd /etc/etcd -exec touch -h -d '+1 hour' {} +")}},
		{name: "port 2380 taken by another program", host: "master-0",
			make: []step{strictly("master-0", "systemctl kill -s KILL etcd; systemctl stop etcd; sed -i s/:2380/:22/ /etc/etcd/etcd.conf; sed -i '/INITIAL/s/:22/:2380/g' /etc/etcd/etcd.conf; systemctl start --no-block etcd")},
			end:  mended, says: `(?i)(in use|port)`, cure: []step{strictly("master-0", "sed -i 's/:22$/:2380/' /etc/etcd/etcd.conf")}},
	} {
		s := state{Name: one.host + ": " + one.name, Short: one.short, Trouble: twoLost(one.make...), End: one.end, Says: one.says, Cure: one.cure}
		all = append(all, s)
	}
	return append(all,
		state{Name: "master-0 has a new address, certificates and etcd.conf name it", Trouble: twoLost(moved("master-0", etcdConfToo, step{"cert", "master-0"})...)},
		state{Name: "master-0 has a new address, etcd.conf names it", Trouble: twoLost(moved("master-0", etcdConfToo)...)},
		state{Name: "master-0: the clock an hour ahead", Skip: "containers share the machine's clock"},
		state{Name: "quorum, one frozen", Trouble: []step{wiped("master-2"), strictly("master-1", "pkill -STOP -x etcd")}},
		state{Name: "one wiped, one stopped, one with sshd dead", Trouble: []step{wiped("master-2"), stopped("master-1"),
			on("master-0", "systemctl stop ssh.socket ssh.service sshd.service; pkill -x sshd")}}, // the stopped one is started, as printed
	)
}

// moved gives a host another address, in the inventory and in DNS as well.
func moved(host string, then ...step) []step {
	return append([]step{strictly(host, "systemctl stop etcd"), {"readdress", host}}, then...)
}

// etcdConfToo: its owner has corrected etcd.conf, too.
var etcdConfToo = strictly("master-0", `sed -i "s/$(sed -n 's#^ETCD_LISTEN_PEER_URLS=https://\(.*\):2380#\1#p' /etc/etcd/etcd.conf)/$(hostname -i | cut -d' ' -f1)/g" /etc/etcd/etcd.conf`)

// small puts a full file system in the place of a directory, with the directory's content.
func small(host, dir string) step {
	return strictly(host, `d=`+dir+`; was=$(systemctl is-active etcd || :); mkdir -p $d; systemctl stop etcd
		mount -t tmpfs -o size=1g,mode=$(stat -c %a $d) tmpfs /mnt; cp -a $d/. /mnt/; chown --reference=$d /mnt; size=$(($(du -sk /mnt | cut -f1) + 64))
		mount --move /mnt $d 2>/dev/null || { mount --bind /mnt $d; umount -l /mnt; }
		mount -o remount,size=${size}k $d; dd if=/dev/zero of=$d/filler bs=4k 2>/dev/null || :
		[ "$was" != active ] || systemctl start --no-block etcd`)
}

func readOnly(host, dir string) step {
	return strictly(host, "mount --bind "+dir+" "+dir+" && mount -o remount,bind,ro "+dir+"; systemctl restart --no-block etcd")
}
