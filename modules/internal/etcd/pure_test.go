package etcd

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/root"
)

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"https://192.0.2.11:2379":       "https://192.0.2.11:2379",
		"https://192.0.2.11:2379/":      "https://192.0.2.11:2379",
		" http://etcd-0.example.com:1 ": "http://etcd-0.example.com:1",
		"192.0.2.11:2379":               "https://192.0.2.11:2379",
		"https://[2001:db8::1]:2379":    "https://[2001:db8::1]:2379",
		"unix:///run/x/localhost:1":     "unix:///run/x/localhost:1",
		"https://192.0.2.11":            "",
		"https://:2379":                 "",
		"ftp://192.0.2.11:2379":         "",
		"https://a:b@192.0.2.11:2379":   "",
		"https://192.0.2.11:2379/v2":    "",
		"https://192.0.2.11:2379?x=1":   "",
		"":                              "",
		"https://192.0.2.11:port":       "",
		"https://192.0.2.11:99999":      "",
		"https://192.0.2.11:0":          "",
		"unix://!":                      "",
		"unix://run/x":                  "",
		"unix:///run/a%20b":             "unix:///run/a%20b",
		"unix:///run/x?a":               "",
		"unix:///":                      "",
	} {
		u, err := ParseEndpoint(text)
		if got := ""; err == nil {
			got = u.String()
			if got != want {
				t.Errorf("%q: got %q, want %q", text, got, want)
			}
		} else if want != "" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	f.Add("https://192.0.2.11:2379")
	f.Add("unix:///a")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseEndpoint(text)
		if err != nil {
			return
		}
		again, err := ParseEndpoint(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q became %q, which reads as %v, %v", text, u, again, err)
		}
	})
}

// countLeaves is the number that UserKeys returns.
func countLeaves(body io.Reader) (int64, error) {
	n := int64(0)
	err := walkNodes(body, func(string, V2Key) error { n++; return nil })
	return n, err
}

func TestWalkNodes(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		want int64
		fine bool
	}{
		"empty store":      {`{"action":"get","node":{"dir":true}}`, 0, true},
		"one key":          {`{"node":{"dir":true,"nodes":[{"key":"/a","value":"1"}]}}`, 1, true},
		"dir after nodes":  {`{"node":{"nodes":[{"key":"/d","nodes":[{"key":"/d/x","value":""}],"dir":true}],"dir":true}}`, 1, true},
		"empty directory":  {`{"node":{"dir":true,"nodes":[{"key":"/d","dir":true}]}}`, 0, true},
		"value like field": {`{"node":{"dir":true,"nodes":[{"key":"/a","value":"nodes"},{"key":"nodes","value":"{\"key\":1}"}]}}`, 2, true},
		"broken off":       {`{"node":{"dir":true,"nodes":[{"key":"/a","value":"1"}`, 0, false},
		"no object":        {`[]`, 0, false},
		"nothing":          {``, 0, false},
		"too deep":         {strings.Repeat(`{"node":`, 2000), 0, false},
	} {
		got, err := countLeaves(strings.NewReader(c.json))
		if (err == nil) != c.fine || c.fine && got != c.want {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}

func TestWalkNodesTellsKeysApart(t *testing.T) {
	read := func(text string) map[string]V2Key {
		keys := map[string]V2Key{}
		if err := walkNodes(strings.NewReader(text), func(name string, key V2Key) error { keys[name] = key; return nil }); err != nil {
			t.Fatal(err)
		}
		return keys
	}
	a := read(`{"node":{"dir":true,"nodes":[{"key":"/d","dir":true,"nodes":[{"key":"/d/a","value":"1","modifiedIndex":7,"createdIndex":3}]}]}}`)
	b := read(`{"node":{"dir":true,"nodes":[{"key":"/d","dir":true,"nodes":[{"key":"/d/a","value":"2","modifiedIndex":7,"createdIndex":3}]}]}}`)
	if len(a) != 1 || a["/d/a"].Modified != 7 || a["/d/a"].Sum == b["/d/a"].Sum {
		t.Errorf("%v, %v", a, b)
	}
}

func FuzzWalkNodes(f *testing.F) {
	f.Add(`{"node":{"dir":true,"nodes":[{"key":"/a","value":"1"}]}}`)
	f.Add(`{"node":{"nodes":[{"nodes":[]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := countLeaves(strings.NewReader(text)); err == nil && n > int64(strings.Count(text, "{")) {
			t.Errorf("%d keys in %q", n, text)
		}
	})
}

func TestClusterOfAnAnswer(t *testing.T) {
	for text, want := range map[string]facts.ID{"8E9E05C52164694D": 0x8e9e05c52164694d, "00ff": 0xff, "0": 0, "x": 0, "": 0, "18446744073709551616": 0} {
		if got := clusterOf(http.Header{"X-Etcd-Cluster-Id": {text}}); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestInitialClusterAndOrder(t *testing.T) {
	members := []facts.ClusterMember{
		{ID: 0x3, PeerURLs: []string{"https://c:2380"}},
		{ID: 0x2, Name: "b", PeerURLs: []string{"https://b1:2380", "https://b2:2380"}},
		{ID: 0x1, Name: "a", PeerURLs: []string{"https://a:2380"}},
	}
	SortMembers(members)
	if diff := cmp.Diff("a=https://a:2380,b=https://b1:2380,b=https://b2:2380,3=https://c:2380", InitialCluster(members)); diff != "" {
		t.Error(diff)
	}
}

const conf = `ETCD_NAME=b
ETCD_LISTEN_CLIENT_URLS=https://0.0.0.0:2379
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://192.0.2.12:2380
ETCD_INITIAL_CLUSTER=a=https://192.0.2.11:2380,b=https://192.0.2.12:2380
ETCD_TRUSTED_CA_FILE=/etc/etcd/ca.crt
ETCD_CERT_FILE=/etc/etcd/server.crt
ETCD_PEER_CERT_FILE=/etc/etcd/peer.crt
ETCD_PEER_KEY_FILE=/etc/etcd/peer.key
`

const masterConfig = `
etcdClientInfo:
  ca: master.etcd-ca.crt
  certFile: /elsewhere/client.crt
  urls: [https://master-0.example.com:2379]
`

func TestAccess(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root.Dir = dir
	defer func() { root.Dir = "" }()
	master := filepath.Join(dir, "etc/origin/master")
	if err := os.MkdirAll(master, 0o700); err != nil {
		t.Fatal(err)
	}
	etcdConf, none := write("etcd.conf", conf), ""
	advertised := write("advertised.conf", conf+"ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.12:2379\n")
	brokenConf := write("broken.conf", "ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.12\n")
	peer := clienttls.Files{CA: "/etc/etcd/ca.crt", Cert: "/etc/etcd/peer.crt", Key: "/etc/etcd/peer.key"}
	for name, c := range map[string]struct {
		access    Access
		conf      string // etcd.conf
		master    string // the text of the master's configuration
		endpoints []string
		tls       clienttls.Files
		fails     string
	}{
		"listened on all addresses": {Access{}, etcdConf, "", []string{"https://127.0.0.1:2379"}, peer, ""},
		"advertised wins":           {Access{}, advertised, "", []string{"https://192.0.2.12:2379"}, peer, ""},
		"arguments win":             {Access{Endpoints: []string{"https://h:1"}, ClientCert: "/c"}, etcdConf, "", []string{"https://h:1"}, clienttls.Files{CA: peer.CA, Cert: "/c", Key: peer.Key}, ""},
		"a master": {Access{}, none, masterConfig, []string{"https://master-0.example.com:2379"},
			clienttls.Files{CA: filepath.Join(master, "master.etcd-ca.crt"), Cert: "/elsewhere/client.crt", Key: filepath.Join(master, "master.etcd-client.key")}, ""},
		"neither file":      {Access{}, none, "", nil, clienttls.Files{}, "no endpoint is given"},
		"no such file":      {Access{}, "/nonexistent/etcd.conf", masterConfig, nil, clienttls.Files{}, "there is no /nonexistent/etcd.conf"},
		"broken YAML":       {Access{}, none, "a: [\nsecret", nil, clienttls.Files{}, "is not the YAML of"},
		"bad URL in a file": {Access{}, brokenConf, "", nil, clienttls.Files{}, "host or port is missing"},
	} {
		if c.master != "" {
			write("etc/origin/master/master-config.yaml", c.master)
		} else if err := os.RemoveAll(filepath.Join(master, "master-config.yaml")); err != nil {
			t.Fatal(err)
		}
		cfg, err := c.access.Config(c.conf)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(Config{Endpoints: c.endpoints, TLS: c.tls}, Config{Endpoints: cfg.Endpoints, TLS: cfg.TLS}); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	cfg, err := Access{}.Config(etcdConf)
	if diff := cmp.Diff([]string{"https://192.0.2.12:2380", "https://192.0.2.11:2380", "https://192.0.2.12:2380"}, cfg.PeerURLs); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
