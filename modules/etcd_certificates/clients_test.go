package main

import (
	"crypto/x509"
	"encoding/base64"
	"os"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/opensslca"
)

// A new CA's certificates for the clients on a host: the API's are renewed once, for clients alone, and flannel's, which are etcd's own files, stay.
func TestClientsOfANewCA(t *testing.T) {
	s := newSite(t, 900, 1000)
	s.Write("etc/origin/master/master-config.yaml", "etcdClientInfo: {ca: master.etcd-ca.crt}\n")
	s.Write("etc/sysconfig/flanneld", "FLANNEL_OPTIONS=\"--etcd-cafile="+s.path("ca.crt")+" --etcd-certfile="+s.path("peer.crt")+" --etcd-keyfile="+s.path("peer.key")+"\"\n")
	for from, to := range map[string]string{"server.crt": "client.crt", "server.key": "client.key"} {
		s.Write("etc/origin/master/master.etcd-"+to, s.Read("etc/etcd/"+from))
	}
	fresh, key, err := opensslca.New(time.Now(), 2000)
	s.must(err)
	bundle := string(opensslca.Encode(fresh)) + s.Read("etc/etcd/ca.crt")
	for _, file := range []string{"etc/etcd/ca/ca.crt", "etc/etcd/ca.crt", "etc/origin/master/master.etcd-ca.crt"} {
		s.Write(file, bundle)
	}
	s.Write("etc/etcd/ca/ca.key", string(key))
	clients := []any{"clients", true, "issuer", base64.StdEncoding.EncodeToString(fresh.Raw), "master_config", s.Root + "/etc/origin/master/master-config.yaml",
		"flannel_file", s.Root + "/etc/sysconfig/flanneld"}
	before := s.Read("etc/etcd/peer.crt")
	if got := s.run("info", clients...).OK(t, false).JSON["present"].([]any); len(got) != 1 || got[0].(map[string]any)["due"] != true {
		t.Fatal(got)
	}
	wanted := s.run("requested", clients...).OK(t, true)
	signed := s.run("issued", "requests", wanted.JSON["requests"]).OK(t, true)
	s.run("installed", append(clients, "certificates", signed.JSON["certificates"])...).OK(t, true)
	c, err := opensslca.FirstCertificate([]byte(s.Read("etc/origin/master/master.etcd-client.crt")))
	s.must(err)
	if c.CheckSignatureFrom(fresh) != nil || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("%s, %v", c.Issuer, c.ExtKeyUsage)
	}
	info, err := os.Stat(s.Root + "/etc/origin/master/master.etcd-client.key")
	s.must(err)
	if info.Mode().Perm() != 0o600 || s.Read("etc/etcd/peer.crt") != before {
		t.Error(info.Mode())
	}
	if again := s.run("requested", clients...).OK(t, false); len(again.JSON["requests"].([]any)) > 0 {
		t.Error(again.Stdout)
	}
	if etcd := s.run("info", "issuer", clients[3]).OK(t, false).JSON["present"].([]any); etcd[0].(map[string]any)["due"] != true || etcd[1].(map[string]any)["due"] != true {
		t.Error(etcd)
	}
	s.run("info", "issuer", "AAAA").Failed(t, "invalid")
}
