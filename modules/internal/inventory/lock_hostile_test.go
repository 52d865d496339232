package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/readfile"
)

// What took the place of an inventory after it was read is not opened: a pipe, or a link to a device.
func TestHostileFileToLock(t *testing.T) {
	dir := t.TempDir()
	pipe, device, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "device"), filepath.Join(dir, "file")
	for _, err := range []error{unix.Mkfifo(pipe, 0o600), os.Symlink("/dev/zero", device), os.WriteFile(file, nil, 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{pipe, device, dir} {
		if f, err := openForLock(path); !errors.Is(err, readfile.ErrNotRegular) {
			t.Errorf("%s: %v, %v", path, f, err)
		}
	}
	f, err := openForLock(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte("x")); err != nil {
		t.Error("NFS locks only what is open for writing:", err)
	}
}
