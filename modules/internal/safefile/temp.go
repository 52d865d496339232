package safefile

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
)

const tempPrefix = ".safefile-"

// IsTemp is true for the name of a file that is being written, or was left by a killed run: the next write beside it removes it.
func IsTemp(name string) bool { return strings.HasPrefix(name, tempPrefix) }

// Temp is a new file that only this process uses, and that gets its name when it is complete.
type Temp struct {
	*os.File
	dir  *Dir
	name string
}

// Temp makes a file beside its later place, and removes those that a killed run, or a full disk, has left there.
func (d *Dir) Temp() (*Temp, error) {
	if err := d.sweep(); err != nil {
		return nil, err
	}
	for {
		name := tempPrefix + rand.Text()
		f, err := d.Create(name, 0o600)
		if err != nil {
			return nil, err
		}
		t := &Temp{File: f, dir: d, name: name}
		if kept, err := t.mark(); kept || err != nil {
			return t, err
		}
		t.Close() // another run has removed it before the mark
	}
}

// mark takes the lock that tells a sweep that a process still writes the file. On a filesystem without locks nothing is swept.
func (t *Temp) mark() (kept bool, err error) {
	switch err := unix.Flock(int(t.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return false, nil
	case err != nil:
		return true, nil
	}
	var st unix.Stat_t
	err = unix.Fstat(int(t.Fd()), &st)
	return st.Nlink > 0, err
}

func (d *Dir) sweep() error {
	entries, err := d.List()
	if errors.Is(err, os.ErrPermission) || errors.Is(err, readfile.ErrTooLong) { // one may write to a directory and not list it; leftovers do no harm
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if IsTemp(e.Name()) && e.Type().IsRegular() {
			d.dropUnused(e.Name())
		}
	}
	return nil
}

// dropUnused leaves a file that it may not remove: it does no harm.
func (d *Dir) dropUnused(name string) {
	f, err := d.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = d.Remove(name)
	}
}

// Replace gives the file its name, durably, and replaces the file of that name.
func (t *Temp) Replace(name string) error { return ReplaceTogether(Landing{t, name}) }

// Landing is a complete file and the name that it is to have.
type Landing struct {
	*Temp
	To string
}

// ReplaceTogether does for several files what Replace does for one, and leaves nothing but the renames between the first and the last: a program
// that reads a key and its certificate at each connection finds one old and one new for no longer than that.
func ReplaceTogether(files ...Landing) error {
	for _, f := range files {
		if err := errors.Join(oneName(f.To), f.Sync()); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := unix.Renameat(f.dir.fd(), f.name, f.dir.fd(), f.To); err != nil {
			return f.dir.errorOf("rename to", f.To, err)
		}
	}
	for _, f := range files {
		if err := f.landed(f.To); err != nil {
			return err
		}
	}
	return nil
}

// Name gives the file a name that does not exist yet, durably.
func (t *Temp) Name(name string) error {
	if err := oneName(name); err != nil {
		return err
	}
	if err := t.Sync(); err != nil {
		return err
	}
	if err := t.dir.Rename(t.name, t.dir, name); err != nil {
		return err
	}
	return t.landed(name)
}

// landed checks the new name: in another user's directory it may be another file by then.
func (t *Temp) landed(name string) error {
	st, err := t.dir.Lstat(name)
	if err != nil {
		return err
	}
	var own unix.Stat_t
	if err := unix.Fstat(int(t.Fd()), &own); err != nil {
		return err
	}
	if st.Ino != own.Ino || st.Dev != own.Dev {
		return fault.New(fault.Refused, "something exchanged %s while it was written (%s)", filepath.Join(t.dir.Path, name), t.dir.Doubt)
	}
	return t.dir.Sync()
}

// Discard removes the file if it got no name, and closes it.
func (t *Temp) Discard() {
	_ = unix.Unlinkat(t.dir.fd(), t.name, 0) // after a rename it no longer exists
	t.Close()
}
