package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"etcd-quorum-restore/modules/internal/edit"
	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/safefile"
)

// put replaces path as a whole. Owner and label are those of model, and so is the mode where mode is 0. On a new host, which has no model yet,
// they are the directory's, and the file is its owner's alone.
func put(path string, content []byte, model string, mode fs.FileMode) error {
	return write(path, content, model, mode, (*safefile.Temp).Replace)
}

// setAside keeps a copy under a free name, and replaces nothing.
func setAside(path, kept string, mode fs.FileMode) error {
	content, err := edit.Read(path)
	if err != nil {
		return err
	}
	return write(kept, content, path, mode, (*safefile.Temp).Name)
}

// write gives the file its owner and label before its name: etcd, which runs as another user than root, reads it at its next handshake.
func write(path string, content []byte, model string, mode fs.FileMode, land func(*safefile.Temp, string) error) error {
	dir, err := safefile.OpenDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	like, err := safefile.Open(model)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		like, mode = dir.File(), 0o600
	case err != nil:
		return fault.Wrap(fault.Internal, err, "whose the new file is to be")
	default:
		defer like.Close()
	}
	t, err := dir.Temp()
	if err != nil {
		return err
	}
	defer t.Discard()
	if _, err := t.Write(content); err != nil {
		return err
	}
	if err := adopt(t.File, like, mode); err != nil {
		return fmt.Errorf("owner and label of %s: %w", path, err)
	}
	return land(t, filepath.Base(path))
}

func adopt(f, like *os.File, mode fs.FileMode) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(like.Fd()), &st); err != nil {
		return err
	}
	if mode == 0 {
		mode = fs.FileMode(st.Mode & 0o777)
	}
	if err := safefile.Give(f, int(st.Uid), int(st.Gid), mode); err != nil {
		return err
	}
	return safefile.CopyLabel(like, f)
}
