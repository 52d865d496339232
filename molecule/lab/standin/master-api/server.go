package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type server struct {
	client *clientv3.Client
	cache  *cache
	urls   []string
	since  time.Time
}

func (s *server) routes() http.Handler {
	s.since = time.Now()
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", s.healthz)
	m.HandleFunc("PUT /objects/{name}", s.put)
	m.HandleFunc("GET /objects/{name}", s.get)
	m.HandleFunc("GET /cache/{name}", s.cached)
	m.HandleFunc("GET /watch", s.watch)
	m.HandleFunc("GET /info", s.info)
	return m
}

// healthz dials one URL, as the real one does: a listening socket is enough.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	u, err := url.Parse(s.urls[0])
	if err == nil {
		var conn net.Conn
		if conn, err = net.DialTimeout("tcp", u.Host, time.Second); err == nil {
			conn.Close()
			fmt.Fprint(w, "ok")
			return
		}
	}
	http.Error(w, "etcd failed: "+err.Error(), http.StatusInternalServerError)
}

func (s *server) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	resp, err := s.client.Put(ctx, prefix+r.PathValue("name"), string(body))
	if err != nil {
		http.Error(w, "etcd: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, resp.Header.Revision)
}

func (s *server) get(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	resp, err := s.client.Get(ctx, prefix+r.PathValue("name"))
	switch {
	case err != nil:
		http.Error(w, "etcd: "+err.Error(), http.StatusServiceUnavailable)
	case len(resp.Kvs) == 0:
		http.Error(w, "not found", http.StatusNotFound)
	default:
		fmt.Fprintf(w, "%s\n", resp.Kvs[0].Value)
	}
}

func (s *server) cached(w http.ResponseWriter, r *http.Request) {
	o, ok := s.cache.get(r.PathValue("name"))
	if !ok {
		http.Error(w, "not in the cache", http.StatusNotFound)
		return
	}
	fmt.Fprintln(w, o.Value)
}

// watch streams revisions above the watcher's own: a watcher from lost revisions
// gets nothing.
func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	revision, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		http.Error(w, "after: "+err.Error(), http.StatusBadRequest)
		return
	}
	flusher := http.NewResponseController(w)
	flusher.Flush()
	for from := 0; ; {
		var found []object
		if found, from = s.cache.after(r.Context(), from, revision); found == nil {
			return
		}
		for _, o := range found {
			fmt.Fprintf(w, "%d %s %s\n", o.Revision, o.Name, o.Value)
		}
		if flusher.Flush() != nil {
			return
		}
	}
}

func (s *server) info(w http.ResponseWriter, _ *http.Request) {
	s.cache.mu.Lock()
	revision := s.cache.revision
	s.cache.mu.Unlock()
	json.NewEncoder(w).Encode(map[string]any{"urls": s.urls, "revision": revision, "since": s.since.UTC()})
}
