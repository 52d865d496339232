package host_test

import (
	"os"
	"path/filepath"
	"testing"
)

// The chapter's 39.2 removes etcd.conf, and then moves a copy back that lies in whatever directory the operator was in.
func TestCopyOfMissingConf(t *testing.T) {
	f, h := pod(t)
	own := f.Read("etc/etcd/etcd.conf")
	os.Remove(f.Conf)
	for _, place := range []string{"root", "home", "tmp"} {
		t.Cleanup(func() { os.RemoveAll(filepath.Join(f.Root, place)) })
	}
	name := h.Conf.Get("ETCD_NAME")
	f.Write("root/other/etcd.conf", "ETCD_NAME=another\n")
	stranger := f.Write("home/mallory/etcd.conf.bak", own)
	if err := os.Chown(filepath.Dir(stranger), 1000, 1000); err != nil {
		t.Fatal(err)
	}
	if found := h.CopyOfConf(name); found != "" {
		t.Errorf("found %s: another host's, or where another user can replace it", found)
	}
	kept := f.Write("root/etcd.conf.bak", own)
	if found := h.CopyOfConf(name); found != kept {
		t.Errorf("found %q, expected %s", found, kept)
	}
	if found := h.CopyOfConf(""); found == "" {
		t.Error("nothing found where the member's name is not known")
	}
}
