package masters

import "testing"

func TestOnlyEtcdFails(t *testing.T) {
	for text, want := range map[string]bool{
		"etcd failed: dial tcp 192.0.2.12:2379: connect: connection refused":           true,
		"[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\nhealthz check failed": true,
		"ok": false,
		"":   false,
		"[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/x failed: reason withheld\nhealthz check failed": false,
		"the old process still listens, or none does":                                                                   false,
	} {
		if got := onlyEtcdFails(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
