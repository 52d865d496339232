package backup

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/killtest"
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

// look is the output of `stat` for every file: the copy must look the same.
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
			text = []string{target} // a link's own time does not matter
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
	files, err := CopyTree(t.Context(), from, to)
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
	if _, err := CopyTree(t.Context(), from, to); err == nil {
		t.Error("an existing directory was copied into")
	}
}

// The target of a link in a data directory is not read, and a link in place of what a member needs is refused.
func TestHostileLinksOfAMember(t *testing.T) {
	base := t.TempDir()
	secret, data := filepath.Join(base, "secret"), filepath.Join(base, "etcd/member")
	check(t, os.WriteFile(secret, []byte("root's"), 0o600))
	check(t, os.MkdirAll(filepath.Join(data, "snap"), 0o700))
	check(t, os.Mkdir(filepath.Join(data, "wal"), 0o700))
	check(t, os.Symlink(secret, filepath.Join(data, "snap/leak")))
	to := filepath.Join(base, "copy")
	_, err := CopyMember(t.Context(), data, filepath.Join(data, "wal"), to)
	check(t, err)
	links, err := DescribeLinks(t.Context(), to)
	check(t, err)
	if target, err := os.Readlink(filepath.Join(to, "member/snap/leak")); err != nil || target != secret {
		t.Errorf("the link was copied as %q, %v", target, err)
	}
	if diff := cmp.Diff([]Link{{Path: filepath.Join(to, "member/snap/leak"), Target: secret}}, links); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"snap/db", "wal/0000000000000000-0000000000000000.wal", "wal"} {
		path := filepath.Join(data, name)
		check(t, os.RemoveAll(path))
		check(t, os.Symlink(secret, path))
		_, err := CopyMember(t.Context(), data, filepath.Join(data, "wal"), filepath.Join(t.TempDir(), "copy"))
		if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), path+" is a link") || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		check(t, os.Remove(path))
		check(t, os.MkdirAll(filepath.Join(data, "wal"), 0o700))
	}
}

// The owner of the directory replaces a file by a link while it is copied: the link's target is never in the copy.
func TestHostileCopyRace(t *testing.T) {
	base := t.TempDir()
	secret, dir := filepath.Join(base, "secret"), filepath.Join(base, "etcd")
	check(t, os.WriteFile(secret, []byte("root's"), 0o600))
	check(t, os.Mkdir(dir, 0o700))
	file, link := filepath.Join(dir, "peer.key"), filepath.Join(dir, "x")
	check(t, os.WriteFile(file, []byte("etcd's"), 0o600))
	check(t, os.Symlink(secret, link))
	check(t, os.Chown(dir, stranger, stranger))
	stop := killtest.Exchange(file, link)
	defer stop()
	for i := range 40 {
		to := filepath.Join(base, fmt.Sprint("copy", i))
		if _, err := CopyTree(t.Context(), dir, to); err != nil {
			continue // it changed while it was copied
		}
		for _, name := range []string{"peer.key", "x"} {
			info, err := os.Lstat(filepath.Join(to, name))
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			if text, _ := os.ReadFile(filepath.Join(to, name)); string(text) == "root's" {
				t.Fatal("the copy holds root's file")
			}
		}
	}
}

const stranger = 65534 // another user; tests run as root

// A hard link needs no right to read the file: a file of root's, under a name in another user's directory, is not copied.
func TestHostileHardLinks(t *testing.T) {
	base := t.TempDir()
	secret, dir := filepath.Join(base, "secret"), filepath.Join(base, "etcd")
	check(t, os.WriteFile(secret, []byte("root's"), 0o600))
	check(t, os.Mkdir(dir, 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "a"), []byte("etcd's"), 0o600))
	check(t, os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b"))) // the owner's own file: both names are copied
	for _, name := range []string{"", "a"} {
		check(t, os.Chown(filepath.Join(dir, name), stranger, stranger))
	}
	_, err := CopyTree(t.Context(), dir, filepath.Join(base, "copy"))
	check(t, err)
	check(t, os.Link(secret, filepath.Join(dir, "leak")))
	_, err = CopyTree(t.Context(), dir, filepath.Join(base, "copy2"))
	if fault.KindOf(err) != fault.Refused || !strings.Contains(err.Error(), "hard links") {
		t.Error(err)
	}
}

func wantCorrupt(t *testing.T, err error, names string) {
	t.Helper()
	if fault.KindOf(err) != fault.Corrupt || !strings.Contains(err.Error(), names) {
		t.Errorf("want corrupt, naming %s, got %v", names, err)
	}
}

// The kernel's own files behave like bad disks: one cannot be read at its beginning, one is different at every read.
func TestBadSources(t *testing.T) {
	for name, file := range map[string]string{"unreadable": "/proc/self/mem", "changing": "/proc/sys/kernel/random/uuid"} {
		from := filepath.Join(t.TempDir(), "member")
		check(t, os.Mkdir(from, 0o700))
		db := filepath.Join(from, "db")
		check(t, os.WriteFile(db, nil, 0o600))
		check(t, unix.Mount(file, db, "", unix.MS_BIND, ""))
		_, err := CopyTree(t.Context(), from, filepath.Join(t.TempDir(), "copy"))
		check(t, unix.Unmount(db, 0))
		wantCorrupt(t, err, db)
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
	files, err := CopyTree(t.Context(), from, to)
	if err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
}

func TestHolesStayHoles(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "copy"), 0o700))
	from, to := filepath.Join(dir, "segment"), filepath.Join(dir, "copy/segment")
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
	again, err := os.Open(from)
	check(t, err)
	defer again.Close()
	a, _, err := sumFile(t.Context(), again)
	check(t, err)
	if a != file.SHA256 {
		t.Error("the sums differ")
	}
}

func TestTheTimeIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := CopyTree(ctx, plant(t), filepath.Join(t.TempDir(), "copy"))
	if fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}
