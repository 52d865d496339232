package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tenThousand is a long list of hosts: three of etcd, the rest nodes.
func tenThousand(b *testing.B) string {
	b.Helper()
	var text strings.Builder
	text.WriteString("[OSEv3:children]\nmasters\nnodes\netcd\n\n[OSEv3:vars]\nansible_user=root\n\n[masters]\nm[1:3].example.com\n\n[etcd]\nm1.example.com\nm2.example.com\nm3.example.com\n\n[nodes]\n")
	for i := range 10000 {
		fmt.Fprintf(&text, "node-%05d.example.com ansible_host=10.0.%d.%d openshift_node_group_name='node-config-compute'  # rack %d\n", i, i/250, i%250, i/40)
	}
	path := filepath.Join(b.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkTenThousandLines is one host's leaving and its return, files and locks included.
func BenchmarkTenThousandLines(b *testing.B) {
	path := tenThousand(b)
	for b.Loop() {
		edits(b, path)
	}
}

func edits(b *testing.B, path string) {
	b.Helper()
	for _, r := range []Request{leave("etcd", "m2.example.com"), join("etcd", "m2.example.com")} {
		if out, _, err := Apply([]string{path}, r, Options{}); err != nil || len(out.Edits) != 1 {
			b.Fatal(err, out)
		}
	}
}
