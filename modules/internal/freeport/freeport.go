// Package freeport finds a TCP port for a server that a test starts, stops and starts again: no other process gets it meanwhile.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Linux gives these ports only to those who ask for them: its own choice begins at 32768 [linux Documentation/networking/ip-sysctl,
// ip_local_port_range].
const first, last = 15000, 30000

// URL is http://127.0.0.1:PORT. Until the test ends, no other test gets the port, in any process: a socket in Linux's abstract namespace, named
// after the port, marks it as taken.
func URL(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := first + rand.IntN(last-first)
		taken, err := net.Listen("unix", fmt.Sprintf("@etcd-quorum-restore/port/%d", port))
		if err != nil {
			continue
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			taken.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { taken.Close() })
		return "http://" + addr
	}
	t.Fatalf("no port from %d to %d is free", first, last)
	return ""
}
