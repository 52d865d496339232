package main

import "cmp"

// noServingInfo leaves the API at its default address. The stand-in needs the setting, so it reads a copy.
const noServingInfo = `cd /etc/origin/master; cp -a master-config.yaml stand-in.yaml; sed -i 's/master-config/stand-in/' /etc/systemd/system/lab-master-api.service
systemctl daemon-reload; sed -i '/^servingInfo/,$d' master-config.yaml`

// clients have clients that a restore cannot restart, read or edit. Two hosts have lost their data; with an Out, one of them for good, so that
// lists change.
func clients() []state {
	const config, flannel = "/etc/origin/master/master-config.yaml", "/etc/sysconfig/flanneld"
	broken := []struct {
		name, host, script string
		end, off           end // off: with master-2 off, where lists of URLs have to be edited
		says, cure         string
	}{
		{name: "the container runtime is down", host: "master-1",
			script: `printf '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n' >/usr/local/bin/master-restart; systemctl stop lab-master-api lab-master-controllers`, end: named},
		{name: "the API never comes up", host: "master-1",
			script: `systemctl stop lab-master-api; ln -sfn /dev/null /etc/systemd/system/lab-master-api.service; systemctl daemon-reload`, end: named},
		{name: "master-config without servingInfo", host: "master-1", script: noServingInfo},
		{name: "master-config is not YAML", host: "master-1", script: `printf '\t- [\n' >>` + config,
			end: mended, says: `master-config`, cure: `sed -i '$d' ` + config},
		{name: "flanneld file is not parseable", host: "master-1", script: `sed -i '/ENDPOINTS/s/"*$//;/ENDPOINTS/s/=/="/' ` + flannel,
			off: mended, says: `flannel_etcd_endpoints: /etc/sysconfig/flanneld`, cure: `sed -i '/ENDPOINTS/s/="*/="/;/ENDPOINTS/s/"*$/"/' ` + flannel},
	}
	var all []state
	for _, b := range broken {
		s := state{Name: b.host + ": " + b.name, Trouble: twoLost(strictly(b.host, b.script)), End: b.end, Says: b.says}
		if b.cure != "" {
			s.Cure = []step{strictly(b.host, b.cure)}
		}
		all = append(all, s)
		gone := s
		gone.Name += ", master-2 off"
		gone.Trouble = append([]step{off("master-2")}, append([]step{wiped("master-1")}, s.Trouble[1:]...)...)
		gone.Out = []string{"master-2"}
		gone.End = cmp.Or(b.off, b.end)
		all = append(all, gone)
	}
	for _, control := range []string{"program", "read-only"} {
		all = append(all, state{Name: "the inventory is " + control + ", master-2 off", Control: control, Out: []string{"master-2"},
			Trouble: []step{off("master-2"), wiped("master-1")}, Needs: []string{`master-2`}})
	}
	return all
}
