package etcd

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
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

// countLeaves is what UserKeys counts.
func countLeaves(body io.Reader) (int64, error) {
	n := int64(0)
	err := walkNodes(body, func(string, V2Key) { n++ })
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
		if err := walkNodes(strings.NewReader(text), func(name string, key V2Key) { keys[name] = key }); err != nil {
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

func TestIDs(t *testing.T) {
	for text, want := range map[string]string{"8E9E05C52164694D": "8e9e05c52164694d", "00ff": "ff", "0": "", "x": "", "": "", "18446744073709551616": ""} {
		if got := canonicalID(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	for _, bad := range []string{"", "0", "x", "0x12", "-1", "11112222333344445"} {
		if id, err := ParseID(bad); err == nil {
			t.Errorf("%q was taken for the ID %x", bad, id)
		}
	}
}

func TestInitialClusterAndOrder(t *testing.T) {
	members := []facts.ClusterMember{
		{ID: "3", PeerURLs: []string{"https://c:2380"}},
		{ID: "2", Name: "b", PeerURLs: []string{"https://b1:2380", "https://b2:2380"}},
		{ID: "1", Name: "a", PeerURLs: []string{"https://a:2380"}},
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
	etcdConf, master, none := write("etcd.conf", conf), write("master-config.yaml", masterConfig), filepath.Join(dir, "none")
	advertised := write("advertised.conf", conf+"ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.12:2379\n")
	broken, brokenMaster := write("broken.yaml", "a: [\nsecret"), write("broken.conf", "ETCD_ADVERTISE_CLIENT_URLS=https://192.0.2.12\n")
	peer := TLSFiles{CA: "/etc/etcd/ca.crt", Cert: "/etc/etcd/peer.crt", Key: "/etc/etcd/peer.key"}
	for name, c := range map[string]struct {
		access    Access
		endpoints []string
		tls       TLSFiles
		fails     string
	}{
		"listened on all addresses": {Access{EtcdConf: etcdConf}, []string{"https://127.0.0.1:2379"}, peer, ""},
		"advertised wins":           {Access{EtcdConf: advertised}, []string{"https://192.0.2.12:2379"}, peer, ""},
		"arguments win":             {Access{EtcdConf: etcdConf, Endpoints: []string{"https://h:1"}, ClientCert: "/c"}, []string{"https://h:1"}, TLSFiles{CA: peer.CA, Cert: "/c", Key: peer.Key}, ""},
		"a master": {Access{EtcdConf: none, MasterConfig: master}, []string{"https://master-0.example.com:2379"},
			TLSFiles{CA: filepath.Join(dir, "master.etcd-ca.crt"), Cert: "/elsewhere/client.crt", Key: filepath.Join(dir, "master.etcd-client.key")}, ""},
		"neither file":      {Access{EtcdConf: none, MasterConfig: none}, nil, TLSFiles{}, "no endpoint is given"},
		"broken YAML":       {Access{EtcdConf: none, MasterConfig: broken}, nil, TLSFiles{}, "not valid YAML"},
		"bad URL in a file": {Access{EtcdConf: brokenMaster}, nil, TLSFiles{}, "host or port is missing"},
	} {
		cfg, err := c.access.Config()
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
	cfg, err := Access{EtcdConf: etcdConf}.Config()
	if diff := cmp.Diff([]string{"https://192.0.2.12:2380", "https://192.0.2.11:2380", "https://192.0.2.12:2380"}, cfg.PeerURLs); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
