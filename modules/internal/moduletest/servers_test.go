package moduletest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"etcd-quorum-restore/modules/internal/badetcd"
	"etcd-quorum-restore/modules/internal/etcdtest"
	"etcd-quorum-restore/modules/internal/membertest"
)

// badAnswers are what a server does with a connection: in plain text, or, where secured is set, after a good TLS handshake.
var badAnswers = map[string]func(c net.Conn){
	"silent": func(c net.Conn) { _, _ = bufio.NewReader(c).WriteTo(nothing{}) },
	"closes": func(net.Conn) {},
	"garbage": func(c net.Conn) {
		fmt.Fprint(c, "\x16\x03\x01\xff\xff\x00\x1b[2J\r\n", strings.Repeat("\xff", 1<<16))
	},
	"another protocol": func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-OpenSSH_7.4\r\n"); silent(c) },
	"drip":             drip,
	"endless":          func(c net.Conn) { flood(c, "HTTP/1.1 200 OK\r\n\r\n{\"health\":\"", "A") },
	"headers":          func(c net.Conn) { flood(c, "HTTP/1.1 200 OK\r\n", "X-A: b\r\n") },
	"one header":       func(c net.Conn) { flood(c, "HTTP/1.1 200 OK\r\nX-A: ", "b") },
	"many headers": func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n", strings.Repeat("X-A: b\r\n", 200), "Content-Length: 2\r\n\r\n{}")
	},
	"reset": func(c net.Conn) {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"health\":")
		reset(c)
	},
	"redirect": func(c net.Conn) { fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: http://%s/\r\n\r\n", c.LocalAddr()) },
}

func silent(c net.Conn) { _, _ = bufio.NewReader(c).WriteTo(nothing{}) }

// drip is an answer whose next byte always comes, but whose end never does.
func drip(c net.Conn) {
	_, err := fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")
	for tick := time.NewTicker(100 * time.Millisecond); err == nil; <-tick.C {
		_, err = fmt.Fprint(c, " ")
	}
}

// reset ends a connection by RST, as a crash does.
func reset(c net.Conn) {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	if plain, ok := c.(*net.TCPConn); ok {
		_ = plain.SetLinger(0) // Close follows
	}
	c.Close()
}

type nothing struct{}

func (nothing) Write(p []byte) (int, error) { return len(p), nil }

func flood(c net.Conn, head, each string) {
	_, err := fmt.Fprint(c, head)
	for piece := strings.Repeat(each, 1<<16); err == nil; {
		_, err = fmt.Fprint(c, piece)
	}
}

// server is one that listens, for one module and kind.
type server struct {
	url   string
	asked func() int64 // number of connections
}

func listen(t *testing.T, scheme string, answer func(net.Conn)) server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	var asked atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			go func() { defer c.Close(); answer(c) }()
		}
	}()
	return server{scheme + "://" + l.Addr().String(), asked.Load}
}

// authority issues the servers' certificates, and the modules' own.
type authority struct {
	*etcdtest.PKI
	dir, cert, key string // the modules' own
}

func newAuthority(t *testing.T) authority {
	a := authority{PKI: etcdtest.NewPKI(t), dir: t.TempDir()}
	a.cert, a.key = a.Issue(t, a.dir, "client", true, "127.0.0.1")
	return a
}

// secured answers after a TLS handshake with a good certificate, or with the configuration that change makes.
func (a authority) secured(t *testing.T, change func(*tls.Config), answer func(net.Conn)) server {
	cert, key := a.Issue(t, t.TempDir(), "server", true, "127.0.0.1")
	return listenTLS(t, cert, key, change, answer)
}

func listenTLS(t *testing.T, cert, key string, change func(*tls.Config), answer func(net.Conn)) server {
	pair, err := tls.LoadX509KeyPair(cert, key)
	must(t, err)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	change(config)
	return listen(t, "https", func(c net.Conn) {
		secured := tls.Server(c, config)
		if secured.Handshake() == nil {
			answer(secured)
		}
	})
}

// badServers makes a server of each kind.
func badServers(t *testing.T, a authority) map[string]func() server {
	same := func(*tls.Config) {}
	healthy := func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"health\":\"true\"}") }
	other := etcdtest.NewPKI(t)
	out := map[string]func() server{
		"plain text for TLS": func() server { return listen(t, "https", healthy) },
		"TLS 1.0": func() server {
			return a.secured(t, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }, healthy)
		},
		"another CA": func() server {
			cert, key := other.Issue(t, t.TempDir(), "server", true, "127.0.0.1")
			return listenTLS(t, cert, key, same, healthy)
		},
		"expired": func() server {
			cert, key := a.IssueUntil(t, t.TempDir(), "server", true, time.Now().Add(-time.Hour), "127.0.0.1")
			return listenTLS(t, cert, key, same, healthy)
		},
		"another name": func() server {
			cert, key := a.Issue(t, t.TempDir(), "server", true, "192.0.2.1")
			return listenTLS(t, cert, key, same, healthy)
		},
		"200000 members": func() server { return manyMembers(t) },
		"empty answers": func() server {
			return etcdThat(t, &badetcd.Server{
				OnStatus: func() (*pb.StatusResponse, error) { return &pb.StatusResponse{}, nil },
				OnMembers: func() (*pb.MemberListResponse, error) {
					return &pb.MemberListResponse{Members: []*pb.Member{{}, {}}}, nil
				},
				OnRange: func(*pb.RangeRequest) (*pb.RangeResponse, error) { return &pb.RangeResponse{}, nil },
			})
		},
	}
	for kind, answer := range badAnswers {
		out[kind] = func() server { return listen(t, "http", answer) }
		out[kind+" by TLS"] = func() server { return a.secured(t, same, answer) }
	}
	return out
}

// etcdThat speaks etcd's APIs.
func etcdThat(t *testing.T, s *badetcd.Server) server {
	s.Start(t, "127.0.0.1")
	return server{s.URL(), s.Asked}
}

func manyMembers(t *testing.T) server {
	const many = 200_000
	urls := func(i int) string { return fmt.Sprintf("http://127.0.0.1:%d", i%60000+1) }
	list := func(w http.ResponseWriter, before, after string) {
		_, err := fmt.Fprint(w, before)
		for i := 0; i < many && err == nil; i++ {
			_, err = fmt.Fprintf(w, `{"id":%[1]q,"name":"m%[1]s","peerURLs":[%[2]q],"clientURLs":[%[2]q]},`, fmt.Sprint(i+1), urls(i))
		}
		fmt.Fprint(w, `{}`, after)
	}
	return etcdThat(t, &badetcd.Server{
		OnMembers: func() (*pb.MemberListResponse, error) {
			out := &pb.MemberListResponse{Header: &pb.ResponseHeader{ClusterId: 1, MemberId: 1, Revision: 5, RaftTerm: 3}}
			for i := range many {
				out.Members = append(out.Members, &pb.Member{ID: uint64(i + 1), Name: fmt.Sprint("m", i), PeerURLs: []string{urls(i)}, ClientURLs: []string{urls(i)}})
			}
			return out, nil
		},
		OnPath: map[string]http.HandlerFunc{
			"/members":    func(w http.ResponseWriter, _ *http.Request) { list(w, "[", "]") },
			"/v2/members": func(w http.ResponseWriter, _ *http.Request) { list(w, `{"members":[`, "]}") },
		},
	})
}

// speechless are the other modules, and why no server can answer them.
var speechless = map[string]string{
	"etcd_ca":                "reads and writes files; of a server it takes that it answers, and reads nothing",
	"etcd_certificates":      "reads and writes files",
	"etcd_clients_left":      "reads and writes one file",
	"etcd_address":           "edits one file",
	"etcd_config":            "edits one file",
	"etcd_config_backup":     "copies files",
	"etcd_fence":             "asks nobody",
	"etcd_inventory":         "edits files of the control node",
	"etcd_log_info":          "reads log files and the journal",
	"etcd_quorum_plan":       "decides by its arguments",
	"etcd_report":            "writes files of the control node",
	"etcd_restore":           "asks only the etcd that it has started itself, when that listens",
	"etcd_run_lock":          "holds a file of the control node",
	"etcd_service":           "asks only this host's own etcd, while that runs",
	"flannel_etcd_endpoints": "edits one file",
	"openshift_etcd_urls":    "edits one file",
	"systemd_unit":           "speaks to systemd alone",
}

// place is a host whose files name a server.
type place struct{ url, conf, config, data, forced string }

// speaking are the modules that ask a server, with arguments that make them do so.
func (m *matrix) speaking(at place) map[string][]map[string]any {
	out := map[string][]map[string]any{}
	add := func(module string, pairs ...any) {
		args := m.valid(module)
		for option, value := range map[string]any{"etcd_conf": at.conf, "endpoints": at.url} {
			if m.types(module)[option] != "" {
				args[option] = value
			}
		}
		for i := 0; i < len(pairs); i += 2 {
			args[pairs[i].(string)] = pairs[i+1]
		}
		out[module] = append(out[module], with(args, "_ansible_check_mode", true))
	}
	add("etcd_cluster_info")
	add("etcd_cluster_info", "api", "v2")
	add("etcd_cluster_info", "compare", "values")
	add("etcd_backup", "method", "snapshot")
	add("etcd_backup", "method", "v2")
	add("etcd_data_dir", "data_dir", at.data)
	delete(out["etcd_data_dir"][0], "endpoints")
	add("etcd_data_dir", "data_dir", at.data)
	add("etcd_force_new_cluster", "data_dir", at.forced)
	add("etcd_host_info")
	add("etcd_member")
	add("etcd_member", "api", "v2")
	add("etcd_member", "state", "present", "name", "m1", "peer_urls", "https://192.0.2.7:2380")
	add("etcd_new_host", "state", "reachable", "urls", at.url)
	add("openshift_master_restart", "path", at.config)
	return out
}

// servers gives bad answers from the servers that the arguments and etcd.conf name. Such runs wait, so many of them run at the same time.
func (m *matrix) servers() {
	before := snapshot(m.t, m.root)
	data := membertest.AMember(membertest.Start()).Write(m.t)
	speaks := slices.Sorted(maps.Keys(m.speaking(place{})))
	for module := range m.binaries {
		if slices.Contains(speaks, module) == (speechless[module] != "") {
			m.t.Errorf("%s has no bad servers here, and no reason why it needs none; or both", module)
		}
	}
	var running sync.WaitGroup
	places := make(chan struct{}, 8)
	a := newAuthority(m.t)
	asked := map[string]func() int64{} // the connections of a module to all its servers
	kinds := badServers(m.t, a)
	for i, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, module := range speaks {
			if !turn(i, len(kinds), module) {
				continue
			}
			s := kinds[kind]()
			for n, args := range m.speaking(m.configured(a, s.url, data))[module] {
				running.Go(func() {
					places <- struct{}{}
					m.try(badServer, module, fmt.Sprintf("a server: %s, %d", kind, n), "", args)
					<-places
				})
			}
			before := asked[module]
			asked[module] = func() int64 {
				if before == nil {
					return s.asked()
				}
				return before() + s.asked()
			}
		}
	}
	running.Wait()
	for module, sum := range asked {
		if sum() == 0 {
			m.t.Errorf("%s has asked no server at all", module)
		}
	}
	m.unchanged(badServer, "etcd_member", "one of the modules", before)
}

// configured is a host with two files that name a server, and with a member whose log names it as another's.
func (m *matrix) configured(a authority, url, data string) place {
	dir := m.t.TempDir()
	forced := membertest.AMember(membertest.Start().Change(1, 2, 0, membertest.OtherID, url).Hard(1, membertest.SelfID, 2)).Write(m.t)
	conf, config := filepath.Join(dir, "etcd.conf"), filepath.Join(dir, "master-config.yaml")
	must(m.t, os.WriteFile(conf, fmt.Appendf(nil, "ETCD_NAME=m0\nETCD_LISTEN_CLIENT_URLS=https://127.0.0.1:1\nETCD_ADVERTISE_CLIENT_URLS=%[1]s\nETCD_LISTEN_PEER_URLS=https://127.0.0.1:1\n"+
		"ETCD_INITIAL_ADVERTISE_PEER_URLS=https://127.0.0.1:1\nETCD_INITIAL_CLUSTER=m0=https://127.0.0.1:1,m1=%[1]s\nETCD_TRUSTED_CA_FILE=%[2]s\nETCD_CERT_FILE=%[3]s\nETCD_KEY_FILE=%[4]s\n"+
		"ETCD_PEER_TRUSTED_CA_FILE=%[2]s\nETCD_PEER_CERT_FILE=%[3]s\nETCD_PEER_KEY_FILE=%[4]s\n", url, a.CA, a.cert, a.key), 0o600))
	_, address, _ := strings.Cut(url, "://")
	must(m.t, os.WriteFile(config, fmt.Appendf(nil, "etcdClientInfo:\n  ca: %s\n  certFile: %s\n  keyFile: %s\n  urls: [%q]\nservingInfo:\n  bindAddress: %s\n",
		a.CA, a.cert, a.key, url, address), 0o600))
	return place{url, conf, config, data, forced}
}
