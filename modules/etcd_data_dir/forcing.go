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

// forcingAside moves the record into the directory of the data. The two may be on different filesystems.
func forcingAside(record, dir string) error {
	return moveRecord(record, filepath.Join(dir, filepath.Base(record)))
}

func forcingBack(record, dir string) error {
	return moveRecord(filepath.Join(dir, filepath.Base(record)), record)
}

func moveRecord(from, to string) error {
	raw, err := readfile.Read(from, readfile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o700)
	}
	if err == nil {
		err = safefile.Write(to, raw, 0o644)
	}
	if err == nil {
		err = safefile.Remove(from)
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
