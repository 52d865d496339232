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
	"etcd-quorum-restore/modules/internal/readfile"
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
	if err := Destination(dest); err != nil {
		return nil, err
	}
	if err := makeDest(dest); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the backup directory cannot be made")
	}
	if err := Destination(dest); err != nil { // another user may have made it meanwhile
		return nil, err
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

// HostName is this host's own, for the name of a backup and for what it says of itself.
func HostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
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

// Abandon removes a directory that has no name yet: the backup can be made again, and on a full disk the next attempt would fail as well.
func (d *Dir) Abandon() {
	if d.Path != d.Final {
		os.RemoveAll(d.Path)
	}
}

// Leftovers lists what interrupted runs left in dest. Only the operator removes them.
func Leftovers(dest string) []string {
	entries, err := readfile.Dir(dest)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partial) {
			found = append(found, filepath.Join(dest, e.Name()))
		}
	}
	return found
}
