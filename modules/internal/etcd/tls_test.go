package etcd_test

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/fault"
)

// Each connection failure that an operator meets has a kind and a message of its own.
func TestConnectionFailures(t *testing.T) {
	cluster := etcdtest.Start(t, 1)
	m := cluster.Members[0]
	other := etcdtest.NewPKI(t)
	dir := t.TempDir()
	expiredCert, expiredKey := cluster.PKI.IssueUntil(t, dir, "expired", true, time.Now().Add(-time.Hour), m.IP)
	strangerCert, strangerKey := other.Issue(t, dir, "stranger", true, m.IP)
	hang := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer hang.Close()

	for name, c := range map[string]struct {
		endpoint string
		tls      clienttls.Files
		kind     fault.Kind
		says     string
	}{
		"refused":            {"https://" + m.IP + ":1", files(m), fault.Unreachable, "connection refused"},
		"hangs":              {"https://" + hang.Addr().String(), files(m), fault.Timeout, "answers nothing"},
		"other CA":           {m.ClientURL, clienttls.Files{CA: other.CA, Cert: m.Cert, Key: m.Key}, fault.Invalid, "not signed by the CA"},
		"other name":         {"https://localhost:2379", files(m), fault.Unreachable, "refused"},
		"stranger":           {m.ClientURL, clienttls.Files{CA: m.CA, Cert: strangerCert, Key: strangerKey}, fault.Invalid, "refuses the client certificate"},
		"expired":            {m.ClientURL, clienttls.Files{CA: m.CA, Cert: expiredCert, Key: expiredKey}, fault.Invalid, "refuses the client certificate"},
		"server certificate": {m.ClientURL, clienttls.Files{CA: m.CA, Cert: filepath.Join(m.Dir, "server.crt"), Key: filepath.Join(m.Dir, "server.key")}, fault.Invalid, "clientAuth"},
		"no files":           {m.ClientURL, clienttls.Files{}, fault.Invalid, "needs a CA file"},
		"key missing":        {m.ClientURL, clienttls.Files{CA: m.CA, Cert: m.Cert}, fault.Invalid, "client key"},
		"no such CA":         {m.ClientURL, clienttls.Files{CA: "/nonexistent", Cert: m.Cert, Key: m.Key}, fault.Invalid, "/nonexistent"},
		"CA is a key":        {m.ClientURL, clienttls.Files{CA: m.Key, Cert: m.Cert, Key: m.Key}, fault.Invalid, "holds no PEM certificate"},
		"plain http":         {"http://" + m.IP + ":2379", clienttls.Files{}, fault.Invalid, "https://"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := etcd.DialOne(t.Context(), c.endpoint, etcd.Config{TLS: c.tls, Connect: time.Second})
			wantKind(t, err, c.kind)
			if text := err.Error() + " " + fault.HintOf(err); !strings.Contains(text, c.says) {
				t.Errorf("%q does not say %q", text, c.says)
			}
			if strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("a key is in the message: %v", err)
			}
		})
	}
}

// A server with a TLS that is too old is no etcd, and its refusal is not about our certificate.
func TestHostileOldTLS(t *testing.T) {
	pki := etcdtest.NewPKI(t)
	cert, key := pki.Issue(t, t.TempDir(), "client", true, "127.0.0.1")
	pair := must[tls.Certificate](t)(tls.LoadX509KeyPair(cert, key))
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		l := must[net.Listener](t)(tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: version, MaxVersion: version}))
		defer l.Close()
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				_ = c.(*tls.Conn).Handshake()
				c.Close()
			}
		}()
		_, err := etcd.DialOne(t.Context(), "https://"+l.Addr().String(), etcd.Config{TLS: clienttls.Files{CA: pki.CA, Cert: cert, Key: key}, Connect: time.Second})
		wantKind(t, err, fault.Unsupported)
		if !strings.Contains(err.Error(), "speaks no TLS 1.2") || strings.Contains(err.Error(), "refuses") {
			t.Error(err)
		}
	}
}

func files(m *etcdtest.Member) clienttls.Files {
	return clienttls.Files{CA: m.CA, Cert: m.Cert, Key: m.Key}
}

// A certificate issued for another address must never pass.
func TestWrongNameIsRefused(t *testing.T) {
	cluster := etcdtest.New(t, 1)
	m := cluster.Members[0]
	cluster.PKI.Issue(t, m.Dir, "server", false, "127.0.0.1") // replaces the correct one
	m.Start(t)
	m.Await(t, "listening", func() bool {
		conn, err := net.Dial("tcp", m.IP+":2379")
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	_, err := etcd.DialOne(t.Context(), m.ClientURL, etcd.Config{TLS: files(m)})
	wantKind(t, err, fault.Invalid)
	if !strings.Contains(err.Error(), "issued for other names") {
		t.Error(err)
	}
}

// Since June 2018 the installer issues the server's certificate for clients too.
func TestServerCertificateOfBothUsages(t *testing.T) {
	cluster := etcdtest.New(t, 1)
	m := cluster.Members[0]
	cert, key := cluster.PKI.Issue(t, m.Dir, "server", true, m.IP)
	m.Start(t)
	m.WaitHealthy(t)
	client, err := etcd.DialOne(t.Context(), m.ClientURL, etcd.Config{TLS: clienttls.Files{CA: m.CA, Cert: cert, Key: key}})
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
}
