package host_test

import (
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/host"
	"etcd-quorum-restore/modules/internal/hosttest"
)

// etcd resolves a relative directory from its own working directory. From the login's, there would be "no data".
func TestRelativeDirectoriesInEtcdConfAreRefused(t *testing.T) {
	for _, key := range []string{"ETCD_DATA_DIR", "ETCD_WAL_DIR"} {
		h := hosttest.New(t)
		h.Write("etc/etcd/etcd.conf", h.Read("etc/etcd/etcd.conf")+key+"=default.etcd\n")
		_, err := host.Load(t.Context(), host.Options{EtcdConf: h.Conf, ManifestDir: h.Manifests})
		if fault.KindOf(err) != fault.Unsupported || !strings.Contains(err.Error(), key) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", key, err)
		}
		loaded, err := host.Load(t.Context(), host.Options{EtcdConf: h.Conf, ManifestDir: h.Manifests, DataDir: h.DataDir})
		if key == "ETCD_DATA_DIR" && (err != nil || loaded.DataDir != h.DataDir) {
			t.Errorf("data_dir says where it is, and got %v", err)
		}
	}
}

// systemd expands % in an assertion: unescaped, the fence would look for another file.
func TestFenceOfAPathWithAPercentSign(t *testing.T) {
	h := hosttest.New(t)
	conf := h.Write("etc/100%n/etcd.conf", h.Read("etc/etcd/etcd.conf"))
	loaded, err := host.Load(t.Context(), host.Options{EtcdConf: conf, ManifestDir: h.Manifests})
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Runtime.Block(t.Context()); err != nil {
		t.Fatal(err)
	}
	dropIn := h.Read("etc/systemd/system/etcd.service.d/etcd-quorum-restore-fence.conf")
	if want := "AssertPathExists=!" + h.Root + "/etc/100%%n/fenced.json\n"; !strings.Contains(dropIn, want) {
		t.Errorf("expected %q in %q", want, dropIn)
	}
}
