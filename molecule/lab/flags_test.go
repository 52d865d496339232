package main

import "testing"

func TestAsksForFlag(t *testing.T) {
	for text, want := range map[string]bool{
		"ETCD_NAME=m0\nETCD_FORCE_NEW_CLUSTER=true\n":                         true,
		"ETCD_NAME=m0\n#ETCD_FORCE_NEW_CLUSTER=true\n  # force-new-cluster\n": false,
		"[Service]\nExecStart=/usr/bin/etcd --force-new-cluster\n":            true,
		"    - name: ETCD_FORCE_NEW_CLUSTER\n      value: \"true\"\n":         true,
		"":                                 false,
		"ETCD_INITIAL_CLUSTER_STATE=new\n": false,
	} {
		if got := asksForFlag([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
