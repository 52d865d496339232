package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// Options say what a lab consists of; they are kept with its state.
type Options struct {
	Etcd           int    // members of the cluster
	Spare          int    // hosts with certificates and an etcd that never ran, in no group
	Bare           int    // hosts with nothing but etcd's package, or a kubelet and etcd's image, in [new_etcd]
	Masters        string // same: etcd runs on the masters; separate: on hosts of its own
	MastersCount   int    // masters, where they are separate
	Nodes          int    // hosts that run flannel only
	MountData      bool   // /var/lib/etcd is a mount point
	EtcdDisabled   bool   // etcd is not enabled at boot
	InventoryStyle string // ini, ranges, yaml
	NoNewEtcd      bool   // the inventory has no [new_etcd], as most sites' have not
	NoWait         bool   // do not wait for a healthy cluster
	Runtime        string // systemd; static_pod: a kubelet runs etcd; mixed: on every second host a kubelet does
	ManifestLayout string // template or sorted: the two ways in which the installer leaves etcd.yaml
}

// Host is one test host.
type Host struct {
	Name   string // as the inventory and its certificate name it
	IP     string
	Etcd   bool // a member
	Pod    bool // a kubelet runs etcd, API and controllers as static pods
	Spare  bool // has certificates and etcd.conf, but is no member
	Bare   bool // has nothing but etcd's package, or a kubelet and etcd's image
	Master bool
	Node   bool
	CA     bool // holds the certificate authority's key
}

// Short is the name to type: the first label.
func (h Host) Short() string { return strings.SplitN(h.Name, ".", 2)[0] }

// MAC is fixed by the address, so that neighbours' ARP tables stay right when a
// host is made again.
func (h Host) MAC() string {
	b := netip.MustParseAddr(h.IP).As4()
	return fmt.Sprintf("02:4c:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}

// Check refuses options that describe no lab.
func (o Options) Check() error {
	switch {
	case o.Etcd < 1 || o.Etcd > 9:
		return fmt.Errorf("--etcd %d: 1 to 9 members", o.Etcd)
	case o.Masters != "same" && o.Masters != "separate":
		return fmt.Errorf("--masters %q: same or separate", o.Masters)
	case o.MastersCount < 0 || o.MastersCount > 9:
		return fmt.Errorf("--masters-count %d: 0 to 9", o.MastersCount)
	case o.Nodes < 0 || o.Nodes > 9:
		return fmt.Errorf("--nodes %d: 0 to 9", o.Nodes)
	case o.Spare < 0 || o.Spare > 9:
		return fmt.Errorf("--spare %d: 0 to 9", o.Spare)
	case o.Bare < 0 || o.Bare > 9:
		return fmt.Errorf("--bare %d: 0 to 9", o.Bare)
	case o.InventoryStyle != "ini" && o.InventoryStyle != "ranges" && o.InventoryStyle != "yaml":
		return fmt.Errorf("--inventory-style %q: ini, ranges or yaml", o.InventoryStyle)
	}
	return o.checkRuntime()
}

func (o Options) checkRuntime() error {
	switch {
	case o.Runtime != "systemd" && o.Runtime != "static_pod" && o.Runtime != "mixed":
		return fmt.Errorf("--runtime %q: systemd, static_pod or mixed", o.Runtime)
	case o.ManifestLayout != "template" && o.ManifestLayout != "sorted":
		return fmt.Errorf("--manifest-layout %q: template or sorted", o.ManifestLayout)
	case o.Pods() && o.Masters != "same":
		return fmt.Errorf("--runtime %s: etcd is a static pod on masters only, so --masters must be same", o.Runtime)
	case o.Pods() && (o.EtcdDisabled || o.Spare > 0):
		return fmt.Errorf("--runtime %s: --etcd-disabled and --spare are for etcd as a service", o.Runtime)
	}
	return nil
}

// Pods says whether any host has a kubelet.
func (o Options) Pods() bool { return o.Runtime != "systemd" }

// runsPods: in a mixed lab the first host has a kubelet, the second has not, and
// so on.
func (o Options) runsPods(number int) bool {
	return o.Runtime == "static_pod" || o.Runtime == "mixed" && number%2 == 0
}

// layout gives every host of a lab its name, address and roles. The network is
// 10.213.SLOT.0/24; .1 is the control node.
func layout(o Options, slot int) []Host {
	ip := func(n int) string { return fmt.Sprintf("10.213.%d.%d", slot, n) }
	var hosts []Host
	etcdName := "etcd"
	if o.Masters == "same" {
		etcdName = "master"
	}
	for i := range o.Etcd + o.Spare + o.Bare {
		member, bare := i < o.Etcd, i >= o.Etcd+o.Spare
		hosts = append(hosts, Host{
			Name: fmt.Sprintf("%s-%d.example.com", etcdName, i), IP: ip(11 + i),
			Etcd: member, Spare: !member && !bare, Bare: bare, CA: i == 0, Pod: o.runsPods(i),
			Master: member && o.Masters == "same", Node: member && o.Masters == "same",
		})
	}
	if o.Masters == "separate" {
		for i := range o.MastersCount {
			hosts = append(hosts, Host{
				Name: fmt.Sprintf("master-%d.example.com", i), IP: ip(41 + i), Master: true, Node: true,
			})
		}
	}
	for i := range o.Nodes {
		hosts = append(hosts, Host{Name: fmt.Sprintf("node-%d.example.com", i), IP: ip(61 + i), Node: true})
	}
	return hosts
}

// members are the hosts whose etcd is a member.
func members(hosts []Host) []Host { return where(hosts, func(h Host) bool { return h.Etcd }) }

func where(hosts []Host, ok func(Host) bool) []Host {
	var out []Host
	for _, h := range hosts {
		if ok(h) {
			out = append(out, h)
		}
	}
	return out
}

// pick finds hosts by full name, first label or address.
func pick(hosts []Host, names []string) ([]Host, error) {
	var out []Host
	for _, n := range names {
		found := where(hosts, func(h Host) bool { return n == h.Name || n == h.Short() || n == h.IP })
		if len(found) != 1 {
			return nil, fmt.Errorf("%q is no host of this lab; it has %s", n, strings.Join(shortNames(hosts), ", "))
		}
		out = append(out, found[0])
	}
	return out, nil
}

func shortNames(hosts []Host) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, h.Short())
	}
	return out
}
