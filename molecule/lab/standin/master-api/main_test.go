package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConfig(t *testing.T) {
	text := `
etcdClientInfo:
  ca: master.etcd-ca.crt
  certFile: /elsewhere/client.crt
  keyFile: master.etcd-client.key
  urls:
  - https://master-0.example.com:2379
  - https://master-1.example.com:2379
servingInfo: {bindAddress: "0.0.0.0:8443", certFile: s.crt, keyFile: s.key}
`
	got, err := parseConfig([]byte(text), "/etc/origin/master")
	if err != nil {
		t.Fatal(err)
	}
	want := &config{
		Etcd: etcdInfo{
			CA: "/etc/origin/master/master.etcd-ca.crt", CertFile: "/elsewhere/client.crt", KeyFile: "/etc/origin/master/master.etcd-client.key",
			URLs: []string{"https://master-0.example.com:2379", "https://master-1.example.com:2379"},
		},
		Serving: servingInfo{BindAddress: "0.0.0.0:8443", CertFile: "/etc/origin/master/s.crt", KeyFile: "/etc/origin/master/s.key"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := parseConfig([]byte("etcdClientInfo: {urls: []}"), "/"); err == nil {
		t.Error("an empty list of URLs was taken")
	}
}

// A watcher from a revision that etcd has lost gets nothing of what is written
// below it: a restart of the controllers has to cure that.
func TestWatcherFromALostRevisionHearsNothing(t *testing.T) {
	c := newCache()
	c.set(object{"a", "1", 5})
	c.set(object{"b", "2", 6})
	found, from := c.after(context.Background(), 0, 5)
	if diff := cmp.Diff([]object{{"b", "2", 6}}, found); diff != "" {
		t.Error(diff)
	}
	if from != 2 {
		t.Errorf("goes on at %d, want 2", from)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if found, _ := c.after(gone, 0, 100); found != nil {
		t.Errorf("a watcher at revision 100 heard %v", found)
	}
}

func TestWatcherIsWoken(t *testing.T) {
	c := newCache()
	heard := make(chan []object)
	go func() {
		found, _ := c.after(context.Background(), 0, 0)
		heard <- found
	}()
	c.set(object{"a", "1", 1})
	if diff := cmp.Diff([]object{{"a", "1", 1}}, <-heard); diff != "" {
		t.Error(diff)
	}
}
