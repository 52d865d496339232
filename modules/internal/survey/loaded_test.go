package survey

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/facts"
	"etcd-quorum-restore/modules/internal/procfs"
)

func TestNotLoaded(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.crt")
	certificates := []facts.Certificate{{Purpose: "peer", Path: "/none"}, {Purpose: "ca", Path: ca}}
	self, err := procfs.Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if got := notLoaded(certificates, &self); got != nil {
		t.Errorf("without a mark: %+v", got)
	}
	mark := facts.RestartMark(ca, "etcd")
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]int{time.Hour: 1, -time.Hour: 0} {
		when := time.Now().Add(at)
		if err := os.Chtimes(mark, when, when); err != nil {
			t.Fatal(err)
		}
		if got := notLoaded(certificates, &self); len(got) != want {
			t.Errorf("mark of %s: %+v", at, got)
		}
	}
	if got := notLoaded(certificates, nil); got != nil {
		t.Errorf("etcd is stopped: %+v", got)
	}
}

// In the course of a rotation the restart is due as well, and the process works with what it has: it is no reason against a restore.
func TestNotLoadedForANewCA(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.crt")
	self, err := procfs.Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	mark := facts.RestartMark(ca, "etcd")
	if err := os.WriteFile(mark, []byte(facts.MarkOfANewCA), 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Now().Add(time.Hour)
	if err := os.Chtimes(mark, when, when); err != nil {
		t.Fatal(err)
	}
	if got := notLoaded([]facts.Certificate{{Purpose: "ca", Path: ca}}, &self); got != nil {
		t.Errorf("%+v", got)
	}
}
