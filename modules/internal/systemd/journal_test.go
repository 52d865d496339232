package systemd

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/fault"
	"etcd-quorum-restore/modules/internal/root"
)

// Any process of the host may fill the journal.
func TestAFloodOfTheJournalIsRefused(t *testing.T) {
	old := root.Dir
	root.Dir = t.TempDir()
	t.Cleanup(func() { root.Dir = old })
	command := root.Command("journalctl")
	if err := os.MkdirAll(filepath.Dir(command), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(command, []byte("#!/bin/sh\nhead -c 128M /dev/zero\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := Journalctl(ctx, "-n", "100")
	if fault.KindOf(err) != fault.Unsupported || len(out) > 0 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
