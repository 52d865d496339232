package safefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestWriteKeepsModeAndFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	write(t, file, "old", 0o640)
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "new" {
		t.Fatalf("content %q, error %v", got, err)
	}
	st, err := os.Stat(file)
	if err != nil || st.Mode().Perm() != 0o640 {
		t.Fatalf("mode %v, error %v", st.Mode(), err)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Fatalf("the link was replaced: %v, %v", st, err)
	}
	assertEntries(t, dir, "link", "real")
}

func TestWriteNewFileAndDanglingLink(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "new")
	if err := Write(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", st, err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "dangling"), nil, 0o600); err == nil {
		t.Fatal("a dangling link was accepted")
	}
	assertEntries(t, dir, "dangling", "new")
}

// Linux 3.10 has no renameat2, and some filesystems do not know its flag.
func TestRenameOnAnOldKernel(t *testing.T) {
	now := renameat2
	defer func() { renameat2 = now }()
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EINVAL} {
		renameat2 = func(int, string, int, string, uint) error { return errno }
		TestRenameRefusesToReplace(t)
		TestBackup(t)
	}
}

func TestRenameRefusesToReplace(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "a", 0o600)
	write(t, b, "b", 0o600)
	if err := Rename(a, b); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Fatalf("error %v", err)
	}
	if got, _ := os.ReadFile(b); string(got) != "b" {
		t.Fatalf("b holds %q", got)
	}
	if err := Rename(a, filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	assertEntries(t, dir, "b", "c")
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "conf")
	write(t, file, "secret", 0o600)
	name, err := Backup(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != "secret" {
		t.Fatalf("%q, %v", got, err)
	}
	if st, _ := os.Stat(name); st.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v", st.Mode())
	}
}

func assertEntries(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("directory holds %v, want %v", got, want)
	}
}
