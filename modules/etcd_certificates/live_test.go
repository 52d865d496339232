package main

import (
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/root"
)

// TestALiveCluster renews the certificates of three members of etcd 3.2.32 one by one. Each shows the new ones before it is restarted, works with
// the others, whose certificates are old, and takes writes.
func TestALiveCluster(t *testing.T) {
	c := etcdtest.Start(t, 3)
	ca := c.PKI.Directory(t)
	if err := os.MkdirAll(filepath.Join(root.Dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, m := range c.Members {
		names := []string{m.Name, m.IP, "127.0.0.1"}
		wanted := moduletest.Run(t, map[string]any{"state": "requested", "etcd_conf": m.Conf, "names": names}).OK(t, true)
		signed := moduletest.Run(t, map[string]any{"state": "issued", "names": names, "requests": wanted.JSON["requests"], "ca_dir": ca}).OK(t, true)
		moduletest.Run(t, map[string]any{"state": "installed", "etcd_conf": m.Conf, "certificates": signed.JSON["certificates"]}).OK(t, true)
		for j, url := range []string{m.ClientURL, m.PeerURL} {
			if got, want := serialAt(t, m, url), big.NewInt(int64(2*i+j+1)); got.Cmp(want) != 0 {
				t.Errorf("%s shows certificate %s, not %s", url, got, want)
			}
		}
		m.Stop(t)
		m.Start(t)
		m.WaitHealthy(t)
		m.Must(t, 3, "put", "through", m.Name)
		moduletest.Run(t, map[string]any{"state": "requested", "etcd_conf": m.Conf, "names": names}).OK(t, false)
	}
	for _, m := range c.Members {
		m.WaitHealthy(t)
		if got := m.Must(t, 3, "get", "through", "--print-value-only"); got != c.Members[2].Name {
			t.Errorf("%s has %q", m.Name, got)
		}
	}
	if out := c.Members[0].Must(t, 2, "cluster-health"); !strings.Contains(out, "cluster is healthy") {
		t.Error(out)
	}
}

func serialAt(t *testing.T, m *etcdtest.Member, url string) *big.Int {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(m.Cert, m.Key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(m.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber
}
