package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/moduletest"
	"etcd-quorum-restore/modules/internal/runlock"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The directory is open to all: a user who gives a file of this user the lock's name must not get it overwritten.
func TestHostileHardLink(t *testing.T) {
	args := lock(t)
	victim := filepath.Join(t.TempDir(), "victim")
	check(t, os.WriteFile(victim, []byte("the user's"), 0o600))
	path := runlock.Path(args["directory"].(string), args["inventory"].([]string))
	check(t, os.Link(victim, path))
	a := moduletest.Run(t, args).Failed(t, "refused")
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(hint, "rm "+path) {
		t.Error(hint)
	}
	if raw, err := os.ReadFile(victim); err != nil || string(raw) != "the user's" {
		t.Errorf("%q, %v", raw, err)
	}
}

// A lock needs no right to write: any user who can read the file can hold it for ever.
func TestHostileLockIsHeld(t *testing.T) {
	args := lock(t)
	moduletest.Run(t, args).OK(t, false)
	f, err := os.Open(runlock.Path(args["directory"].(string), args["inventory"].([]string)))
	check(t, err)
	defer f.Close()
	check(t, unix.Flock(int(f.Fd()), unix.LOCK_SH))
	a := moduletest.Run(t, args).Failed(t, "refused").Bounded(t, time.Minute)
	if hint, _ := a.JSON["hint"].(string); !strings.Contains(hint, "fuser -v "+f.Name()) {
		t.Error(hint)
	}
}

// Other users' files beside the lock do not keep a run from starting.
func TestHostileNeighbours(t *testing.T) {
	args := lock(t)
	mine := runlock.Path(args["directory"].(string), args["inventory"].([]string))
	beside := func(user string) string { return mine[:strings.LastIndexByte(mine, '-')+1] + user + ".lock" }
	check(t, unix.Mkfifo(beside("1"), 0o644))
	check(t, os.Symlink("/dev/zero", beside("2")))
	check(t, os.Mkdir(beside("3"), 0o755))
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	check(t, err)
	defer unix.Close(s)
	t.Chdir(filepath.Dir(mine)) // a socket's path has 108 bytes at most
	check(t, unix.Bind(s, &unix.SockaddrUnix{Name: filepath.Base(beside("4"))}))
	moduletest.Run(t, args).OK(t, false)
}

// A directory's name is not used as a pattern.
func TestHostileDirectoryName(t *testing.T) {
	args := lock(t)
	args["directory"] = filepath.Join(args["directory"].(string), "[x]")
	check(t, os.Mkdir(args["directory"].(string), 0o700))
	heldBy(t, args, nil)
	moduletest.Run(t, args).Failed(t, "refused")
}
