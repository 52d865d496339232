package readfile

import (
	"errors"
	"io/fs"
	"os"
)

// IsFile is true for a regular file, also at the end of a link.
func IsFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// IsDir is true for a directory, also at the end of a link.
func IsDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Exists is also true for a link that leads nowhere, and for what cannot be looked at.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
