package masterconfig

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/fault"
)

const installed = `apiVersion: v1
etcdClientInfo:
  ca: ca-bundle.crt
  certFile: /elsewhere/client.crt
  urls: ["https://etcd-0.example.com:2379"]
etcdConfig:
  peerAddress: 192.0.2.11:7001
  storageDirectory: /var/lib/origin/openshift.local.etcd
servingInfo:
  bindAddress: 0.0.0.0:8443
`

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "master-config.yaml")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(installed), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Read(path)
	if err != nil || c.ServingInfo.BindAddress != "0.0.0.0:8443" || c.EtcdConfig.PeerAddress != "192.0.2.11:7001" || len(c.EtcdClientInfo.URLs) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	want := clienttls.Files{CA: filepath.Join(dir, "ca-bundle.crt"), Cert: "/elsewhere/client.crt", Key: filepath.Join(dir, "master.etcd-client.key")}
	if diff := cmp.Diff(want, c.TLS()); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreNotQuoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master-config.yaml")
	for _, text := range []string{"clientSecret: [\n  s3cret", "etcdClientInfo: s3cret", "etcdClientInfo:\n  urls: s3cret"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
