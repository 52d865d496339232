package member

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Identity is who the log in walDir belongs to. It reads no more than the first records of a segment, whatever the size of the log, and so works on
// logs that are damaged further on. ErrNoMember: there is no log.
func Identity(walDir string) (id, clusterID uint64, err error) {
	all, err := segments(walDir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(all) == 0 {
		return 0, 0, ErrNoMember
	}
	if err != nil {
		return 0, 0, err
	}
	for i := len(all) - 1; i >= 0; i-- { // every segment begins with the metadata; the newest is the surest to be needed
		if id, clusterID, err = identityOf(filepath.Join(walDir, all[i].Name)); err == nil {
			return id, clusterID, nil
		}
	}
	return 0, 0, err
}

func identityOf(path string) (id, clusterID uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	in := newSegmentReader(f, info.Size(), 0, false)
	for range 4 { // checksum, metadata, and what etcd may put there later
		r, err := in.next()
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		if r.Type == typeMetadata {
			return two(r.Data)
		}
	}
	return 0, 0, fmt.Errorf("%s does not begin with a metadata record", path)
}
