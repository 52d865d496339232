package restore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/backup"
)

// A backup that cannot be used is listed with the reason: one that is missing from the list would be searched for.
func TestCandidatesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	for name, m := range map[string]backup.Manifest{
		"empty":   {},
		"damaged": {Files: []backup.File{{Path: "copy/member/snap/db"}}, Backups: []backup.Entry{{Method: Copy, Path: "copy", Damage: "the database is cut"}}},
	} {
		check(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		for i := range m.Files {
			m.Files[i].Path = filepath.Join(dir, name, m.Files[i].Path)
		}
		for i := range m.Backups {
			m.Backups[i].Path = filepath.Join(dir, name, m.Backups[i].Path)
		}
		check(t, m.Write(filepath.Join(dir, name)))
	}
	list, err := Candidates(t.Context(), dir)
	check(t, err)
	text := strings.Join(Lines(dir, list), "\n")
	for _, want := range []string{"empty: ", "lists no file", "damaged/copy: the database is cut"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
