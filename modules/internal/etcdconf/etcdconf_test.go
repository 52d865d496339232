package etcdconf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/clienttls"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	root.Dir = t.TempDir()
	defer func() { root.Dir = "" }()
	for _, path := range []string{"", root.Path(DefaultPath)} {
		conf, err := Read(path)
		if err != nil || conf.File != nil || conf.Path != root.Path(DefaultPath) || conf.Get("ETCD_NAME") != "" || len(conf.List("ETCD_NAME")) != 0 {
			t.Errorf("no file at %q: %+v, %v", path, conf, err)
		}
	}
	write(t, root.Path(DefaultPath), "ETCD_NAME=m0\nETCD_LISTEN_PEER_URLS=https://a:1,,https://b:2,\nETCD_PEER_CERT_FILE=/p.crt\n"+
		"ETCD_PEER_KEY_FILE=/p.key\nETCD_PEER_TRUSTED_CA_FILE=/ca.crt\n")
	conf, err := Read("")
	if err != nil || conf.Get("ETCD_NAME") != "m0" || conf.Doubt != nil {
		t.Errorf("%+v, %v", conf, err)
	}
	if diff := cmp.Diff([]string{"https://a:1", "https://b:2"}, conf.List("ETCD_LISTEN_PEER_URLS")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(clienttls.Files{CA: "/ca.crt", Cert: "/p.crt", Key: "/p.key"}, conf.TLS()); diff != "" {
		t.Error(diff)
	}
}

// A named file means its etcd, not the one of the defaults.
func TestFileThatWasNamedMustExist(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "etcd.conf"))
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "etcd_conf") || fault.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := Read(dir); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "etcd_conf") {
		t.Errorf("a directory: %v", err)
	}
	if conf, err := ReadIfThere(filepath.Join(dir, "etcd.conf")); err != nil || conf.File != nil {
		t.Errorf("%+v, %v", conf, err)
	}
}

func TestOddFileIsReadAsSystemdReadsIt(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "etcd.conf"), "ETCD_NAME = m0\n")
	conf, err := Read(path)
	if err != nil || conf.Get("ETCD_NAME") != "m0" || conf.Doubt == nil {
		t.Errorf("%+v, %v", conf, err)
	}
}
