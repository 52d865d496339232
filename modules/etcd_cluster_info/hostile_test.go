package main

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"

	"etcd-quorum-restore/modules/internal/badetcd"
	"etcd-quorum-restore/modules/internal/moduletest"
)

func askBad(t *testing.T, s *badetcd.Server, more map[string]any, env ...string) moduletest.Answer {
	t.Helper()
	args := map[string]any{"endpoints": s.URL(), "etcd_conf": moduletest.EmptyConf(t), "timeout": 5}
	for k, v := range more {
		args[k] = v
	}
	return moduletest.Run(t, args, env...)
}

// A login shell's proxy must not see etcd's traffic, nor make a healthy cluster look lost. Go's proxy rules do not exempt the address.
func TestHostileProxy(t *testing.T) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	seen := make(chan string, 100)
	go func() {
		for {
			c, err := proxy.Accept()
			if err != nil {
				return
			}
			seen <- c.RemoteAddr().String()
			c.Close()
		}
	}()
	server := &badetcd.Server{}
	server.Start(t, "0.0.0.0")
	url := "http://" + proxy.Addr().String()
	for _, api := range []string{"v2", "v3"} {
		env := []string{"HTTPS_PROXY=" + url, "HTTP_PROXY=" + url, "https_proxy=" + url, "http_proxy=" + url, "ALL_PROXY=" + url, "NO_PROXY=", "no_proxy="}
		wants(t, askBad(t, server, map[string]any{"api": api}, env...).OK(t, false), map[string]any{"quorum": true})
	}
	if len(seen) > 0 {
		t.Errorf("%d connections went to the proxy", len(seen))
	}
}

// An answer that is too large is refused within the timeout and in little memory.
func TestHostileFloods(t *testing.T) {
	many := func() (*pb.MemberListResponse, error) {
		out := &pb.MemberListResponse{}
		for i := range 200000 {
			url := []string{fmt.Sprintf("http://127.0.0.1:%d", i%60000+1)}
			out.Members = append(out.Members, &pb.Member{ID: uint64(i + 1), Name: fmt.Sprint("m", i), PeerURLs: url, ClientURLs: url})
		}
		return out, nil
	}
	flood := func(head, each string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, head)
			piece := strings.Repeat(each, 1+(1<<20)/len(each))
			for {
				if _, err := fmt.Fprint(w, piece); err != nil {
					return
				}
			}
		}
	}
	store := func(h http.HandlerFunc) *badetcd.Server {
		return &badetcd.Server{OnPath: map[string]http.HandlerFunc{"/v2/keys/": h}}
	}
	big := func(asked *pb.RangeRequest) (*pb.RangeResponse, error) {
		r := &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: 5}, More: true}
		if asked.Limit == 0 { // not a page of keys
			return r, nil
		}
		r.Kvs = kvs(strings.Repeat("k", 40<<20))
		return r, nil
	}
	same := func(r *pb.RangeRequest) (*pb.RangeResponse, error) {
		return &pb.RangeResponse{Header: &pb.ResponseHeader{Revision: 5}, More: true, Kvs: kvs("a")}, nil
	}
	v2 := map[string]any{"api": "v2"}
	values := map[string]any{"compare": "values"}
	for name, c := range map[string]struct {
		server *badetcd.Server
		args   map[string]any
		says   string
	}{
		"members":                {&badetcd.Server{OnMembers: many}, nil, "members"},
		"members of v2":          {&badetcd.Server{OnPath: map[string]http.HandlerFunc{"/v2/members": flood(`{"members":[`, `{"id":"1","name":"x","peerURLs":["http://127.0.0.1:1"]},`)}}, v2, "more than"},
		"a value of v2":          {store(flood(`{"node":{"key":"/a","value":"`, "A")), values, "more than"},
		"an unknown field of v2": {store(flood(`{"action":"get","junk":"`, "A")), values, "more than"},
		"keys of v2":             {store(flood(`{"node":{"dir":true,"nodes":[`, `{"key":"/`+strings.Repeat("n", 64<<10)+`"},`)), values, "more than"},
		"a key":                  {&badetcd.Server{OnRange: big}, values, "more than"},
		"the same key":           {&badetcd.Server{OnRange: same}, values, "order"},
		"a header":               {&badetcd.Server{OnPath: map[string]http.HandlerFunc{"/version": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("y", 1<<20)) }}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.Start(t, "127.0.0.1")
			args := map[string]any{"timeout": 60} // too much is refused, however long a busy machine takes to send it
			maps.Copy(args, c.args)
			answer := askBad(t, c.server, args).Bounded(t, 90*time.Second)
			if !strings.Contains(answer.Stdout, c.says) {
				t.Errorf("it does not say %q: %.2000s", c.says, answer.Stdout)
			}
		})
	}
}

func kvs(key string) []*mvccpb.KeyValue { return []*mvccpb.KeyValue{{Key: []byte(key)}} }

// Answers that lack what etcd always sends are failures of that server: the module prints one JSON object, also where a goroutine panics.
func TestHostileEmptyAnswers(t *testing.T) {
	server := &badetcd.Server{
		OnStatus: func() (*pb.StatusResponse, error) { return &pb.StatusResponse{}, nil },
		OnMembers: func() (*pb.MemberListResponse, error) {
			return &pb.MemberListResponse{Members: []*pb.Member{{}, {}}}, nil
		},
		OnRange: func(*pb.RangeRequest) (*pb.RangeResponse, error) { return &pb.RangeResponse{}, nil },
	}
	server.Start(t, "127.0.0.1")
	answer := askBad(t, server, nil).OK(t, false)
	wants(t, answer, map[string]any{"quorum": false})
	says(t, answer, "no header")
}
