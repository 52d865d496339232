package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/killtest"
)

const stranger = 65534 // owns the directory; tests run as root

// strangers makes a directory of another user beside a file of root, which must stay as it is.
func strangers(t *testing.T) (dir, victim string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("run as root: the tests make directories of another user")
	}
	base := t.TempDir()
	dir, victim = filepath.Join(base, "etcd"), filepath.Join(base, "victim")
	check(t, os.Mkdir(dir, 0o700))
	check(t, os.Chown(dir, stranger, stranger))
	write(t, victim, "root's", 0o600)
	return dir, victim
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func untouched(t *testing.T, victim string) {
	t.Helper()
	var st unix.Stat_t
	check(t, unix.Stat(victim, &st))
	got, err := os.ReadFile(victim)
	if err != nil || string(got) != "root's" || st.Uid != 0 || st.Mode&0o7777 != 0o600 {
		t.Fatalf("root's file has mode %o, owner %d and holds %q (%v)", st.Mode, st.Uid, got, err)
	}
}

func refused(t *testing.T, err error, says string) {
	t.Helper()
	if fault.KindOf(err) != fault.Refused || !strings.HasPrefix(err.Error(), says) || fault.HintOf(err) == "" {
		t.Fatalf("error %v (hint %q); expected a refusal with %q and a hint", err, fault.HintOf(err), says)
	}
}

// A link of another user is not followed, wherever on the path it is.
func TestHostileLinks(t *testing.T) {
	for name, link := range map[string]func(dir, victim string) (path, at, to string){
		"of the file":           func(d, v string) (string, string, string) { return d + "/fenced.json", d + "/fenced.json", v },
		"to a file beside it":   func(d, v string) (string, string, string) { return d + "/etcd.conf", d + "/etcd.conf", "ca.key" },
		"of a directory":        func(d, v string) (string, string, string) { return d + "/sub/victim", d + "/sub", filepath.Dir(v) },
		"that leads nowhere":    func(d, v string) (string, string, string) { return d + "/new", d + "/new", v + ".new" },
		"relative, up and down": func(d, v string) (string, string, string) { return d + "/x", d + "/x", "../victim" },
	} {
		t.Run(name, func(t *testing.T) {
			dir, victim := strangers(t)
			path, at, to := link(dir, victim)
			check(t, os.Symlink(to, at))
			check(t, os.Lchown(at, stranger, stranger))
			says := at + " is a link, and " + dir + " belongs to user"
			refused(t, Write(path, []byte("x"), 0o600), says)
			_, err := Backup(path)
			refused(t, err, says)
			_, err = Open(path)
			refused(t, err, says)
			if _, err := os.Lstat(victim + ".new"); !errors.Is(err, os.ErrNotExist) {
				t.Error("a file was made through the link")
			}
			untouched(t, victim)
		})
	}
}

// A link of root's is not followed there either: the directory's owner may have given it another name.
func TestHostileLinkOfRootInAStrangersDirectory(t *testing.T) {
	dir, victim := strangers(t)
	check(t, os.Symlink(victim, filepath.Join(dir, "etcd.conf")))
	refused(t, Write(filepath.Join(dir, "etcd.conf"), []byte("x"), 0o600), dir+"/etcd.conf is a link")
	untouched(t, victim)
}

func TestHostileLinkInADirectoryForAll(t *testing.T) {
	base := t.TempDir()
	dir, victim := filepath.Join(base, "tmp"), filepath.Join(base, "victim")
	check(t, os.Mkdir(dir, 0o700))
	check(t, unix.Chmod(dir, 0o1777))
	write(t, victim, "root's", 0o600)
	link := filepath.Join(dir, "hosts")
	check(t, os.Symlink(victim, link))
	check(t, Write(link, []byte("root's"), 0o600)) // root's own link, which the sticky bit keeps
	check(t, os.Lchown(link, stranger, stranger))
	refused(t, Write(link, []byte("x"), 0o600), link+" is a link, and it belongs to user")
	untouched(t, victim)
}

// Links further up, which only root can make, are followed: /var/lib/etcd may lead to another disk.
func TestLinksOfRootAreFollowed(t *testing.T) {
	base := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(base, "disk/etcd"), 0o700))
	check(t, os.Symlink("disk", filepath.Join(base, "lib")))
	check(t, os.Symlink(filepath.Join(base, "lib/etcd"), filepath.Join(base, "data")))
	check(t, Write(filepath.Join(base, "data/record"), []byte("x"), 0o600))
	if got, err := os.ReadFile(filepath.Join(base, "disk/etcd/record")); err != nil || string(got) != "x" {
		t.Fatalf("%q, %v", got, err)
	}
}

// A loop of links is an error, and no endless walk.
func TestHostileLoop(t *testing.T) {
	dir := t.TempDir()
	check(t, os.Symlink("b", filepath.Join(dir, "a")))
	check(t, os.Symlink("a", filepath.Join(dir, "b")))
	for _, path := range []string{"a", "a/file"} {
		if err := Write(filepath.Join(dir, path), nil, 0o600); err == nil {
			t.Error("no error for ", path)
		}
	}
}

// While the directory's owner puts a link and a file under one name in turn, only this name is ever written.
func TestHostileRace(t *testing.T) {
	dir, victim := strangers(t)
	conf, link := filepath.Join(dir, "etcd.conf"), filepath.Join(dir, "link")
	write(t, conf, "old", 0o644)
	check(t, os.Symlink(victim, link))
	stop := killtest.Exchange(conf, link)
	for range 40 {
		_ = Write(conf, []byte("new"), 0o600) // refused, or in place of the link
		if name, err := Backup(conf); err == nil {
			if got, _ := os.ReadFile(name); string(got) == "root's" {
				t.Fatal("the copy holds root's file")
			}
			check(t, os.Remove(name))
		}
		_ = os.Remove(link)
		_ = os.Symlink(victim, link) // again, after a write has replaced it
	}
	if stop() == 0 {
		t.Error("the test's own condition does not hold: nothing was exchanged")
	}
	untouched(t, victim)
}

// A file with further names is neither replaced nor written through.
func TestHostileHardLinks(t *testing.T) {
	dir, victim := strangers(t)
	conf := filepath.Join(dir, "etcd.conf")
	check(t, os.Link(victim, conf))
	refused(t, Write(conf, []byte("x"), 0o600), conf+" has 2 names (hard links)")
	d, err := OpenDir(dir)
	check(t, err)
	defer d.Close()
	_, err = d.OpenToWrite("etcd.conf")
	refused(t, err, conf+" has 2 names (hard links)")
	untouched(t, victim)
	assertEntries(t, dir, "etcd.conf")
}

func TestHostileKinds(t *testing.T) {
	dir, _ := strangers(t)
	pipe := filepath.Join(dir, "pipe")
	check(t, unix.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, filepath.Join(dir, "pipe/below"), dir} {
		if err := Write(path, nil, 0o600); err == nil {
			t.Error("no error for ", path)
		}
	}
	assertEntries(t, dir, "pipe")
	for _, path := range []string{"/proc/kmsg", "/proc/version"} { // they look like regular files, and a read of the first waits for ever
		if f, err := Open(path); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, %v", path, f, err)
		}
	}
}

// The set-ID bits of another user's file are not given to what root writes in its place.
func TestHostileSetID(t *testing.T) {
	dir, _ := strangers(t)
	conf := filepath.Join(dir, "etcd.conf")
	write(t, conf, "old", 0o644)
	check(t, os.Chown(conf, stranger, stranger))
	check(t, unix.Chmod(conf, 0o6755))
	check(t, Write(conf, []byte("new"), 0o600))
	var st unix.Stat_t
	check(t, unix.Stat(conf, &st))
	if st.Mode&0o7777 != 0o755 || st.Uid != stranger {
		t.Errorf("mode %o, owner %d", st.Mode, st.Uid)
	}
}

// A directory that root makes in another user's directory belongs to root alone until it is given away.
func TestHostileMkdir(t *testing.T) {
	dir, _ := strangers(t)
	d, err := OpenDir(dir)
	check(t, err)
	defer d.Close()
	made, err := d.Mkdir("restoring")
	check(t, err)
	defer made.Close()
	st, err := made.stat()
	if err != nil || st.Mode&0o7777 != 0o700 || st.Uid != 0 {
		t.Fatalf("mode %o, owner %d, %v", st.Mode, st.Uid, err)
	}
	check(t, os.Rename(filepath.Join(dir, "restoring"), filepath.Join(dir, "taken")))
	check(t, os.Symlink("/etc", filepath.Join(dir, "restoring")))
	check(t, made.Write("file", []byte("x"), 0o600)) // in the held directory, whatever its name leads to
	if _, err := os.Stat(filepath.Join(dir, "taken/file")); err != nil {
		t.Error(err)
	}
	if _, err := d.Mkdir("restoring"); !errors.Is(err, os.ErrExist) {
		t.Error("a name that is taken: ", err)
	}
	check(t, d.RemoveAll("restoring"))
	if _, err := os.Stat("/etc/passwd"); err != nil {
		t.Fatal(err)
	}
}

// A write that a full disk or a kill has ended leaves its file; the next write removes it, but not the file of a process that still writes.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, tempPrefix+"dead"), "half", 0o600)
	d, err := OpenDir(dir)
	check(t, err)
	defer d.Close()
	busy, err := d.Temp()
	check(t, err)
	check(t, Write(filepath.Join(dir, "conf"), []byte("x"), 0o600))
	assertEntries(t, dir, busy.name, "conf")
	check(t, busy.Replace("record"))
	check(t, busy.Close())
	assertEntries(t, dir, "conf", "record")
}

// On a full disk, a copy that is cut off gets no name, and nothing is left.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	check(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"))
	t.Cleanup(func() { check(t, unix.Unmount(dir, 0)) })
	conf := filepath.Join(dir, "hosts")
	write(t, conf, strings.Repeat("x", 40<<10), 0o600)
	if name, err := Backup(conf); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%s, %v; expected that there is no space", name, err)
	}
	if err := Write(conf, make([]byte, 40<<10), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v; expected that there is no space", err)
	}
	assertEntries(t, dir, "hosts")
}
