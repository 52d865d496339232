package freeport

import (
	"net"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		url := URL(t)
		if seen[url] {
			t.Fatalf("%s was given twice", url)
		}
		seen[url] = true
	}
	url := URL(t)
	for range 2 { // like a server that is restarted
		l, err := net.Listen("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}
