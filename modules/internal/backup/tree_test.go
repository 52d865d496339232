package backup

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

// plant makes a tree with everything that a configuration or data directory may hold.
func plant(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "etcd")
	check(t, os.MkdirAll(filepath.Join(root, "ca"), 0o700))
	check(t, os.WriteFile(filepath.Join(root, "etcd.conf"), []byte("ETCD_NAME=a\n"), 0o644))
	check(t, os.WriteFile(filepath.Join(root, "ca", "ca.key"), []byte("key"), 0o600))
	check(t, os.WriteFile(filepath.Join(root, "empty"), nil, 0o640))
	check(t, os.Symlink("etcd.conf", filepath.Join(root, "link")))
	check(t, os.Chmod(filepath.Join(root, "ca", "ca.key"), 0o400))
	when := time.Date(2018, 3, 1, 2, 3, 4, 5000, time.UTC)
	check(t, os.Chtimes(filepath.Join(root, "etcd.conf"), when, when))
	check(t, os.Lchown(filepath.Join(root, "ca", "ca.key"), 1234, 1235))
	check(t, unix.Setxattr(filepath.Join(root, "etcd.conf"), "user.label", []byte("x"), 0))
	check(t, os.Chtimes(filepath.Join(root, "ca"), when, when))
	check(t, os.Chmod(filepath.Join(root, "ca"), 0o500))
	return root
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// look is what `stat` tells of every file: the copy must look the same.
func look(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	check(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		check(t, err)
		var st unix.Stat_t
		check(t, unix.Lstat(path, &st))
		text := []string{time.Unix(st.Mtim.Unix()).UTC().String()}
		if d.Type()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			check(t, err)
			text = []string{target} // a link's own time is nobody's business
		}
		if d.Type().IsRegular() {
			content, err := os.ReadFile(path)
			check(t, err)
			label := make([]byte, 10)
			n, _ := unix.Getxattr(path, "user.label", label) // most have none
			text = append(text, string(content), string(label[:max(n, 0)]))
		}
		out[relative(root, path)] = strings.Join(append(text, d.Type().String(), time.Duration(st.Mode).String(), time.Duration(st.Uid).String(), time.Duration(st.Gid).String()), "|")
		return nil
	}))
	return out
}

func TestCopyTreeKeepsEverything(t *testing.T) {
	from := plant(t)
	before := look(t, from)
	to := filepath.Join(t.TempDir(), "copy")
	files, err := CopyTree(t.Context(), from, to, KeepLinks)
	check(t, err)
	if diff := cmp.Diff(before, look(t, to)); diff != "" {
		t.Errorf("the copy differs: %s", diff)
	}
	if diff := cmp.Diff(before, look(t, from)); diff != "" {
		t.Errorf("the source was changed: %s", diff)
	}
	if len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	if _, err := CopyTree(t.Context(), from, to, KeepLinks); err == nil {
		t.Error("an existing directory was copied into")
	}
}

func TestFollowLinks(t *testing.T) {
	from := plant(t)
	elsewhere := filepath.Join(t.TempDir(), "wal")
	check(t, os.Mkdir(elsewhere, 0o700))
	check(t, os.WriteFile(filepath.Join(elsewhere, "0.wal"), []byte("log"), 0o600))
	check(t, os.Symlink(elsewhere, filepath.Join(from, "wal")))
	to := filepath.Join(t.TempDir(), "copy")
	_, err := CopyTree(t.Context(), from, to, FollowLinks)
	check(t, err)
	content, err := os.ReadFile(filepath.Join(to, "wal", "0.wal"))
	if err != nil || string(content) != "log" {
		t.Errorf("%q, %v", content, err)
	}
	if info, err := os.Lstat(filepath.Join(to, "wal")); err != nil || !info.IsDir() {
		t.Errorf("the copy holds a link instead of the log: %v, %v", info, err)
	}
	check(t, os.Remove(filepath.Join(from, "etcd.conf"))) // now "link" leads nowhere
	_, err = CopyTree(t.Context(), from, filepath.Join(t.TempDir(), "copy"), FollowLinks)
	wantCorrupt(t, err, "link")
}

func wantCorrupt(t *testing.T, err error, names string) {
	t.Helper()
	if fault.KindOf(err) != fault.Corrupt || !strings.Contains(err.Error(), names) {
		t.Errorf("want corrupt, naming %s, got %v", names, err)
	}
}

// The kernel's own files behave like bad disks: one cannot be read at its begin, one is different at every read.
func TestBadSources(t *testing.T) {
	for name, target := range map[string]string{"unreadable": "/proc/self/mem", "changing": "/proc/sys/kernel/random/uuid"} {
		from := filepath.Join(t.TempDir(), "member")
		check(t, os.Mkdir(from, 0o700))
		check(t, os.Symlink(target, filepath.Join(from, "db")))
		_, err := CopyTree(t.Context(), from, filepath.Join(t.TempDir(), "copy"), FollowLinks)
		wantCorrupt(t, err, filepath.Join(from, "db"))
		if name == "changing" && !strings.Contains(err.Error(), "changed while it was copied") {
			t.Error(err)
		}
	}
}

func TestSocketsAreLeftOut(t *testing.T) {
	from, err := os.MkdirTemp("", "tree")
	check(t, err)
	defer os.RemoveAll(from)
	l, err := net.Listen("unix", filepath.Join(from, "s"))
	check(t, err)
	defer l.Close()
	to := filepath.Join(t.TempDir(), "copy")
	files, err := CopyTree(t.Context(), from, to, KeepLinks)
	if err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestHolesStayHoles(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "segment"), filepath.Join(dir, "copy")
	f, err := os.Create(from)
	check(t, err)
	_, err = f.WriteAt([]byte("record"), 3<<20)
	check(t, err)
	check(t, f.Truncate(64_000_000))
	check(t, f.Close())
	file, err := CopyFile(t.Context(), from, to)
	check(t, err)
	var st unix.Stat_t
	check(t, unix.Stat(to, &st))
	if st.Size != 64_000_000 || st.Blocks*512 > 1<<20 || file.Bytes != 64_000_000 {
		t.Errorf("%d bytes on %d of disk", st.Size, st.Blocks*512)
	}
	a, _, err := sumFile(t.Context(), from)
	check(t, err)
	if a != file.SHA256 {
		t.Error("the sums differ")
	}
}

func TestTheTimeIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := CopyTree(ctx, plant(t), filepath.Join(t.TempDir(), "copy"), KeepLinks)
	if fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}
