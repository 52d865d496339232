package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etcd-quorum-restore/modules/internal/backup"
	"etcd-quorum-restore/modules/internal/moduletest"
)

// After a kill at any moment there is a complete backup or a name that ends in .partial, and the next run works.
func TestKilledAtAnyMoment(t *testing.T) {
	m := seeded(t, 1).Members[0]
	m.Stop(t)
	args := arguments(t, m, map[string]any{"method": "copy"})
	dest := filepath.Join(m.Dir, "backup")
	before := listing(t, m.DataDir)
	partials, killed := 0, 0
	for delay := 10 * time.Millisecond; delay < 5*time.Second; delay += delay / 2 {
		if moduletest.KillAfter(t, delay, args).Success() {
			break
		}
		killed++
		partials = len(backup.Leftovers(dest))
	}
	if killed < 3 || partials == 0 {
		t.Errorf("the test's own condition does not hold: killed %d times, %d partial directories", killed, partials)
	}
	moduletest.Run(t, arguments(t, m, nil)).OK(t, true)
	entries, err := os.ReadDir(dest)
	check(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".partial") {
			continue
		}
		if _, err := backup.Verify(t.Context(), filepath.Join(dest, e.Name())); err != nil {
			t.Error(err)
		}
	}
	if after := listing(t, m.DataDir); after != before {
		t.Error("the data was changed")
	}
}
