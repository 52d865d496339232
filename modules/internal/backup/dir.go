package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

const partial = ".partial"

// Dir is a backup that is being made.
type Dir struct {
	Final string // the name that it gets when it is whole
	Path  string // where it is filled
}

// Create makes dest if need be, and in it a new directory for name; a number is added where the name is taken.
func Create(dest, name string) (*Dir, error) {
	if !filepath.IsAbs(dest) {
		return nil, fault.New(fault.Invalid, "dest is %q; expected an absolute path such as /backup", dest)
	}
	if err := os.MkdirAll(dest, 0o700); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the backup directory cannot be made")
	}
	for n := 1; ; n++ {
		final := filepath.Join(dest, name)
		if n > 1 {
			final = fmt.Sprintf("%s-%d", final, n)
		}
		if _, err := os.Lstat(final); err == nil {
			continue
		}
		err := os.Mkdir(final+partial, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "nothing can be written to %s", dest)
		}
		return &Dir{Final: final, Path: final + partial}, nil
	}
}

// Stamp names a backup: the time in UTC and the host, so that several hosts may share one directory.
func Stamp(now time.Time, host string) string {
	return fmt.Sprintf("etcd-%s-%s", now.UTC().Format("20060102T150405Z"), strings.Map(nameable, host))
}

func nameable(r rune) rune {
	if r == '/' || r == 0 {
		return '_'
	}
	return r
}

// Commit gives the directory its name, durably. Whoever took the name meanwhile keeps it.
func (d *Dir) Commit() error {
	if err := safefile.SyncDir(d.Path); err != nil {
		return err
	}
	if err := safefile.Rename(d.Path, d.Final); err != nil {
		return fault.Wrap(fault.Internal, err, "the backup is whole, and cannot get its name")
	}
	d.Path = d.Final
	return nil
}

// Abandon removes what has no name yet: it can be made again, and a full disk would make the next attempt fail as well.
func (d *Dir) Abandon() {
	if d.Path != d.Final {
		os.RemoveAll(d.Path)
	}
}

// Leftovers lists what interrupted runs left in dest. Nobody removes them but the operator.
func Leftovers(dest string) []string {
	found, err := filepath.Glob(filepath.Join(dest, "*"+partial))
	if err != nil {
		return nil
	}
	return found
}
