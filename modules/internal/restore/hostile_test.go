package restore

import (
	"context"
	"etcd-quorum-restore/modules/internal/fault"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/host"
)

const stranger = 65534 // plays user etcd; tests run as root

// While a member is made and handed over, the owner of the data directory gives the directory's name to one of his own and puts links wherever he
// can: nothing of root's becomes his.
func TestHostileStaging(t *testing.T) {
	base := t.TempDir()
	check(t, os.Chmod(base, 0o755))
	check(t, os.Chmod(filepath.Dir(base), 0o755)) // the attacker must be able to enter
	data, victim := filepath.Join(base, "etcd"), filepath.Join(base, "victim")
	check(t, os.Mkdir(data, 0o700))
	check(t, os.Chown(data, stranger, stranger))
	check(t, os.WriteFile(victim, []byte("root's"), 0o600))
	stop := attack(t, data, victim)
	defer stop()
	r := &Restorer{Host: &host.Host{DataDir: data}}
	placed := 0
	for range 100 {
		if layAndPlace(r) == nil {
			placed++
		}
		_ = os.RemoveAll(filepath.Join(data, "member"))
		var st unix.Stat_t
		check(t, unix.Stat(victim, &st))
		if st.Uid != 0 || st.Mode&0o7777 != 0o600 {
			t.Fatalf("root's file has mode %o and owner %d", st.Mode, st.Uid)
		}
	}
	if placed == 0 {
		t.Error("the test's own condition does not hold: nothing was ever put in place")
	}
}

func layAndPlace(r *Restorer) error {
	at, err := r.newStaging()
	if err != nil {
		return err
	}
	defer at.close()
	laid, err := at.dir.Mkdir("member")
	if err != nil {
		return err
	}
	defer laid.Close()
	if err := laid.Write("db", []byte("data"), 0o600); err != nil {
		return err
	}
	if err := at.hand(); err != nil {
		return err
	}
	return r.putInPlace(at, &Outcome{})
}

// attack runs as the other user, on a thread of its own that is not used again.
func attack(t *testing.T, data, victim string) (stop func()) {
	t.Helper()
	ended, done := make(chan struct{}), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, stranger, stranger, stranger); errno != 0 {
			done <- errno
			return
		}
		name := filepath.Join(data, stagingName)
		for {
			select {
			case <-ended:
				done <- nil
				return
			default:
			}
			_ = unix.Rename(name+"/member", name+"/old")
			_ = unix.Symlink(victim, name+"/member")
			_ = unix.Rename(name, filepath.Join(data, "taken"))
			if unix.Mkdir(name, 0o777) == nil {
				_ = unix.Symlink(victim, name+"/member")
			}
			_ = unix.Unlink(filepath.Join(data, "taken/member"))
			_ = unix.Rmdir(filepath.Join(data, "taken"))
		}
	}()
	return func() {
		close(ended)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestHostileTimeIsOver: no list is better than a partial one, and data that was not read in time is not set aside as damaged.
func TestHostileTimeIsOver(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(dir+"/a.db", nil, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, read := range map[string]func() ([]Candidate, error){
		"given up": func() ([]Candidate, error) { return Candidates(ctx, dir) },
		"within":   func() ([]Candidate, error) { return candidates(ctx, dir) },
	} {
		if got, err := read(); got != nil || fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	r := &Restorer{Host: &host.Host{DataDir: dir}}
	if err := r.nothingToLose(ctx, nil); fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
	if _, err := Read(ctx, dir, Copy); fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}
