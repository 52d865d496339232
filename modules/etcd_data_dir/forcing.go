package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/readfile"
	"etcd-quorum-restore/modules/internal/safefile"
)

// The record of a forced start that was begun says how far the data beside it can be trusted. It goes with that data, after it, and
// comes back with it, before it: data without its record is never in place.

// record is one that goes to another directory, which may be on another filesystem. It is read before anything moves, and is left where it is not
// one file under one name.
type record struct {
	from string
	raw  []byte // nil: there is none
}

func recordAt(dir, name string) (record, error) {
	r := record{from: filepath.Join(dir, filepath.Base(name))}
	var err error
	if r.raw, err = safefile.Read(r.from, readfile.Text); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fault.Wrap(fault.Refused, err, "the record of a forced start; nothing was changed").WithHint("look what is in its place: ls -l %s", r.from)
	}
	return r, nil
}

func (r record) move(dir string) error {
	if r.raw == nil {
		return nil
	}
	to := filepath.Join(dir, filepath.Base(r.from))
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = safefile.Write(to, r.raw, 0o644)
	}
	if err == nil {
		err = safefile.Remove(r.from)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, err, "move the record of a forced start to %s", to)
	}
	return nil
}

// forcingAway leaves a dated copy beside a record whose data is gone.
func forcingAway(record string) error {
	if _, err := safefile.Backup(record); err != nil {
		return fault.Wrap(fault.Internal, err, "keep a copy of %s", record)
	}
	return safefile.Remove(record)
}
