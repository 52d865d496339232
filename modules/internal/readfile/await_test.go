package readfile

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"etcd-quorum-restore/modules/internal/fault"
)

// TestHostileReadThatHangs: a read that never returns is left alone, a panic in one is an error, and a read that ends in time counts.
func TestHostileReadThatHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangs := make(chan struct{})
	defer close(hangs)
	_, err := Await(ctx, "/mnt/dead", func() (int, error) {
		cancel()
		<-hangs
		return 1, nil
	})
	if fault.KindOf(err) != fault.Timeout || !strings.Contains(err.Error(), "before /mnt/dead was read completely") || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n, err := Await(t.Context(), "/", func() (int, error) { return 7, os.ErrNotExist }); n != 7 || !errors.Is(err, os.ErrNotExist) {
		t.Error(n, err)
	}
	if _, err := Await(t.Context(), "/", func() (int, error) { panic("at the disk") }); fault.KindOf(err) != fault.Internal {
		t.Error(err)
	}
	if err := Over(t.Context(), "/"); err != nil {
		t.Error(err)
	}
}
