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

// file is one that is to have this content. Owner and label are those of model, and so is the mode where mode is 0. On a new host, which has no
// model yet, they are the directory's, and the file is its owner's alone.
type file struct {
	path    string
	content []byte
	model   string
	mode    fs.FileMode
}

// put replaces each file as a whole, and all of them at once.
func put(files ...file) error {
	var ready []safefile.Landing
	for _, f := range files {
		dir, err := safefile.OpenDir(filepath.Dir(f.path))
		if err != nil {
			return err
		}
		defer dir.Close()
		t, err := f.write(dir)
		if err != nil {
			return err
		}
		defer t.Discard()
		ready = append(ready, safefile.Landing{Temp: t, To: filepath.Base(f.path)})
	}
	return safefile.ReplaceTogether(ready...)
}

// setAside keeps a copy under a free name, and replaces nothing.
func setAside(path, kept string, mode fs.FileMode) error {
	content, err := edit.Read(path)
	if err != nil {
		return err
	}
	dir, err := safefile.OpenDir(filepath.Dir(kept))
	if err != nil {
		return err
	}
	defer dir.Close()
	t, err := file{kept, content, path, mode}.write(dir)
	if err != nil {
		return err
	}
	defer t.Discard()
	return t.Name(filepath.Base(kept))
}

// write gives the file its owner and label before its name: etcd, which runs as another user than root, reads it at its next handshake.
func (f file) write(dir *safefile.Dir) (*safefile.Temp, error) {
	like, err := safefile.Open(f.model)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		like, f.mode = dir.File(), 0o600
	case err != nil:
		return nil, fault.Wrap(fault.Internal, err, "whose the new file is to be")
	default:
		defer like.Close()
	}
	t, err := dir.Temp()
	if err != nil {
		return nil, err
	}
	if _, err = t.Write(f.content); err == nil {
		err = adopt(t.File, like, f.mode)
	}
	if err != nil {
		t.Discard()
		return nil, fmt.Errorf("write %s: %w", f.path, err)
	}
	return t, nil
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
