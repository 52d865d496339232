package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

func TestReadAndSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf")
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) || fault.KindOf(err) != fault.Invalid {
		t.Fatalf("missing file: %v", err)
	}
	if _, err := Read(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Fatalf("directory: %v", err)
	}
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Save(path, []byte("other"), []byte("new"), true); fault.KindOf(err) != fault.Refused {
		t.Fatalf("written by someone else: %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Fatalf("a refusal left %v", entries)
	}
	copied, err := Save(path, []byte("old"), []byte("new"), true)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "new", copied: "old"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestReadRefusesLargeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(tooLarge + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "no configuration") {
		t.Fatal(err)
	}
}
