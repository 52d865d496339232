// Package edit holds what every editor of a file does around its edit: read, keep a copy, write.
package edit

import (
	"bytes"
	"errors"
	"io"
	"io/fs"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// tooLarge keeps a wrong path (a database, a log) out of memory; the files that are edited have a few kilobytes.
const tooLarge = 16 << 20

// Read is the content of a regular file, by the rules of safefile. For a missing one the error matches fs.ErrNotExist.
func Read(path string) ([]byte, error) {
	f, err := safefile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Invalid, fs.ErrNotExist, "cannot be edited")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot read the file")
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, tooLarge+1))
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot read the file")
	}
	if len(content) > tooLarge {
		return nil, fault.New(fault.Invalid, "%s has more than %d bytes, which is no configuration", path, tooLarge)
	}
	return content, nil
}

// Save replaces the content that was read, and returns the name of the copy if one was asked for. It refuses where somebody else has written to
// the file in between: that edit would be lost.
func Save(path string, read, content []byte, backup bool) (copied string, err error) {
	if !backup {
		return SaveAs(path, read, content, "")
	}
	return SaveAs(path, read, content, safefile.BackupName(path))
}

// SaveAs is Save with a name for the copy; "" is for none.
func SaveAs(path string, read, content []byte, name string) (copied string, err error) {
	now, err := Read(path)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(now, read) {
		return "", fault.New(fault.Refused, "%s was changed by someone else a moment ago; nothing was written", path).WithHint("run the task again")
	}
	if name != "" {
		if err := safefile.BackupAs(path, name); err != nil {
			return "", fault.Wrap(fault.Internal, err, "cannot leave a copy of %s; nothing was changed", path)
		}
	}
	return name, safefile.Write(path, content, 0o600)
}
