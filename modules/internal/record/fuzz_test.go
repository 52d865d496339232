package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/record"
)

// Any text is a record or malformed, and never "no record": something was begun here.
func FuzzRead(f *testing.F) {
	for _, text := range []string{`{"phase":"start","member_id":"8e9e05c52164694d"}`, `null`, ``, `[]`, `{"phase":1}`, `{"when":"\u0000"}`} {
		f.Add([]byte(text))
	}
	path := filepath.Join(f.TempDir(), "forcing.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := record.Read[facts.Forcing](path)
		if (r == nil) == (err == nil) || err != nil && !errors.Is(err, record.ErrMalformed) {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	})
}
