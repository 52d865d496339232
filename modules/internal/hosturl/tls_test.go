package hosturl

import (
	"strings"
	"testing"
)

func TestTLSHosts(t *testing.T) {
	got := strings.Join(TLSHosts([]string{"https://192.0.2.11:2380", "https://0.0.0.0:2379", "http://plain:1", "https://a:1", "https://a:2", "::"}), " ")
	if got != "192.0.2.11 a" {
		t.Fatal(got)
	}
}
