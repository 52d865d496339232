// Package edit is what every editor of a file does around its edit: read, leave a copy, write.
package edit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// tooLarge keeps a wrong path (a database, a log) out of memory; the files that are edited have a few kilobytes.
const tooLarge = 16 << 20

// Read is the content of a regular file. For a missing one the error matches fs.ErrNotExist.
func Read(path string) ([]byte, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(fault.Invalid, fs.ErrNotExist, "cannot be edited")
	case err != nil:
		return nil, fault.Wrap(fault.Internal, err, "cannot read the file")
	case !st.Mode().IsRegular():
		return nil, fault.New(fault.Invalid, "%s is not a regular file", path)
	case st.Size() > tooLarge:
		return nil, fault.New(fault.Invalid, "%s has %d bytes, which is no configuration", path, st.Size())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot read the file")
	}
	return content, nil
}

// Save replaces the content that was read by another, and returns the name of the copy where one was asked for. It refuses when someone
// else has written to the file in between: that edit would be lost.
func Save(path string, read, content []byte, backup bool) (copied string, err error) {
	now, err := Read(path)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(now, read) {
		return "", fault.New(fault.Refused, "%s was changed by someone else a moment ago; nothing was written", path).WithHint("run the task again")
	}
	if backup {
		if copied, err = safefile.Backup(path); err != nil {
			return "", fault.Wrap(fault.Internal, err, "cannot leave a copy of %s; nothing was changed", path)
		}
	}
	return copied, safefile.Write(path, content, 0o600)
}
