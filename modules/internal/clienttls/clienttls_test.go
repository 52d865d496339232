package clienttls_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/fault"
)

// serve asks for a client's certificate as etcd does, and shows one for ip; it listens on 127.0.0.1.
func serve(t *testing.T, pki *etcdtest.PKI, ip string) (address string) {
	cert, key := pki.Issue(t, t.TempDir(), "server", false, ip)
	pair, err := tls.LoadX509KeyPair(cert, key)
	check(t, err)
	ca, err := os.ReadFile(pki.CA)
	check(t, err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// speak makes one request: a refused client certificate shows only in the answer.
func speak(address string, config *tls.Config) error {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	r, err := client.Get("https://" + address)
	if err == nil {
		r.Body.Close()
	}
	return err
}

func TestHandshakes(t *testing.T) {
	pki, other := etcdtest.NewPKI(t), etcdtest.NewPKI(t)
	cert, key := pki.Issue(t, t.TempDir(), "client", true)
	foreignCert, foreignKey := other.Issue(t, t.TempDir(), "client", true)
	good := clienttls.Files{CA: pki.CA, Cert: cert, Key: key}
	wrongCA := clienttls.Files{CA: other.CA, Cert: cert, Key: key}
	stranger := clienttls.Files{CA: pki.CA, Cert: foreignCert, Key: foreignKey}
	here, elsewhere := serve(t, pki, "127.0.0.1"), serve(t, pki, "192.0.2.1")
	for name, c := range map[string]struct {
		files   clienttls.Files
		config  func(clienttls.Files) (*tls.Config, error)
		address string
		refused func(error) bool // nil: the connection is accepted
	}{
		"good":                         {good, clienttls.Files.Config, here, nil},
		"a CA that did not sign":       {wrongCA, clienttls.Files.Config, here, is[x509.UnknownAuthorityError]},
		"another host's certificate":   {good, clienttls.Files.Config, elsewhere, is[x509.HostnameError]},
		"a stranger":                   {stranger, clienttls.Files.Config, here, is[*net.OpError]},
		"this host's own":              {good, clienttls.Files.LocalConfig, elsewhere, nil},
		"its own, another CA":          {wrongCA, clienttls.Files.LocalConfig, elsewhere, is[x509.UnknownAuthorityError]},
		"its own, without certificate": {clienttls.Files{CA: pki.CA}, clienttls.Files.LocalConfig, elsewhere, is[*net.OpError]},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := c.config(c.files)
			check(t, err)
			if err := speak(c.address, config); (err != nil) != (c.refused != nil) || err != nil && !c.refused(err) {
				t.Errorf("%#v", err)
			}
		})
	}
}

func is[E error](err error) bool {
	var wanted E
	return errors.As(err, &wanted)
}

// A bad file is named by its path, and its content is never shown.
func TestBadFiles(t *testing.T) {
	pki := etcdtest.NewPKI(t)
	dir := t.TempDir()
	cert, key := pki.Issue(t, dir, "client", true)
	_, otherKey := pki.Issue(t, dir, "other", true)
	missing := filepath.Join(dir, "missing.pem")
	for name, c := range map[string]struct {
		files clienttls.Files
		says  []string
	}{
		"key of another":       {clienttls.Files{CA: pki.CA, Cert: cert, Key: otherKey}, []string{cert, otherKey, "does not match"}},
		"CA is missing":        {clienttls.Files{CA: missing, Cert: cert, Key: key}, []string{missing}},
		"CA is a directory":    {clienttls.Files{CA: dir, Cert: cert, Key: key}, []string{dir}},
		"CA is a key":          {clienttls.Files{CA: key, Cert: cert, Key: key}, []string{key, "holds no PEM certificate"}},
		"certificate missing":  {clienttls.Files{CA: pki.CA, Cert: missing, Key: key}, []string{missing}},
		"key missing":          {clienttls.Files{CA: pki.CA, Cert: cert, Key: missing}, []string{missing}},
		"key is a certificate": {clienttls.Files{CA: pki.CA, Cert: cert, Key: cert}, []string{cert}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, config := range []func(clienttls.Files) (*tls.Config, error){clienttls.Files.Config, clienttls.Files.LocalConfig} {
				_, err := config(c.files)
				if err == nil || fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "PRIVATE") {
					t.Fatal(err)
				}
				for _, text := range c.says {
					if !strings.Contains(err.Error(), text) {
						t.Errorf("%v does not say %s", err, text)
					}
				}
			}
		})
	}
}

func TestFilesThatAreNotGiven(t *testing.T) {
	for says, files := range map[string]clienttls.Files{
		"needs a CA file":                     {},
		"no client key file is given":         {CA: "a", Cert: "b"},
		"no client certificate file is given": {CA: "a", Key: "c"},
		"no CA file is given":                 {Cert: "b", Key: "c"},
	} {
		if _, err := files.Config(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", files, err)
		}
	}
	if config, err := (clienttls.Files{}).LocalConfig(); err != nil || config.InsecureSkipVerify {
		t.Errorf("%+v, %v", config, err)
	}
}
