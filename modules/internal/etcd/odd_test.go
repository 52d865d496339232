package etcd_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/etcd"
	"etcd-quorum-restore/modules/internal/fault"
)

// Whatever listens on a port that should be etcd's: no panic, no hang, and bounded memory.
func TestOddServers(t *testing.T) {
	for name, c := range map[string]struct {
		members func(w http.ResponseWriter)
		kind    fault.Kind
	}{
		"not JSON":     {func(w http.ResponseWriter) { w.Write([]byte("<html>")) }, fault.Unsupported},
		"status 500":   {func(w http.ResponseWriter) { w.WriteHeader(500) }, fault.Unsupported},
		"redirect":     {func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(302) }, fault.Unsupported},
		"negative ID":  {func(w http.ResponseWriter) { w.Write([]byte(`[{"id":-1}]`)) }, fault.Unsupported},
		"endless JSON": {func(w http.ResponseWriter) { endless(w) }, fault.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/version" {
					w.Write([]byte(`{"etcdserver":"3.2.32"}`))
					return
				}
				c.members(w)
			}))
			defer server.Close()
			_, err := etcd.AskPeer(t.Context(), server.URL, etcd.Config{Call: 10 * time.Second})
			wantKind(t, err, c.kind)
		})
	}
}

func endless(w http.ResponseWriter) {
	for {
		if _, err := w.Write([]byte("[" + strings.Repeat(" ", 4096))); err != nil {
			return
		}
	}
}

// A server that sends headers and then nothing must not block the caller.
func TestSilentBody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := etcd.AskPeer(t.Context(), server.URL, etcd.Config{Connect: 300 * time.Millisecond})
	wantKind(t, err, fault.Timeout)
}

// etcd's refusals of v2 membership calls, by their texts.
func TestV2Refusals(t *testing.T) {
	for text, kind := range map[string]fault.Kind{
		`{"message":"etcdserver: unhealthy cluster"}`:                                         fault.Timeout,
		`{"message":"etcdserver: re-configuration failed due to not enough started members"}`: fault.Refused,
		`{"message":"Member X not found"}`:                                                    fault.Refused,
		`no JSON`:                                                                             fault.Refused,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/version" {
				return
			}
			w.WriteHeader(http.StatusConflict)
			w.Write([]byte(text))
		}))
		v2, err := etcd.DialV2(t.Context(), server.URL, etcd.Config{})
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, v2.MemberAdd(t.Context(), []string{"https://x:1"}), kind)
		v2.Close()
		server.Close()
	}
}
