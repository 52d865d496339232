package readfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
)

// A path that is no regular file, or an endless one, is an error, without waiting.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path("file"), []byte("12345"), 0o600))
	must(os.WriteFile(path("long"), []byte("123456"), 0o600))
	must(os.WriteFile(path("sparse"), nil, 0o600))
	must(os.Truncate(path("sparse"), 1<<40))
	must(unix.Mkfifo(path("pipe"), 0o600))
	must(os.Symlink(path("pipe"), path("link to pipe")))
	must(os.Symlink("/dev/zero", path("zero")))
	must(os.Symlink("/proc/version", path("kernel's")))
	must(os.Symlink("/proc/kmsg", path("kernel's messages"))) // a read would wait for the next one
	must(os.Symlink("/sys/kernel/mm/transparent_hugepage/enabled", path("setting")))
	must(os.Symlink(path("file"), path("link")))
	must(os.Symlink(path("loop"), path("loop")))
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	must(err)
	defer unix.Close(s)
	must(unix.Bind(s, &unix.SockaddrUnix{Name: path("socket")}))
	for name, want := range map[string]error{
		"file": nil, "link": nil, "long": ErrTooLong, "sparse": ErrTooLong, "pipe": ErrNotRegular, "link to pipe": ErrNotRegular,
		"kernel's": ErrNotRegular, "kernel's messages": ErrNotRegular, "setting": ErrNotRegular,
		"zero": ErrNotRegular, ".": ErrNotRegular, "socket": ErrNotRegular, "loop": unix.ELOOP, "none": os.ErrNotExist, "file/x": unix.ENOTDIR, "\x00": unix.EINVAL,
	} {
		raw, err := Read(path(name), 5)
		if want == nil && (err != nil || string(raw) != "12345") || !errors.Is(err, want) {
			t.Errorf("%q: %q, %v, want %v", name, raw, err, want)
		}
		if kind := fault.KindOf(err); (errors.Is(err, ErrTooLong) || errors.Is(err, ErrNotRegular)) && kind != fault.Invalid {
			t.Errorf("%q: kind %s", name, kind)
		}
	}
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b", "a"} {
		if err := unix.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := Dir(dir)
	if err != nil || len(entries) != 2 || entries[0].Name() != "a" {
		t.Error(entries, err)
	}
	if _, err := Dir(filepath.Join(dir, "a")); !errors.Is(err, unix.ENOTDIR) {
		t.Error(err)
	}
	if _, err := Dir(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
