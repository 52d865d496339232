package survey

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/host"
)

// A directory that is a mount point cannot be renamed, so the data in it cannot be set aside.
func TestMemberThatIsAMountPoint(t *testing.T) {
	h := &host.Host{DataDir: t.TempDir()}
	member := filepath.Join(h.DataDir, "member")
	if err := os.Mkdir(member, 0o700); err != nil {
		t.Fatal(err)
	}
	if d := dataDir(t.Context(), h); d.MemberIsMountPoint || d.Empty {
		t.Errorf("a directory: %+v", d)
	}
	if err := unix.Mount("tmpfs", member, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(member, 0); err != nil {
			t.Error(err)
		}
	})
	if d := dataDir(t.Context(), h); !d.MemberIsMountPoint {
		t.Errorf("a mount point: %+v", d)
	}
}
