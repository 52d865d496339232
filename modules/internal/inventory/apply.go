package inventory

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/inventory/source"
	"etcd-quorum-restore/modules/internal/safefile"
)

// Options control Apply.
type Options struct {
	Check   bool          // decide, change nothing
	Backup  bool          // keep a dated copy of each file that changes
	Timeout time.Duration // how long to wait for another run
	Changed func()        // called when the first file has been replaced
}

// Change is one file that was changed, or would be.
type Change struct {
	File   string `json:"file"`
	Backup string `json:"backup_file,omitempty"`
	Before string `json:"-"` // for the diff
	After  string `json:"-"`
}

// Apply finds the files, decides, and writes what differs.
func Apply(paths []string, r Request, o Options) (*Outcome, []Change, error) {
	files, err := Find(paths)
	if err != nil {
		return nil, nil, err
	}
	if !o.Check {
		held, err := lockAll(files, o.Timeout)
		if err != nil {
			return nil, nil, err
		}
		defer held.release()
	}
	set, err := Load(files)
	if err != nil {
		return nil, nil, err
	}
	out, err := set.Plan(r)
	if err != nil {
		return nil, nil, err
	}
	changes, err := write(out.Edits, o)
	return out, changes, err
}

func write(edits []Edit, o Options) ([]Change, error) {
	var out []Change
	for _, e := range edits {
		c := Change{File: e.Path}
		c.Before, c.After = e.Diff()
		if o.Check {
			if err := mayWrite(e.Path); err != nil {
				return out, stopped(e, out, err)
			}
		} else {
			var err error
			if c.Backup, err = replace(e, o.Backup); err != nil {
				return out, stopped(e, out, err)
			}
			if o.Changed != nil {
				o.Changed()
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// mayWrite tells beforehand that the directory, where the new file is written before it takes the old one's place, is read-only.
func mayWrite(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(real)
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &os.PathError{Op: "write in", Path: dir, Err: err}
	}
	return nil
}

// replace writes one file, and returns the name of the copy where one was asked for.
func replace(e Edit, backup bool) (string, error) {
	name := ""
	if backup {
		name = hiddenName(e.Path)
	}
	return edit.SaveAs(e.Path, []byte(e.Before), []byte(e.After), name)
}

// hiddenName is the name of a copy. In a directory Ansible always skips names with a leading dot, and only those for certain: the ansible.cfg of
// openshift-ansible has a list of endings of its own without ~, so that `hosts~` would put a lost host back.
func hiddenName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(safefile.BackupName(path)))
}

func stopped(e Edit, done []Change, err error) error {
	what := "no file was changed"
	if len(done) > 0 {
		var names []string
		for _, c := range done {
			names = append(names, c.File)
		}
		what = strings.Join(names, ", ") + " changed already; the next run does the rest"
	}
	failed := fault.Wrap(fault.Internal, err, "the inventory file %s was not changed (%s)", e.Path, what)
	if !errors.Is(err, os.ErrPermission) && !errors.Is(err, unix.EROFS) {
		return failed
	}
	before, after := e.Diff()
	return failed.WithHint("run this as a user who may write there, or replace by hand (%s is the rest of the line, or of the entry)\n%swith\n%s", source.Hidden, before, after)
}
