package record_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/record"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fenced.json")
	if got, err := record.Read[facts.Fence](path); got != nil || err != nil {
		t.Fatalf("no record: %+v, %v", got, err)
	}
	id := facts.ID(0xa000000000000001)
	want := facts.Fence{When: "2026-11-29T03:14:00Z", Why: "why", Kind: facts.FenceLost, Run: "5f1d", Survivor: "master-0", MemberID: &id}
	if err := record.Write(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := record.Read[facts.Fence](path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
}

// A record that cannot be parsed never counts as "no record": something was begun here.
func TestMalformed(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "cut": `{"when": "2026`, "null": "null", "a list": "[]", "another type": `{"why": 7}`} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "forcing.json")
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if got, err := record.Read[facts.Fence](path); got != nil || !errors.Is(err, record.ErrMalformed) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if _, err := record.Read[facts.Fence](t.TempDir()); err == nil || errors.Is(err, record.ErrMalformed) {
		t.Errorf("a directory: %v", err)
	}
}
