package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLayout(t *testing.T) {
	tests := []struct {
		name string
		o    Options
		want []string // short name, address, roles
	}{
		{"etcd on the masters", Options{Etcd: 2, Masters: "same"}, []string{
			"master-0 10.213.7.11 etcd,master,node,ca", "master-1 10.213.7.12 etcd,master,node",
		}},
		{"a mixture", Options{Etcd: 2, Masters: "same", Runtime: "mixed"}, []string{
			"master-0 10.213.7.11 etcd,master,node,ca,pod", "master-1 10.213.7.12 etcd,master,node",
		}},
		{"machines with a kubelet alone", Options{Etcd: 1, Bare: 1, Masters: "same", Runtime: "static_pod"}, []string{
			"master-0 10.213.7.11 etcd,master,node,ca,pod", "master-1 10.213.7.12 bare,pod",
		}},
		{"etcd apart", Options{Etcd: 1, Spare: 1, Masters: "separate", MastersCount: 1, Nodes: 1}, []string{
			"etcd-0 10.213.7.11 etcd,ca", "etcd-1 10.213.7.12 spare",
			"master-0 10.213.7.41 master,node", "node-0 10.213.7.61 node",
		}},
		{"machines with the package alone", Options{Etcd: 1, Spare: 1, Bare: 1, Masters: "separate"}, []string{
			"etcd-0 10.213.7.11 etcd,ca", "etcd-1 10.213.7.12 spare", "etcd-2 10.213.7.13 bare",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, h := range layout(tt.o, 7) {
				got = append(got, h.Short()+" "+h.IP+" "+roles(h))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func roles(h Host) string {
	var r []string
	for _, x := range []struct {
		has  bool
		name string
	}{{h.Etcd, "etcd"}, {h.Spare, "spare"}, {h.Bare, "bare"}, {h.Master, "master"}, {h.Node, "node"}, {h.CA, "ca"}, {h.Pod, "pod"}} {
		if x.has {
			r = append(r, x.name)
		}
	}
	return strings.Join(r, ",")
}

func TestOptionsCheck(t *testing.T) {
	good := Options{Etcd: 3, Masters: "same", InventoryStyle: "ini", Runtime: "systemd", ManifestLayout: "sorted"}
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"good", func(*Options) {}, ""},
		{"no member", func(o *Options) { o.Etcd = 0 }, "--etcd"},
		{"masters", func(o *Options) { o.Masters = "none" }, "--masters"},
		{"inventory", func(o *Options) { o.InventoryStyle = "json" }, "--inventory-style"},
		{"nodes", func(o *Options) { o.Nodes = -1 }, "--nodes"},
		{"spare", func(o *Options) { o.Spare = 99 }, "--spare"},
		{"bare", func(o *Options) { o.Bare = -1 }, "--bare"},
		{"runtime", func(o *Options) { o.Runtime = "docker" }, "--runtime"},
		{"layout", func(o *Options) { o.ManifestLayout = "json" }, "--manifest-layout"},
		{"pods beside masters", func(o *Options) { o.Runtime, o.Masters = "mixed", "separate" }, "--masters"},
		{"a spare pod", func(o *Options) { o.Runtime, o.Spare = "static_pod", 1 }, "--spare"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := good
			tt.change(&o)
			err := o.Check()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check() = %v, want %q", err, tt.want)
			}
		})
	}
}

func TestPick(t *testing.T) {
	hosts := layout(Options{Etcd: 2, Masters: "same"}, 1)
	got, err := pick(hosts, []string{"master-1", "master-0.example.com", "10.213.1.12"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"master-1", "master-0", "master-1"}, shortNames(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := pick(hosts, []string{"master-9"}); err == nil || !strings.Contains(err.Error(), "master-0, master-1") {
		t.Errorf("a stranger: %v, want an error that lists the hosts", err)
	}
}

func TestMACFollowsAddress(t *testing.T) {
	seen := map[string]string{}
	for slot := 1; slot <= slots; slot += 83 {
		for _, h := range layout(Options{Etcd: 9, Masters: "separate", MastersCount: 9, Nodes: 9}, slot) {
			if other := seen[h.MAC()]; other != "" {
				t.Fatalf("%s and %s share %s", h.IP, other, h.MAC())
			}
			seen[h.MAC()] = h.IP
		}
	}
	if len(seen) == 0 {
		t.Fatal("no host was looked at")
	}
}

func TestInventories(t *testing.T) {
	o := Options{Etcd: 3, Spare: 1, Masters: "same"}
	hosts := layout(o, 1)
	tests := []struct {
		style string
		want  []string
	}{
		{"ini", []string{
			"[etcd]\nmaster-0.example.com ansible_host=10.213.1.11 etcd_ip=10.213.1.11",
			"# replaced in March\nmaster-2.example.com",
			"[new_etcd]\nmaster-3.example.com ansible_host=10.213.1.14",
			"ansible_ssh_private_key_file=/key",
		}},
		{"ranges", []string{
			"[etcd]\nmaster-[0:2].example.com ", "[new_etcd]\nmaster-[3:3].example.com\n", "[masters]\nmaster-[0:2].example.com\n",
		}},
		{"yaml", []string{
			"        new_etcd:\n          hosts:\n            master-3.example.com:\n",
			"              etcd_ip: 10.213.1.13\n",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.style, func(t *testing.T) {
			o.InventoryStyle = tt.style
			files := inventoryFiles(o, hosts, "/key")
			for _, want := range tt.want {
				if !strings.Contains(files["hosts"], want) {
					t.Errorf("no %q in\n%s", want, files["hosts"])
				}
			}
			if !strings.Contains(files["group_vars/all.yml"], "UserKnownHostsFile=/dev/null") {
				t.Error("known_hosts would be used")
			}
			vars := files["host_vars/master-1.example.com.yml"]
			if tt.style == "ranges" && !strings.Contains(vars, "ansible_host: 10.213.1.12\n") {
				t.Errorf("a range has no address: host_vars %q", vars)
			}
		})
	}
}

func TestInventoryWithoutNewEtcd(t *testing.T) {
	for _, style := range []string{"ini", "ranges", "yaml"} {
		o := Options{Etcd: 3, Masters: "same", NoNewEtcd: true, InventoryStyle: style}
		if text := inventoryFiles(o, layout(o, 1), "/key")["hosts"]; strings.Contains(text, "new_etcd") {
			t.Errorf("%s has new_etcd:\n%s", style, text)
		}
	}
}
