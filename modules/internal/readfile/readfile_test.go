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

// TestHostileDevice: what is no regular file is not opened at all. The kernel itself tells when a file is opened.
func TestHostileDevice(t *testing.T) {
	dir := t.TempDir()
	file, pipe, link := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	for _, err := range []error{os.WriteFile(file, []byte("text"), 0o600), unix.Mkfifo(pipe, 0o600), os.Symlink(pipe, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	opened := watch(t, dir)
	if _, err := Read(file, Text); err != nil || !opened() {
		t.Error("a file was not seen to be opened:", err)
	}
	for _, path := range []string{pipe, link} {
		if _, err := Read(path, Text); !errors.Is(err, ErrNotRegular) || opened() {
			t.Errorf("%s: %v; or it was opened", path, err)
		}
	}
}

// watch returns a function that tells whether anything in the directory was opened since its last call.
func watch(t *testing.T, dir string) func() bool {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	return func() bool {
		n, err := unix.Read(fd, make([]byte, 4096))
		return n > 0 && err == nil
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
