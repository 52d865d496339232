package main

import (
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFilesFor(t *testing.T) {
	a, err := newAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Etcd: 2, Spare: 1, Bare: 1, Masters: "separate", MastersCount: 1, Nodes: 1}
	hosts := layout(o, 1)
	byName := func(name string, o Options) map[string]File {
		picked, err := pick(hosts, []string{name})
		if err != nil {
			t.Fatal(err)
		}
		files := map[string]File{}
		for _, f := range filesFor(picked[0], hosts, o, a, hostCerts{}, nil) {
			if _, twice := files[f.Path]; twice {
				t.Errorf("%s: %s twice", name, f.Path)
			}
			files[f.Path] = f
		}
		return files
	}
	const enabled = "/etc/systemd/system/multi-user.target.wants/etcd.service"
	tests := []struct {
		host         string
		o            Options
		has, has_not []string
	}{
		{"etcd-0", o, []string{"/etc/etcd/ca/ca.key", "/etc/etcd/peer.key", enabled}, []string{"/etc/sysconfig/flanneld"}},
		{"etcd-1", o, []string{"/etc/etcd/etcd.conf", enabled}, []string{"/etc/etcd/ca/ca.key"}},
		{"etcd-1", Options{EtcdDisabled: true}, []string{"/etc/systemd/system/etcd.service"}, []string{enabled}},
		{"etcd-2", o, []string{"/etc/etcd/etcd.conf"}, []string{enabled}},
		{"master-0", o, []string{"/etc/origin/master/master-config.yaml", "/etc/sysconfig/flanneld"}, []string{"/etc/etcd/etcd.conf"}},
		{"master-0", o, []string{"/etc/systemd/system/lab-master-api.service"}, []string{"/etc/origin/node/pods/etcd.yaml"}},
		{"node-0", o, []string{"/etc/sysconfig/flanneld", "/etc/origin/node/flannel.etcd-client.key"}, []string{"/etc/origin/master/master-config.yaml"}},
	}
	for _, tt := range tests {
		files := byName(tt.host, tt.o)
		for _, path := range tt.has {
			if _, ok := files[path]; !ok {
				t.Errorf("%s lacks %s", tt.host, path)
			}
		}
		for _, path := range tt.has_not {
			if _, ok := files[path]; ok {
				t.Errorf("%s has %s", tt.host, path)
			}
		}
		for path, f := range files {
			if strings.HasSuffix(path, ".key") && f.Mode != 0o600 {
				t.Errorf("%s: %s has mode %o: a key that others can read", tt.host, path, f.Mode)
			}
		}
	}
}

func TestRenderedFiles(t *testing.T) {
	hosts := layout(Options{Etcd: 3, Spare: 1, Masters: "same"}, 1)
	cluster := "ETCD_INITIAL_CLUSTER=master-0.example.com=https://10.213.1.11:2380,master-1.example.com=https://10.213.1.12:2380,master-2.example.com=https://10.213.1.13:2380"
	tests := []struct {
		file string
		host int
		want string
	}{
		{"etcd.conf.tmpl", 1, "ETCD_NAME=master-1.example.com\nETCD_LISTEN_PEER_URLS=https://10.213.1.12:2380\n"},
		{"etcd.conf.tmpl", 1, cluster + "\n"},
		{"etcd.conf.tmpl", 3, cluster + ",master-3.example.com=https://10.213.1.14:2380\n"},
		{"flanneld.tmpl", 0, "FLANNEL_ETCD_ENDPOINTS=https://master-0.example.com:2379,https://master-1.example.com:2379,https://master-2.example.com:2379\n"},
		{"flanneld.tmpl", 0, "--etcd-keyfile=/etc/etcd/peer.key"},
		{"master-config.yaml.tmpl", 0, "  urls:\n  - https://master-0.example.com:2379\n  - https://master-1.example.com:2379\n  - https://master-2.example.com:2379\netcdStorageConfig:"},
	}
	for _, tt := range tests {
		got := string(render(tt.file, hostData{Host: hosts[tt.host], Etcd: members(hosts)}))
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s of host %d has no %q:\n%s", tt.file, tt.host, tt.want, got)
		}
	}
}

// The lab issues the kind that allows less: its server.crt cannot be used as a
// client certificate.
func TestCertificatePurposes(t *testing.T) {
	a, err := newAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	r := certRequest{CommonName: "h", DNS: []string{"h"}, IPs: []string{"192.0.2.1"}, NotAfter: time.Now().Add(time.Hour)}
	certs, err := issueEtcd(a, r)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	for _, tt := range []struct {
		name string
		pair Pair
		use  x509.ExtKeyUsage
		ok   bool
	}{
		{"server serves", certs.Server, x509.ExtKeyUsageServerAuth, true},
		{"server is no client", certs.Server, x509.ExtKeyUsageClientAuth, false},
		{"peer serves", certs.Peer, x509.ExtKeyUsageServerAuth, true},
		{"peer is a client", certs.Peer, x509.ExtKeyUsageClientAuth, true},
	} {
		block, _ := pem.Decode(tt.pair.Cert)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{tt.use}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err := cert.VerifyHostname("192.0.2.1"); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLayerIsTheSameEachTime(t *testing.T) {
	images := func() ([]byte, error) {
		shell := []File{{Path: "/bin/busybox", Mode: 0o755, Content: []byte("b")}, {Path: "/bin/sh", Link: "busybox"}}
		return ociArchive([]ociImage{{"a:1", nil, shell}, {"b:1", []string{"/b"}, append(shell, File{Path: "/tmp", Mode: 0o1777, Dir: true})}})
	}
	first, err := images()
	if err != nil {
		t.Fatal(err)
	}
	second, err := images()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first, second) {
		t.Error("two archives of the same images differ: the image would be built at every call")
	}
}

func TestLimitTLS(t *testing.T) {
	got, err := limitTLS([]byte("a\nMinVersion: tls.VersionTLS12,\nb"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("a\nMinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,\nb", string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := limitTLS([]byte("another etcd")); err == nil {
		t.Error("a source without the line was taken")
	}
}
