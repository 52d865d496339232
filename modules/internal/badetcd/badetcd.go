// Package badetcd is a server for tests that speaks etcd's APIs and can be told to answer what no etcd should. It speaks v3 (gRPC), v2 and the
// peer port's API on one plain HTTP port, as etcd's own client port does.
package badetcd

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// Server holds the answers. Where a field is nil, it answers as a healthy single member does.
type Server struct {
	pb.UnimplementedKVServer
	pb.UnimplementedClusterServer
	pb.UnimplementedMaintenanceServer

	OnStatus  func() (*pb.StatusResponse, error)
	OnMembers func() (*pb.MemberListResponse, error)
	OnRange   func(*pb.RangeRequest) (*pb.RangeResponse, error)
	OnPath    map[string]http.HandlerFunc // HTTP, by path

	Addr string // host:port; set by Start

	asked atomic.Int64
}

const id = 0x8e9e05c52164694d // of the member and of the cluster

// Start serves on a free port of the given address until the test ends.
func (s *Server) Start(t testing.TB, address string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	if strings.HasPrefix(s.Addr, "[::]") { // Go listens on both families
		s.Addr = "0.0.0.0" + strings.TrimPrefix(s.Addr, "[::]")
	}
	rpc := grpc.NewServer(grpc.MaxSendMsgSize(1 << 30))
	pb.RegisterKVServer(rpc, s)
	pb.RegisterClusterServer(rpc, s)
	pb.RegisterMaintenanceServer(rpc, s)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			rpc.ServeHTTP(w, r)
			return
		}
		s.web(w, r)
	})}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	server.ConnState = func(_ net.Conn, to http.ConnState) {
		if to == http.StateNew {
			s.asked.Add(1)
		}
	}
	go server.Serve(l) // ends with Close
	t.Cleanup(func() {
		rpc.Stop()
		server.Close()
	})
}

// Asked is the number of connections so far.
func (s *Server) Asked() int64 { return s.asked.Load() }

// URL is the server's client URL, and its peer URL.
func (s *Server) URL() string { return "http://" + s.Addr }

func (s *Server) web(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Etcd-Cluster-Id", "8e9e05c52164694d")
	w.Header().Set("X-Etcd-Index", "7")
	if answer := s.OnPath[r.URL.Path]; answer != nil {
		answer(w, r)
		return
	}
	one := map[string]any{"id": "8e9e05c52164694d", "name": "m0", "peerURLs": []string{s.URL()}, "clientURLs": []string{s.URL()}}
	answers := map[string]any{
		"/version":       map[string]string{"etcdserver": "3.2.32"},
		"/health":        map[string]string{"health": "true"},
		"/v2/members":    map[string]any{"members": []any{one}},
		"/v2/stats/self": map[string]any{"id": "8e9e05c52164694d", "leaderInfo": map[string]string{"leader": "8e9e05c52164694d"}},
		"/v2/keys/":      map[string]any{"action": "get", "node": map[string]any{"dir": true}},
		"/members":       []any{map[string]any{"id": uint64(id), "name": "m0", "peerURLs": one["peerURLs"], "clientURLs": one["clientURLs"]}},
	}
	answer, ok := answers[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may have gone
}

func header() *pb.ResponseHeader {
	return &pb.ResponseHeader{ClusterId: id, MemberId: id, Revision: 5, RaftTerm: 3}
}

// Status implements MaintenanceServer.
func (s *Server) Status(context.Context, *pb.StatusRequest) (*pb.StatusResponse, error) {
	if s.OnStatus != nil {
		return s.OnStatus()
	}
	return &pb.StatusResponse{Header: header(), Version: "3.2.32", Leader: id, RaftTerm: 3, RaftIndex: 9, DbSize: 1 << 20}, nil
}

// Alarm implements MaintenanceServer.
func (s *Server) Alarm(context.Context, *pb.AlarmRequest) (*pb.AlarmResponse, error) {
	return &pb.AlarmResponse{Header: header()}, nil
}

// MemberList implements ClusterServer.
func (s *Server) MemberList(context.Context, *pb.MemberListRequest) (*pb.MemberListResponse, error) {
	if s.OnMembers != nil {
		return s.OnMembers()
	}
	return &pb.MemberListResponse{Header: header(), Members: []*pb.Member{{ID: id, Name: "m0", PeerURLs: []string{s.URL()}, ClientURLs: []string{s.URL()}}}}, nil
}

// Range implements KVServer.
func (s *Server) Range(_ context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	if s.OnRange != nil {
		return s.OnRange(r)
	}
	return &pb.RangeResponse{Header: header()}, nil
}

// MemberAdd implements ClusterServer with an answer that holds nothing.
func (s *Server) MemberAdd(context.Context, *pb.MemberAddRequest) (*pb.MemberAddResponse, error) {
	return &pb.MemberAddResponse{}, nil
}
