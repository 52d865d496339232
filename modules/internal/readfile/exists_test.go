package readfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWhatAPathIs(t *testing.T) {
	top := t.TempDir()
	at := func(name string) string { return filepath.Join(top, name) }
	for _, err := range []error{
		os.WriteFile(at("file"), nil, 0o600), os.Mkdir(at("dir"), 0o700), syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("file", at("to a file")), os.Symlink("dir", at("to a dir")), os.Symlink("nothing", at("to nothing")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]struct{ file, dir, exists bool }{
		"file": {true, false, true}, "dir": {false, true, true}, "pipe": {false, false, true},
		"to a file": {true, false, true}, "to a dir": {false, true, true}, "to nothing": {false, false, true},
		"nothing": {false, false, false}, "file/below a file": {false, false, true},
	} {
		path := at(name)
		if IsFile(path) != want.file || IsDir(path) != want.dir || Exists(path) != want.exists {
			t.Errorf("%s: file %v, dir %v, exists %v; expected %v", name, IsFile(path), IsDir(path), Exists(path), want)
		}
	}
}
