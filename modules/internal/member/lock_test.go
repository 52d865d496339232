package member

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/membertest"
)

// TestKeepTailRefusesARunningMember: with each kind of lock, on each file that etcd locks.
func TestKeepTailRefusesARunningMember(t *testing.T) {
	description := func(f *os.File) error {
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	}
	flock := func(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX) }
	for name, c := range map[string]struct {
		file string
		lock func(*os.File) error
	}{
		"description": {"wal/0000000000000000-0000000000000000.wal", description},
		"flock":       {"wal/0000000000000000-0000000000000000.wal", flock},
		"database":    {"snap/db", flock},
	} {
		t.Run(name, func(t *testing.T) {
			dir := membertest.AMember(membertest.Good()).Write(t)
			f, err := os.OpenFile(filepath.Join(dir, "member", c.file), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := c.lock(f); err != nil {
				t.Fatal(err)
			}
			if _, err := KeepTail(t.Context(), dir, ""); err == nil || !strings.Contains(err.Error(), "an etcd runs") {
				t.Errorf("got %v", err)
			}
			if s := read(t, dir); s.HardState.Commit != 8 || len(s.Damage) > 0 {
				t.Errorf("reading beside the lock: %+v", *s)
			}
		})
	}
}

// TestKeepTailHoldsTheLock: no etcd can start while it writes.
func TestKeepTailHoldsTheLock(t *testing.T) {
	dir := membertest.AMember(membertest.Good()).Write(t)
	asked := false
	_, err := KeepTailThrough(t.Context(), dir, "", func(f *os.File) Target {
		held, err := Locked(dir, "")
		if !held || err != nil {
			t.Errorf("held %v, %v", held, err)
		}
		if err := flockOf(f.Name()); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Errorf("an etcd on a kernel of RHEL 7 would get its lock: %v", err)
		}
		asked = true
		return f
	})
	if err != nil || !asked {
		t.Fatal(asked, err)
	}
	if held, err := Locked(dir, ""); held || err != nil {
		t.Errorf("afterwards: held %v, %v", held, err)
	}
}

// flockOf asks for the lock that etcd takes where the kernel has no locks of open file descriptions.
func flockOf(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

func TestKeepTailSeesAFileThatChanged(t *testing.T) {
	wal := func(dir string) string { return filepath.Join(dir, "member", "wal") }
	name := membertest.Good().Names[0]
	for what, change := range map[string]func(dir string) error{
		"written": func(dir string) error {
			later := time.Now().Add(time.Minute)
			return os.Chtimes(filepath.Join(wal(dir), name), later, later)
		},
		"longer":   func(dir string) error { return os.Truncate(filepath.Join(wal(dir), name), 1<<20) },
		"replaced": func(dir string) error { return copyOver(filepath.Join(wal(dir), name)) },
		"no longer the last": func(dir string) error {
			return os.WriteFile(filepath.Join(wal(dir), "0000000000000001-000000000000000b.wal"), nil, 0o600)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := membertest.AMember(membertest.Good()).Write(t)
			tail, err := lockTail(dir, wal(dir))
			if err != nil {
				t.Fatal(err)
			}
			defer tail.Close()
			s := read(t, dir)
			if err := tail.unchanged(wal(dir), s); err != nil {
				t.Fatal(err)
			}
			if err := change(dir); err != nil {
				t.Fatal(err)
			}
			if err := tail.unchanged(wal(dir), s); fault.KindOf(err) != fault.Refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

func copyOver(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
