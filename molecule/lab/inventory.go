package main

import (
	"fmt"
	"strings"
)

// inventoryFiles are the files of inventory/, by name. Sites write the same
// inventory in several ways; edits are judged on all of them, so there are
// comments, variables on lines, and order to be kept.
func inventoryFiles(o Options, hosts []Host, keyFile string) map[string]string {
	files := map[string]string{"group_vars/all.yml": groupVars()}
	login := fmt.Sprintf("ansible_user=root\nansible_ssh_private_key_file=%s\n", keyFile)
	switch o.InventoryStyle {
	case "yaml":
		files["hosts"] = yamlInventory(o, hosts, keyFile)
	case "ranges":
		files["hosts"] = rangesInventory(o, hosts, login)
		for _, h := range hosts {
			files["host_vars/"+h.Name+".yml"] = fmt.Sprintf("---\nansible_host: %s\netcd_ip: %[1]s\n", h.IP)
		}
	default:
		files["hosts"] = iniInventory(o, hosts, login)
	}
	return files
}

// groupVars hold what only the lab needs: its hosts are made again and again
// on the same addresses, so known_hosts must neither be read nor written.
func groupVars() string {
	return "---\nansible_ssh_common_args: >-\n" +
		"  -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null\n" +
		"  -o LogLevel=ERROR -o ConnectTimeout=5\n"
}

func iniInventory(o Options, hosts []Host, login string) string {
	var b strings.Builder
	iniHead(&b, o, login)
	masters := where(hosts, func(h Host) bool { return h.Master })
	b.WriteString("[masters]\n")
	for _, h := range masters {
		fmt.Fprintf(&b, "%s ansible_host=%s\n", h.Name, h.IP)
	}
	b.WriteString("\n[etcd]\n")
	for i, h := range members(hosts) {
		if i == 2 {
			b.WriteString("# replaced in March\n")
		}
		fmt.Fprintf(&b, "%s ansible_host=%s etcd_ip=%[2]s   # rack %d\n", h.Name, h.IP, i+1)
	}
	b.WriteString("\n")
	if !o.NoNewEtcd {
		b.WriteString("[new_etcd]\n")
		for _, h := range spares(hosts) {
			fmt.Fprintf(&b, "%s ansible_host=%s etcd_ip=%[2]s\n", h.Name, h.IP)
		}
		b.WriteString("\n")
	}
	b.WriteString("[lb]\n\n[nodes]\n")
	for _, h := range where(hosts, func(h Host) bool { return h.Node }) {
		kind := "compute"
		if h.Master {
			kind = "master"
		}
		fmt.Fprintf(&b, "%s ansible_host=%s openshift_node_group_name='node-config-%s'\n", h.Name, h.IP, kind)
	}
	return b.String()
}

func iniHead(b *strings.Builder, o Options, login string) {
	b.WriteString("# inventory of the test cluster\n[OSEv3:children]\nmasters\nnodes\netcd\n")
	if !o.NoNewEtcd {
		b.WriteString("new_etcd\n")
	}
	b.WriteString("lb\n\n[OSEv3:vars]\n" + login)
	b.WriteString("openshift_deployment_type=openshift-enterprise\nopenshift_release=\"v3.11\"\n")
	b.WriteString("openshift_master_identity_providers=[{'name': 'htpasswd_auth', 'login': 'true', 'challenge': 'true', 'kind': 'HTPasswdPasswordIdentityProvider'}]\n\n")
}

func rangesInventory(o Options, hosts []Host, login string) string {
	var b strings.Builder
	iniHead(&b, o, login)
	masters := where(hosts, func(h Host) bool { return h.Master })
	b.WriteString("[masters]\n" + rangeOf(masters) + "\n\n[etcd]\n")
	b.WriteString(rangeOf(members(hosts)) + "   # one line for all of etcd\n\n")
	if !o.NoNewEtcd {
		b.WriteString("[new_etcd]\n" + rangeOf(spares(hosts)) + "\n\n")
	}
	b.WriteString("[lb]\n\n[nodes]\n")
	if len(masters) > 0 {
		b.WriteString(rangeOf(masters) + " openshift_node_group_name=\"node-config-master\"\n")
	}
	if nodes := where(hosts, func(h Host) bool { return h.Node && !h.Master }); len(nodes) > 0 {
		b.WriteString(rangeOf(nodes) + " openshift_node_group_name='node-config-compute'\n")
	}
	return b.String()
}

// rangeOf writes hosts of one kind as name-[0:2].example.com; the caller has
// them in order and without a hole.
func rangeOf(hosts []Host) string {
	if len(hosts) == 0 {
		return ""
	}
	stem, from, domain := numbered(hosts[0].Name)
	_, to, _ := numbered(hosts[len(hosts)-1].Name)
	return fmt.Sprintf("%s-[%s:%s].%s", stem, from, to, domain)
}

// numbered splits a name such as master-0.example.com.
func numbered(name string) (stem, number, domain string) {
	label, domain, _ := strings.Cut(name, ".")
	i := strings.LastIndex(label, "-")
	return label[:i], label[i+1:], domain
}

func spares(hosts []Host) []Host { return where(hosts, func(h Host) bool { return h.Spare || h.Bare }) }

func yamlInventory(o Options, hosts []Host, keyFile string) string {
	var b strings.Builder
	b.WriteString("---\nall:\n  children:\n    OSEv3:\n      vars:\n        ansible_user: root\n")
	fmt.Fprintf(&b, "        ansible_ssh_private_key_file: %s\n", keyFile)
	b.WriteString("        openshift_deployment_type: openshift-enterprise\n      children:\n")
	group := func(name, comment string, in func(Host) bool, etcdIP bool) {
		some := where(hosts, in)
		if len(some) == 0 {
			fmt.Fprintf(&b, "        %s:%s\n          hosts: {}\n", name, comment)
			return
		}
		fmt.Fprintf(&b, "        %s:%s\n          hosts:\n", name, comment)
		for _, h := range some {
			fmt.Fprintf(&b, "            %s:\n              ansible_host: %s\n", h.Name, h.IP)
			if etcdIP {
				fmt.Fprintf(&b, "              etcd_ip: %s\n", h.IP)
			}
		}
	}
	group("masters", "", func(h Host) bool { return h.Master }, false)
	group("etcd", "   # the cluster's memory", func(h Host) bool { return h.Etcd }, true)
	if !o.NoNewEtcd {
		group("new_etcd", "", func(h Host) bool { return h.Spare || h.Bare }, true)
	}
	group("nodes", "", func(h Host) bool { return h.Node }, false)
	return b.String()
}
